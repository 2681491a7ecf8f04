import { describe, expect, test } from 'vitest'
import { catalog } from '../../src/catalog.ts'
import { readPlan } from '../../src/dialects/index.ts'
import { runPipeline } from '../../src/engine/run-pipeline.ts'
import { type Batch, KafkaSource, type KafkaSourceOptions } from '../../src/index.ts'
import { fetchCommitted } from '../../src/kafka/group/committed-offsets.ts'
import { GroupCoordinator } from '../../src/kafka/group/coordinator.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { consume, graphFile, produce, runGraphHere } from '../support/graphs.ts'
import { fromTopic, pipelineFile, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'
import { TransactionalWriter } from '../support/transactional-writer.ts'

const never = { 'auto.commit.interval.ms': 3_600_000 }

describe.skipIf(!brokerAvailable)('commit strategies of KafkaSource', () => {
  const bed = topicBed()

  /** What the group has committed of partition 0. */
  async function committedOf(groupId: string, topic: string): Promise<number | undefined> {
    const [found] = await fetchCommitted(
      new GroupCoordinator(bed().cluster, groupId),
      [{ topic, partition: 0 }],
      () => undefined,
    )
    return found!.offset
  }

  async function firstBatch(
    options: Partial<KafkaSourceOptions>,
  ): Promise<{ source: KafkaSource; batch: Batch; groupId: string; topic: string }> {
    const [topic, groupId] = [await bed().create(), uniqueName('group')]
    await bed().write(topic, [{ value: 'a' }, { value: 'b' }])
    const source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, groupId, ...options })
    const { value } = await source.batches()[Symbol.asyncIterator]().next()
    return { source, batch: value as Batch, groupId, topic }
  }

  test('each batch is committed as soon as it is acknowledged', async () => {
    const { source, batch, groupId, topic } = await firstBatch({ commit: { strategy: 'each_batch' }, ...never })
    expect(await committedOf(groupId, topic)).toBeUndefined()
    batch.ack()
    await expect.poll(() => committedOf(groupId, topic)).toBe(2)
    await source.close()
  })

  test('periodic commits follow their own interval', async () => {
    const { source, batch, groupId, topic } = await firstBatch({
      commit: { strategy: 'periodic', interval: 50 },
      ...never,
    })
    batch.ack()
    await expect.poll(() => committedOf(groupId, topic)).toBe(2)
    await source.close()
  })

  test('an open transaction with offsets of the group is waited for, and reported (I2)', async () => {
    const [topic, groupId] = [await bed().create(), uniqueName('group')]
    await bed().write(topic, [{ value: 'a' }, { value: 'b' }])
    const writer = await TransactionalWriter.open(bed().cluster, uniqueName('transactional'))
    await writer.writeOffset(groupId, topic, 0, 1)
    const told = Promise.withResolvers<string>()
    const source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: topic,
      groupId,
      onWarning: (message) => told.resolve(message),
    })
    const first = source.batches()[Symbol.asyncIterator]().next()
    expect(await told.promise).toMatch(/transaction that commits offsets of group ".*" has been open .*find-hanging/)
    await writer.commit()
    const { value } = await first
    expect((value as Batch).offset(0)).toBe(1n)
    await source.close()
  })

  test.each([
    { name: 'manual', options: { commit: { strategy: 'manual' } } },
    { name: 'enable.auto.commit false', options: { enableAutoCommit: false } },
  ] as const)('$name: nothing is committed but by commit(), not even on close', async ({ options }) => {
    const { source, batch, groupId, topic } = await firstBatch({ ...options, 'auto.commit.interval.ms': 20 })
    batch.ack()
    await source.close()
    expect(await committedOf(groupId, topic)).toBeUndefined()
    const again = await firstBatch(options)
    again.batch.ack()
    await again.source.commit()
    expect(await committedOf(again.groupId, again.topic)).toBe(2)
    await again.source.close()
  })

  test('a checkpoint waits until everything delivered is acknowledged', async () => {
    const { source, batch, groupId, topic } = await firstBatch({ commit: { strategy: 'on_checkpoint' } })
    const checkpoint = source.checkpoint()
    expect(await Promise.race([checkpoint.then(() => 'done'), committedOf(groupId, topic)])).toBeUndefined()
    batch.ack()
    await checkpoint
    expect(await committedOf(groupId, topic)).toBe(2)
    await source.close()
  })
})

