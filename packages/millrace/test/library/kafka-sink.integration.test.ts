import { describe, expect, test } from 'vitest'
import { KafkaSink } from '../../src/index.ts'
import { bootstrapServers, brokerAvailable, proxiedBroker } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'

/** So short that a write fails for good in a few seconds, and long enough for one that need not fail. */
const IMPATIENT = { 'request.timeout.ms': 1000, 'delivery.timeout.ms': 3000, 'max.block.ms': 3000 }
const BREAKER = { circuitBreakerThreshold: 2, circuitBreakerTimeout: 4000 }

describe.skipIf(!brokerAvailable)('a KafkaSink whose brokers go away', () => {
  const kafka = proxiedBroker()
  const bed = topicBed(() => kafka().kafka.bootstrapServers)
  const proxy = (): ReturnType<typeof kafka>['proxies'][number] => kafka().proxies[0]!
  const sinkFor = (topic: string, options: { readonly [name: string]: unknown } = {}): KafkaSink =>
    new KafkaSink({ bootstrapServers: kafka().bootstrapServers, topic, ...IMPATIENT, ...BREAKER, ...options })

  test('refuses writes at once after some have failed, lets one through after a while, and continues when that succeeds', async () => {
    const topic = await bed().create()
    const states: string[] = []
    await using sink = sinkFor(topic, { onWarning: (message: string) => states.push(message) })
    await sink.open()
    await sink.send({ value: 'before' })
    await proxy().down()
    for (let i = 0; i < 2; i++) await expect(sink.send({ value: 'meanwhile' })).rejects.toThrow()
    expect(sink.circuitBreaker).toEqual({ state: 'open', openings: 1, rejections: 0 })

    const refused = await sink.send({ value: 'refused' }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'CIRCUIT_OPEN', retriable: true })
    expect((refused as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(BREAKER.circuitBreakerTimeout)
    expect(sink.circuitBreaker).toMatchObject({ state: 'open', rejections: 1 })

    await expect.poll(() => sink.send({ value: 'probe' }).then(() => '', String)).not.toMatch('open')
    expect(sink.circuitBreaker).toMatchObject({ state: 'open', openings: 2 })

    await proxy().up()
    await expect.poll(() => sink.send({ value: 'after' }).then(() => 'written', String)).toBe('written')
    expect(sink.circuitBreaker).toMatchObject({ state: 'closed' })
    expect(states.at(-1)).toBe('The circuit breaker of a KafkaSink is closed')
    const values = (await bed().values(topic)).flat()
    expect([values[0], values.at(-1)]).toEqual(['before', 'after'])
  })

  test('does not count records that are refused for what they are', async () => {
    await using sink = sinkFor(await bed().create(), { 'max.request.size': 20_000 })
    await sink.open()
    for (let i = 0; i < 3; i++)
      await expect(sink.send({ value: 'x'.repeat(30_000) })).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' })
    await sink.send({ value: 'small' })
    expect(sink.circuitBreaker).toEqual({ state: 'closed', openings: 0, rejections: 0 })
  })

  test('tries every time when the circuit breaker is turned off', async () => {
    await using sink = sinkFor(await bed().create(), { enableCircuitBreaker: false })
    await sink.open()
    await proxy().down()
    try {
      for (let i = 0; i < 3; i++)
        await expect(sink.send({ value: 'x' })).rejects.not.toMatchObject({ code: 'CIRCUIT_OPEN' })
      expect(sink.circuitBreaker).toBeUndefined()
    } finally {
      await proxy().up()
    }
  })

  // The first failure to connect was kept, and every later call failed with it.
  test('connects with a later call when the first one could not', async () => {
    const topic = await bed().create()
    await proxy().down()
    await using sink = sinkFor(topic, { enableCircuitBreaker: false })
    await expect(sink.open(AbortSignal.timeout(5000))).rejects.toThrow()
    await proxy().up()
    await expect.poll(() => sink.send({ value: 'x' }).then(() => 'written', String)).toBe('written')
  })
})

describe.skipIf(!brokerAvailable)('what a KafkaSink has accepted', () => {
  const bed = topicBed()
  const values = Array.from({ length: 500 }, (_, i) => `${i}`)
  const sinkFor = async (): Promise<{ topic: string; sink: KafkaSink }> => {
    const topic = await bed().create({ partitions: 1 })
    return { topic, sink: new KafkaSink({ bootstrapServers: bootstrapServers(), topic }) }
  }

  // All of it was `CLOSED`, as none had come to the producer.
  test('is written when it is closed in the same turn, though it has not connected yet', async () => {
    const { topic, sink } = await sinkFor()
    const sent = values.map((value) => sink.send({ value }))
    await sink.close()
    await Promise.all(sent)
    expect(await bed().values(topic)).toEqual([values])
    await expect(sink.send({ value: 'late' })).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('is waited for by a flush in the same turn', async () => {
    const { topic, sink } = await sinkFor()
    let written = 0
    for (const value of values) sink.send({ value }).then(() => written++, expect.unreachable)
    await sink.flush()
    expect(await bed().values(topic)).toEqual([values])
    await expect.poll(() => written).toBe(values.length)
    await sink.close()
  })

  test('is refused when it is no array, and closing ends', async () => {
    const { sink } = await sinkFor()
    await expect(sink.write({ value: 'x' } as never)).rejects.toMatchObject({ code: 'ENCODE_FAILED' })
    await sink.close()
  })
})

// Closing waited for the time that connecting may take, a minute by default.
test('closing a KafkaSink that is connecting to no broker does not wait for it', async () => {
  const sink = new KafkaSink({ bootstrapServers: '127.0.0.1:1', topic: 't' })
  const opening = sink.open()
  const closed = sink.close()
  await expect(opening).rejects.toMatchObject({
    code: expect.stringMatching(/ABORTED|CLOSED|BROKER_UNREACHABLE/) as string,
  })
  await closed
}, 10_000)
