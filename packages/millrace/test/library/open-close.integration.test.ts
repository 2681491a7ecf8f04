import { getActiveResourcesInfo } from 'node:process'
import { describe, expect, test } from 'vitest'
import { KafkaSink, KafkaSource } from '../../src/index.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'

/** Sockets that keep the process alive, and timers. The test waits with one of its own. */
const handles = (): { readonly sockets: number; readonly timers: number } => {
  const names = getActiveResourcesInfo()
  const countOf = (pattern: RegExp): number => names.filter((name) => pattern.test(name)).length
  return { sockets: countOf(/Socket|TCP|Pipe/), timers: countOf(/Timeout/) }
}

const heapOf = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const ROUNDS = 200

describe.skipIf(!brokerAvailable)('opening and closing', () => {
  const bed = topicBed()

  test(`${ROUNDS} times leaves no handle and does not grow`, async () => {
    const topic = await bed().create()
    const groupId = uniqueName('group')
    let before = { ...handles(), heap: 0 }
    for (let round = 1; round <= ROUNDS; round++) {
      const sink = new KafkaSink({ bootstrapServers: bootstrapServers(), topic })
      await sink.send({ value: `${round}` })
      const source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, groupId, untilEnd: true })
      let read = 0
      await source.process(() => void read++, { concurrency: 4, orderBy: 'key' })
      expect(read).toBe(1)
      await Promise.all([source.close(), sink.close()])
      // What is loaded and compiled once is there by then.
      if (round === ROUNDS / 4) before = { ...handles(), heap: heapOf() }
    }
    await expect.poll(() => handles().sockets).toBeLessThanOrEqual(before.sockets)
    await expect.poll(() => handles().timers).toBeLessThanOrEqual(before.timers + 1)
    // Less than 100 kB for each of the rounds since, were any of it kept.
    expect(heapOf() - before.heap).toBeLessThan(ROUNDS * 0.75 * 100_000)
  }, 240_000)

  test('closing a busy sink and a busy source loses nothing that was promised', async () => {
    const topic = await bed().create({ partitions: 3 })
    const groupId = uniqueName('group')
    const acknowledged: number[] = []
    let next = 0
    for (let round = 0; round < 5; round++) {
      const sink = new KafkaSink({ bootstrapServers: bootstrapServers(), topic })
      await sink.open()
      const sending = Array.from({ length: 50 }, async () => {
        for (;;) {
          const n = next++
          // Rejected once it is closed; what was accepted before resolves.
          const isSent = await sink.send({ value: `${n}`, key: `${n % 10}` }).then(
            () => true,
            () => false,
          )
          if (!isSent) return
          acknowledged.push(n)
        }
      })
      await expect.poll(() => acknowledged.length).toBeGreaterThan((round + 1) * 500)
      await sink.close()
      await Promise.all(sending)
    }
    const handled: number[] = []
    for (let isLast = false; !isLast;) {
      isLast = handled.length > acknowledged.length / 2
      const source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, groupId, untilEnd: isLast })
      const goal = handled.length + 300
      const processing = source.process(
        async ({ value }) => {
          await new Promise(setImmediate)
          handled.push(Number(value))
          if (!isLast && handled.length === goal) void source.close()
        },
        { concurrency: 16, orderBy: 'key' },
      )
      await processing
      await source.close()
    }
    expect(handled.toSorted((a, b) => a - b)).toEqual(acknowledged.toSorted((a, b) => a - b))
  })
})
