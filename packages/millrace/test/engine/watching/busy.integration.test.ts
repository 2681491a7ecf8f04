/**
 * Stages that keep the process busy for a millisecond a record. A batch went through them in one go: no heartbeat for 13 s,
 * partitions lost, records written twice, and a run that ended with 0 and nothing committed.
 */
import { describe, expect, test } from 'vitest'
import { exactlyOnce, KafkaSink, KafkaSource } from '../../../src/index.ts'
import { Counters } from '../../../src/metrics/counters.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../../support/broker.ts'
import { consume, graphFile, produce, runGraphHere } from '../../support/graphs.ts'
import { fromTopic, runHere, toTopic } from '../../support/pipelines.ts'
import { topicBed } from '../../support/topics.ts'

const N = 7000
const busy = { $set: { sum: { $sum: { $range: [0, 5000] } } } }
const session = { 'session.timeout.ms': 6000, 'heartbeat.interval.ms': 500 }

describe.skipIf(!brokerAvailable)('stages of a millisecond a record', () => {
  const bed = topicBed()

  async function topics(): Promise<{ input: string; output: string; groupId: string }> {
    const [input, output] = [await bed().create(), await bed().create()]
    const records = Array.from({ length: N }, (_, n) => ({ value: `{"n":${n}}` }))
    await bed().write(input, records, { batchBytes: 1_000_000 })
    return { input, output, groupId: uniqueName('group') }
  }
  async function expectOnce(output: string, groupId: string): Promise<void> {
    const values = (await bed().values(output, { isolation: 'read_committed' })).flat()
    expect(values.map((value) => (JSON.parse(value) as { n: number }).n)).toEqual(
      Array.from({ length: N }, (_, n) => n),
    )
    await expect.poll(() => bed().groups.committedOffsets(groupId)).toMatchObject([{ offset: N }])
  }
  const rebalances = (metrics: Counters): number | undefined =>
    metrics.snapshot().find(({ metric }) => metric === 'millrace_group_rebalances_total')?.value

  test.each(['at_least_once', 'exactly_once'])(
    'with %s',
    async (delivery) => {
      const { input, output, groupId } = await topics()
      const metrics = new Counters()
      const source = fromTopic(input, { groupId, ...session })
      await runHere({ delivery, source, stages: [busy], sink: toTopic(output) }, { metrics })
      expect(rebalances(metrics)).toBe(1)
      await expectOnce(output, groupId)
    },
    90_000,
  )

  test('in a stage graph', async () => {
    const { input, output, groupId } = await topics()
    const metrics = new Counters()
    const stages = [
      consume(input, { group_id: groupId, ...session }),
      { id: 'busy', function: '$set', inputs: ['consume'], config: busy.$set },
      produce(output, ['busy']),
    ]
    await runGraphHere(await graphFile(stages), { metrics })
    expect(rebalances(metrics)).toBe(1)
    await expectOnce(output, groupId)
  }, 90_000)

  test('in the callback of exactlyOnce', async () => {
    const { input, output, groupId } = await topics()
    const shared = { bootstrapServers: bootstrapServers() }
    await using source = new KafkaSource({ ...shared, topics: input, groupId, untilEnd: true, ...session })
    await using sink = new KafkaSink({ ...shared, topic: output, transactionalId: uniqueName('busy') })
    await exactlyOnce(source, sink, (batch, transaction) => {
      for (const end = performance.now() + batch.length; performance.now() < end;);
      const records = Array.from({ length: batch.length }, (_, row) => ({ value: batch.value(row) }))
      void transaction.write(records)
    })
    expect((await source.progress())!.rebalances).toBe(1)
    await expectOnce(output, groupId)
  }, 90_000)
})
