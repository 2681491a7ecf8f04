/** What a program gives a `KafkaSink` that is no record, or never becomes one. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { KafkaSink } from '../../src/index.ts'
import { registerTelemetry } from '../support/telemetry.ts'

describe('a record that is none fails alone', () => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['undefined', undefined],
    ['headers of null', { value: 'x', headers: null }],
    ['headers that are a number', { value: 'x', headers: 5 }],
    ['headers that are a text', { value: 'x', headers: 'ab' }],
  ]

  test.each(wrong)('%s', async (_, record) => {
    await using kafka = await startBroker({ topics: { t: 1 } })
    await using sink = new KafkaSink({ bootstrapServers: kafka.bootstrapServers, topic: 't' })
    const { failures } = await sink.write([{ value: 'a' }, record as never, { value: 'b' }])
    expect([...failures].map(([row, { code }]) => [row, code])).toEqual([[1, 'ENCODE_FAILED']])
    expect((await kafka.topic('t').records()).map(({ value }) => String(value))).toEqual(['a', 'b'])
  })

  test.each(wrong)('%s, also while calls are traced', async (_, record) => {
    await using telemetry = await registerTelemetry()
    await using kafka = await startBroker({ topics: { t: 1 } })
    await using sink = new KafkaSink({ bootstrapServers: kafka.bootstrapServers, topic: 't' })
    const { failures } = await sink.write([{ value: 'a' }, record as never, { value: 'b' }])
    expect([...failures].map(([row, { code }]) => [row, code])).toEqual([[1, 'ENCODE_FAILED']])
    expect(telemetry.spansNamed('send t')).toHaveLength(1)
  })
})

describe('close', () => {
  afterEach(() => void vi.useRealTimers())

  // It waited for ever.
  test('gives up a call whose value is never serialized', async () => {
    await using kafka = await startBroker({ topics: { t: 1 } })
    const serializer = { contentType: 'text/plain', serialize: () => new Promise<string>(() => {}) }
    const sink = new KafkaSink<string>({ bootstrapServers: kafka.bootstrapServers, topic: 't', serializer })
    await sink.open()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const sent = sink.send({ value: 'x' })
    const failed = expect(sent).rejects.toMatchObject({ code: 'CLOSED' })
    let isClosed = false
    const closed = sink.close().then(() => (isClosed = true))
    for (let seconds = 0; seconds < 30 && !isClosed; seconds++) {
      await vi.advanceTimersByTimeAsync(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    vi.useRealTimers()
    expect(isClosed).toBe(true)
    await Promise.all([closed, failed])
  })
})
