/**
 * A sink that keeps the partition of records did so for the batches in which no key was changed, and distributed the others by key: one
 * key was in two partitions, as batches happened to be cut.
 */
import { describe, expect, test } from 'vitest'
import { brokerAvailable } from '../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { readTopic } from '../support/read-topic.ts'
import { topicBed } from '../support/topics.ts'

const PARTITIONS = 4
const KEYS = ['k0', 'k1', 'k3', 'c'] // which murmur2 puts elsewhere than into partition 0, or not

describe.skipIf(!brokerAvailable)('records of a pipeline that gives some of them another key', () => {
  const bed = topicBed()

  test.each([
    { name: '$set of _meta.key', set: { $set: { '_meta.key': { $cond: [{ $eq: ['$n', 10] }, 'z', '$_meta.key'] } } } },
    {
      name: '$set of _meta.key within $subPipeline',
      set: {
        $subPipeline: [{ pipeline: [{ $set: { '_meta.key': { $cond: [{ $eq: ['$n', 10] }, 'z', '$_meta.key'] } } }] }],
      },
    },
    { name: '$fromEvent with keyField', set: { $fromEvent: { keyField: 'key' } } },
  ])('are in the partition of their key, all of them: $name', async ({ set }) => {
    const [input, output, direct] = await Promise.all([1, 2, 3].map(() => bed().create({ partitions: PARTITIONS })))
    const records = Array.from({ length: 20 }, (_, n) => {
      const key = KEYS[n % KEYS.length]!
      return { key, value: JSON.stringify({ n, key: n === 10 ? 'z' : key }) }
    })
    // As a producer with another partitioner would.
    await bed().write(
      input!,
      records.map((record) => ({ ...record, partition: 0 })),
    )
    await bed().write(
      direct!,
      records.map(({ key, value }, n) => ({ key: n === 10 ? 'z' : key, value })),
    )
    await runHere({
      source: fromTopic(input!),
      stages: [set],
      sink: toTopic(output!),
      runtime: { microBatchSize: 3 },
    })
    const placesIn = async (topic: string): Promise<string[]> =>
      (await readTopic(bed().cluster, topic)).records.map(
        ({ partition, key, value }) => `${partition} ${String(key)} ${String(value)}`,
      )
    expect(await placesIn(output!)).toEqual(await placesIn(direct!))
  })
})
