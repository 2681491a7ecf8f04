import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../../src/index.ts'

let broker: EmbeddedBroker
beforeAll(async () => {
  broker = await startBroker({ topics: { counted: 2, failing: 1, retried: 1 } })
})
afterAll(() => broker.close())

test('a sink counts what it writes with the names of Rivven, and the stream processor has the same numbers', async () => {
  await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'counted' })
  await sink.write([{ value: 'abc' }, { value: 'de' }])
  await sink.send({ value: 'f' })
  await sink.flush()
  const snapshot = sink.counters.snapshot()
  expect(snapshot.toJSON()).toEqual({
    messages_produced: 3,
    bytes_produced: 6,
    sends: 2,
    errors: 0,
    flushes: 1,
    retries: 0,
    min_batch_size: 1,
    max_batch_size: 2,
    batch_size_sum: 3,
    batch_count: 2,
  })
  expect(snapshot.successRate()).toBe(1)
  expect(sink.metrics()).toMatchObject({ messagesSent: 3, bytesSent: 6 })
  sink.counters.snapshotAndReset()
  await sink.send({ value: 'xyz' })
  expect(sink.counters.snapshot()).toMatchObject({ messagesProduced: 1, bytesProduced: 3 })
})

test('a sink counts records that fail, and attempts that are repeated', async () => {
  const { bootstrapServers } = broker
  await using sink = new KafkaSink({ bootstrapServers, topic: 'retried', maxRetries: 5, baseBackoffMs: 1 })
  broker.on('Produce').topic('retried').times(2).fail('NOT_ENOUGH_REPLICAS')
  await sink.send({ value: 'a' })
  await expect(sink.send({ value: 'b', partition: 7 })).rejects.toThrow('partition')
  expect(sink.counters.snapshot()).toMatchObject({ messagesProduced: 1, errors: 1, retries: 2 })
  expect(sink.counters.snapshot().successRate()).toBe(0.5)
})

test('a source counts what it reads and commits with the names of both', async () => {
  const { bootstrapServers } = broker
  await using sink = new KafkaSink({ bootstrapServers, topic: 'failing' })
  await sink.write([{ value: 'a' }, { value: 'b' }, { value: 'c' }])
  const source = new KafkaSource({ bootstrapServers, topics: 'failing', groupId: 'counting' })
  const values: string[] = []
  for await (const { value } of source) {
    values.push(String(value))
    if (values.length === 3) break
  }
  expect(await source.poll({ timeoutMs: 2000 })).toHaveLength(1) // the record at which the loop was left
  expect(await source.poll({ timeoutMs: 1 })).toEqual([])
  await source.commit()
  const snapshot = source.counters.snapshot()
  expect(snapshot).toMatchObject({ messagesConsumed: 3, rebalances: 1, errors: 0, commitFailures: 0 })
  expect(snapshot.commits).toBeGreaterThan(0)
  expect(snapshot.emptyPolls).toBeGreaterThan(0)
  expect(snapshot.polls).toBeGreaterThan(snapshot.emptyPolls)
  expect(snapshot.toPrometheusFormat('orders')).toContain(
    '# HELP orders_messages_consumed_total Total messages consumed\n# TYPE orders_messages_consumed_total counter\norders_messages_consumed_total 3\n',
  )
  expect(source.metrics()).toMatchObject({
    messagesConsumed: 3,
    bytesConsumed: snapshot.bytesConsumed,
    errors: 0,
    totalCommits: snapshot.commits,
    rebalanceCount: 1,
    assignedPartitions: 1,
    messagesPerTopic: { failing: 3 },
    lagPerPartition: { failing: { 0: 0 } },
  })
  await source.close()
  const reset = source.counters.snapshotAndReset()
  expect(reset.messagesConsumed).toBe(3)
  expect(source.counters.snapshot().messagesConsumed).toBe(0)
})