describe.skipIf(!brokerAvailable)('at most once', () => {
  const bed = topicBed()

  test('commits a batch before it is processed: what fails is not read again', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, [{ value: '{"n":1}' }, { value: 'poison' }])
    const spec = {
      delivery: 'at_most_once',
      source: fromTopic(input),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(output, { acks: 0 }),
    }
    await expect(runHere(spec)).rejects.toMatchObject({ code: 'DECODE_FAILED' })
    await bed().write(input, [{ value: '{"n":2}' }])
    expect((await runHere(spec)).read.records).toBe(1)
    await expect
      .poll(async () => (await bed().values(output)).flat())
      .toEqual([
        '{"n":1,"seen":true}', // before the record that failed
        '{"n":2,"seen":true}',
      ])
  })

  // A batch that was cut was compared with the whole of it: it looked as if it could not be committed, and was thrown out after it was.
  // maxRecords 10 wrote 0 records and committed 10; max_messages of a stage graph wrote 0 and committed 1000.
  describe('processes exactly what it commits, run after run', () => {
    const orders = Array.from({ length: 25 }, (_, n) => ({ value: `{"n":${n}}` }))
    const values = orders.map(({ value }) => value)

    test('with maxRecords', async () => {
      const [input, output] = [await bed().create(), await bed().create()]
      await bed().write(input, orders, { batchBytes: 1_000_000 })
      const spec = { delivery: 'at_most_once', source: fromTopic(input, { maxRecords: 10 }), sink: toTopic(output) }
      for (const records of [10, 10, 5]) {
        const { read, written } = await runHere(spec)
        expect([read.records, written.records]).toEqual([records, records])
      }
      expect((await bed().values(output)).flat()).toEqual(values)
    })

    test('with max_messages of a stage graph', async () => {
      const [input, output] = [await bed().create(), await bed().create()]
      await bed().write(input, orders, { batchBytes: 1_000_000 })
      const stages = [consume(input, { max_messages: 10 }), produce(output, ['consume'])]
      const file = await graphFile(stages, { global: { delivery: 'at_most_once' } })
      for (const records of [10, 10, 5]) {
        const { read, written } = await runGraphHere(file)
        expect([read.records, written.records]).toEqual([records, records])
      }
      expect((await bed().values(output)).flat()).toEqual(values)
    })

    // The whole batch was committed before its first piece was processed, and later its whole piece: what was beside a failure was lost.
    test('with microBatchSize, when a record fails: only that record is passed over', async () => {
      const [input, output] = [await bed().create(), await bed().create()]
      await bed().write(input, orders.with(9, { value: 'poison' }), { batchBytes: 1_000_000 })
      const spec = {
        delivery: 'at_most_once',
        runtime: { microBatchSize: 4 },
        source: fromTopic(input),
        stages: [{ $sort: { n: 1 } }],
        sink: toTopic(output),
      }
      await expect(runHere(spec)).rejects.toMatchObject({ code: 'DECODE_FAILED' })
      await runHere(spec)
      expect((await bed().values(output)).flat()).toEqual(values.toSpliced(9, 1))
    })

    // Pieces of a limited source were never committed by themselves, so that all but the last were passed over.
    test('with a rate limit', async () => {
      const [input, output] = [await bed().create(), await bed().create()]
      await bed().write(input, orders, { batchBytes: 1_000_000 })
      const plan = await readPlan(
        await pipelineFile({ delivery: 'at_most_once', source: fromTopic(input), sink: toTopic(output) }),
      )
      const limited = { ...plan, rateLimit: { recordsPerSecond: 500, burst: 5, maxInFlight: undefined } }
      const never = new AbortController().signal
      await runPipeline(limited, { components: catalog, signal: never, abort: never, untilEnd: true, warn: () => {} })
      expect((await bed().values(output)).flat()).toEqual(values)
    })
  })
})
