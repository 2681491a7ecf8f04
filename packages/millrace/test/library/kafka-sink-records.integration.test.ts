import { describe, expect, test } from 'vitest'
import {
  BincodeDeserializer,
  BincodeSerializer,
  type ConsumerRecord,
  DeliveryGuarantee,
  KafkaSink,
  KafkaSource,
  PartitionStrategy,
  SINK_PRESETS,
  SinkMessage,
} from '../../src/index.ts'
import { bootstrapServers, brokerAvailable, proxiedBroker, uniqueName } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'

interface MetricResult {
  readonly service: string
  readonly avg_latency: number
  readonly count: number
}

const result: MetricResult = { service: 'api-gateway', avg_latency: 123.45, count: 1000 }

/** What is in a topic, in the order in which it is read. */
async function recordsOf(topic: string, options: object = {}): Promise<ConsumerRecord[]> {
  await using source = new KafkaSource({
    bootstrapServers: bootstrapServers(),
    topics: topic,
    untilEnd: true,
    ...options,
  })
  const records: ConsumerRecord[] = []
  for await (const record of source) records.push(record)
  return records
}

describe.skipIf(!brokerAvailable)('the sink of the stream processor', () => {
  const bed = topicBed()
  const config = (topic: string) => ({ brokers: bootstrapServers(), topic })

  test('writes a message with its key and headers as JSON, and says so in a header', async () => {
    const topic = await bed().create()
    const sink = new KafkaSink<MetricResult>({ ...config(topic), enable_idempotence: true })
    const report = await sink.send(new SinkMessage(result).withKey('api-gateway').withHeader('region', 'us-east-1'))
    expect(report).toEqual({ topic, partition: 0, offset: 0n })
    await sink.send({
      value: result,
      key: 'api-gateway',
      headers: { region: 'us-east-1' },
      timestampMs: 1_700_000_000_000,
    })
    await sink.close()

    const [built, literal] = await recordsOf(topic)
    for (const { key, value, headers } of [built!, literal!]) {
      expect(key!.toString()).toBe('api-gateway')
      expect(JSON.parse(value!.toString())).toEqual(result)
      expect(headers.map(([name, content]) => [name, content!.toString()])).toEqual([
        ['region', 'us-east-1'],
        ['content-type', 'application/json'],
      ])
    }
    expect(literal!.timestampMs).toBe(1_700_000_000_000)
    await expect(sink.send({ value: result })).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('sends made before, while and after it connects are written in the order of the calls', async () => {
    const topic = await bed().create()
    await using sink = new KafkaSink<unknown>(config(topic))
    const sent: Promise<unknown>[] = []
    const send = (): void => void sent.push(sink.send({ value: String(sent.length) }))
    for (let i = 0; i < 20; i++) send()
    // Calls come in every moment between connecting and the first acknowledgement.
    const first = sent[0]!.then(() => 'written')
    while ((await Promise.race([first, new Promise((resolve) => setImmediate(resolve))])) !== 'written') {
      send()
      void Promise.resolve().then(send)
    }
    for (let i = 0; i < 20; i++) send()
    await Promise.all(sent)
    const values = (await recordsOf(topic)).map(({ value }) => Number(value!.toString()))
    expect(values).toEqual(sent.map((_, i) => i))
  })

  test('sends a batch with a result for each message in their order, and one that fails leaves the others', async () => {
    const topic = await bed().create({ partitions: 3 })
    await using sink = new KafkaSink<unknown>({
      ...config(topic),
      batch_size: 1000,
      linger_ms: 100,
      compression_type: 'snappy',
    })
    const messages = Array.from({ length: 500 }, (_, i) => new SinkMessage<unknown>({ i }).withKey(`${i}`))
    messages[100] = new SinkMessage<unknown>(1n).withKey('no JSON')
    messages[200] = new SinkMessage<unknown>({ i: 200 }).withPartition(99)
    const results = await sink.sendBatch(messages)
    expect(results.length).toBe(500)
    expect(results.flatMap(({ ok }, i) => (ok ? [] : [i]))).toEqual([100, 200])
    expect(results[100]!.error).toMatchObject({ code: 'ENCODE_FAILED' })
    expect(results[200]!.error!.message).toContain('the topic has 3 partitions')

    const records = await recordsOf(topic)
    expect(records.length).toBe(498)
    for (const { partition, offset, value } of records) {
      const { i } = JSON.parse(value!.toString()) as { i: number }
      expect(results[i]!.report).toEqual({ topic, partition, offset })
    }
    expect(sink.metrics()).toMatchObject({ messagesSent: 498, messagesFailed: 2, retries: 0, circuitBreakerTrips: 0 })
    expect(sink.metrics().bytesSent).toBe(records.reduce((sum, { value }) => sum + value!.length, 0))
    expect(sink.metrics().lastErrorMsg).toContain('Cannot serialize the value')
    const { avgLatencyUs, maxLatencyUs, sendAttempts } = sink.metrics()
    expect(Number.isInteger(avgLatencyUs) && avgLatencyUs > 0 && avgLatencyUs <= maxLatencyUs).toBe(true)
    expect(sendAttempts).toBeGreaterThanOrEqual(3)
  })

  test('writes in transactions, of which readers of committed records see all or nothing', async () => {
    const topic = await bed().create()
    await using sink = new KafkaSink<MetricResult>({
      ...config(topic),
      ...SINK_PRESETS.reliability,
      transactionalId: uniqueName('tx'),
    }).withDeliveryGuarantee(DeliveryGuarantee.ExactlyOnce)
    await expect(sink.send({ value: result })).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
    for (const count of [1, 2, 3]) {
      await sink.beginTransaction()
      await expect(sink.beginTransaction()).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
      for (let i = 0; i < 2; i++) await sink.send(new SinkMessage({ ...result, count }))
      if (count === 2) await sink.abortTransaction()
      else await sink.commitTransaction()
    }
    await bed().settled(topic)
    const counts = (await recordsOf(topic, { isolation: 'read_committed' })).map(
      ({ value }) => (JSON.parse(value!.toString()) as MetricResult).count,
    )
    expect(counts).toEqual([1, 1, 3, 3])
    await expect(sink.commitTransaction()).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
  })

  test('writes bincode, and text that a serializer turned into bytes later', async () => {
    const topic = await bed().create()
    const type = { struct: { service: 'string', avg_latency: 'f64', count: 'u64' } } as const
    await using bincode = KafkaSink.withSerializer<MetricResult>(config(topic), new BincodeSerializer(type))
    await bincode.send(new SinkMessage(result))
    await using later = KafkaSink.withSerializer<string>(config(topic), {
      contentType: 'application/custom',
      serialize: async (value) => Buffer.from(value.toUpperCase()),
    })
    await Promise.all(['a', 'b', 'c'].map((value) => later.send({ value })))
    const records = await recordsOf(topic)
    expect(new BincodeDeserializer<MetricResult>(type).deserialize(records[0]!.value!)).toEqual(result)
    expect(records.slice(1).map(({ value }) => value!.toString())).toEqual(['A', 'B', 'C'])
    expect(records.map(({ headers }) => headers[0]![1]!.toString())).toEqual([
      'application/octet-stream',
      'application/custom',
      'application/custom',
      'application/custom',
    ])
  })

  test.each([
    { strategy: PartitionStrategy.RoundRobin, partitions: [0, 1, 2, 0, 1, 2] },
    { strategy: PartitionStrategy.Single, partitions: [0, 0, 0, 0, 0, 0] },
    // As Java's murmur2 places this key.
    { strategy: PartitionStrategy.KeyHash, partitions: undefined },
  ])('gives partitions by the strategy $strategy', async ({ strategy, partitions }) => {
    const topic = await bed().create({ partitions: 3 })
    await using sink = new KafkaSink(config(topic)).withPartitionStrategy(strategy)
    const given: number[] = []
    for (let i = 0; i < 6; i++) given.push((await sink.send({ value: 'x', key: 'same' })).partition)
    expect(given).toEqual(partitions ?? Array.from({ length: 6 }, () => given[0]))
    expect((await sink.send({ value: 'x', key: 'same', partition: 2 })).partition).toBe(2)
    expect(() => sink.withPartitionStrategy(PartitionStrategy.Single)).toThrow(
      'Cannot change a KafkaSink that is in use',
    )
  })

  test('with the custom strategy writes to the partition of the message, and refuses messages without one', async () => {
    const topic = await bed().create({ partitions: 3 })
    await using sink = new KafkaSink(config(topic)).withPartitionStrategy(PartitionStrategy.Custom)
    expect((await sink.send(new SinkMessage('x').withPartition(2))).partition).toBe(2)
    await expect(sink.send({ value: 'x' })).rejects.toMatchObject({ code: 'ENCODE_FAILED' })
  })

  test('writes at most once without waiting for acknowledgements', async () => {
    const topic = await bed().create()
    await using sink = new KafkaSink(config(topic)).withDeliveryGuarantee(DeliveryGuarantee.AtMostOnce)
    expect((await sink.send({ value: 'x' })).offset).toBe(-1n)
    await expect.poll(() => bed().end(topic)).toBe(1)
  })

  test('takes acks and compression for one call', async () => {
    const topic = await bed().create()
    await using sink = new KafkaSink({ ...config(topic), compression: 'none' })
    await sink.send({ value: 'all' })
    expect((await sink.send({ value: 'none' }, { acks: 0, compression: 'gzip' })).offset).toBe(-1n)
    await expect.poll(() => bed().end(topic)).toBe(2)
    expect((await sink.send({ value: 'leader' }, { acks: 1 })).offset).toBe(2n)
    expect((await sink.send({ value: 'zstd' }, { compression: 'zstd' })).offset).toBe(3n)
    expect(sink.metrics().messagesSent).toBe(4)
    expect(await bed().values(topic)).toEqual([['all', 'none', 'leader', 'zstd']])
  })

  test.each(Object.keys(SINK_PRESETS) as (keyof typeof SINK_PRESETS)[])('writes with the preset %s', async (preset) => {
    const topic = await bed().create()
    const warnings: string[] = []
    await using sink = new KafkaSink<unknown>({
      ...config(topic),
      ...SINK_PRESETS[preset],
      ...(preset === 'reliability' ? { transactionalId: uniqueName('tx') } : {}),
      onWarning: (message: string) => warnings.push(message),
    })
    if (preset === 'reliability') await sink.beginTransaction()
    const results = await sink.sendBatch(Array.from({ length: 50 }, (_, i) => ({ value: { i } })))
    expect(results.every(({ ok }) => ok)).toBe(true)
    if (preset === 'reliability') await sink.commitTransaction()
    expect(warnings).toEqual(preset === 'highThroughput' ? [expect.stringContaining('so 5 is used')] : [])
  })

  test('with linger 0 many callers share batches', async () => {
    const topic = await bed().create()
    await using sink = new KafkaSink({ ...config(topic), compression: 'none' })
    await Promise.all(Array.from({ length: 1000 }, (_, i) => sink.send({ value: `${i}` })))
    expect(sink.metrics().messagesSent).toBe(1000)
    expect(sink.metrics().sendAttempts).toBeLessThan(100)
    expect(await bed().values(topic)).toEqual([Array.from({ length: 1000 }, (_, i) => `${i}`)])
  })
})

describe.skipIf(!brokerAvailable)('the sink of the stream processor without its broker', () => {
  const kafka = proxiedBroker()
  const bed = topicBed(() => kafka().kafka.bootstrapServers)

  test('fails a batch with a result for each message, trips its breaker, and counts both', async () => {
    await using sink = new KafkaSink({
      brokers: kafka().bootstrapServers,
      topic: await bed().create(),
      send_timeout_ms: 1000,
      circuit_breaker_threshold: 1,
      circuit_breaker_timeout_secs: 60,
    })
    await sink.send({ value: 'before' })
    await kafka().proxies[0]!.down()
    const results = await sink.sendBatch([{ value: 'a' }, { value: 'b' }])
    expect(results.map(({ ok }) => ok)).toEqual([false, false])
    expect(results[1]!.error).toMatchObject({ code: 'DELIVERY_TIMED_OUT' })
    const rejected = await sink.sendBatch([{ value: 'c' }])
    expect(rejected[0]!.error).toMatchObject({ code: 'CIRCUIT_OPEN' })
    const metrics = sink.metrics()
    expect(metrics).toMatchObject({
      messagesSent: 1,
      messagesFailed: 3,
      circuitBreakerTrips: 1,
      circuitBreakerRejections: 1,
    })
    expect(metrics.lastErrorMsg).toContain('circuit breaker is open')
    expect(metrics.lastError!.getTime()).toBeLessThanOrEqual(Date.now())
    await kafka().proxies[0]!.up()
  })
})
