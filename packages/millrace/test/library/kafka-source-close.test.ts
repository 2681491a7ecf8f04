import { describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../src/index.ts'

describe('closing a source does not wait for', () => {
  const options = { topics: 'numbers', groupId: 'g', autoOffsetReset: 'earliest' } as const

  // It waited for ever.
  test('a listener that never comes to an end', async () => {
    await using broker = await startBroker({ topics: { numbers: 1 } })
    const { bootstrapServers } = broker
    const called = Promise.withResolvers<void>()
    const source = new KafkaSource({
      bootstrapServers,
      ...options,
      onAssigned: () => {
        called.resolve()
        return new Promise(() => {})
      },
    })
    const reading = Array.fromAsync(source)
    await called.promise
    await source.close()
    expect(await reading).toEqual([])
  })

  // It waited for a minute, or 1.5 times half the session timeout.
  test('a coordinator that is gone, for longer than half the session timeout', async () => {
    const broker = await startBroker({ topics: { numbers: 1 }, groups: { minSessionTimeoutMs: 100 } })
    const { bootstrapServers } = broker
    {
      await using sink = new KafkaSink({ bootstrapServers, topic: 'numbers' })
      await sink.write([{ value: '1' }])
    }
    const warnings: string[] = []
    const source = new KafkaSource({
      bootstrapServers,
      ...options,
      sessionTimeoutMs: 2000,
      heartbeatIntervalMs: 500,
      onWarning: (message) => warnings.push(message),
    })
    for await (const batch of source.batches()) {
      batch.ack()
      break
    }
    await broker.close()
    const began = performance.now()
    await source.close()
    expect(performance.now() - began).toBeLessThan(1400)
    expect(warnings).toContainEqual(expect.stringMatching(/^Cannot commit offsets/))
  })
})
