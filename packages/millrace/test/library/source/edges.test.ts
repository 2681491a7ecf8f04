/** Positions, times and numbers at their edges, as a program may give them or ask for them. */
import { describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { KafkaSink, KafkaSource, type KafkaSourceOptions } from '../../../src/index.ts'

const PLACE = { topic: 'numbers', partition: 0 }

async function brokerWith(count: number): Promise<EmbeddedBroker> {
  const broker = await startBroker({ topics: { numbers: 1 } })
  await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'numbers' })
  if (count > 0) await sink.write(Array.from({ length: count }, (_, i) => ({ value: `${i}` })))
  return broker
}

function sourceOf({ bootstrapServers }: EmbeddedBroker, options: Partial<KafkaSourceOptions> = {}): KafkaSource {
  return new KafkaSource({ bootstrapServers, topics: 'numbers', groupId: 'g', ...options })
}

describe('lag', () => {
  // The broker says where the log ends when that changes; it was forgotten until then.
  test('is known after a seek, although nothing has changed since', async () => {
    await using broker = await brokerWith(3)
    await using source = sourceOf(broker)
    let read = 0
    const loop = (async () => {
      for await (const batch of source.batches()) {
        batch.ack()
        read += batch.length
      }
    })()
    await expect.poll(() => read).toBe(3)
    for (const offset of [3, 1, 3]) {
      await source.seek(PLACE, offset)
      await expect.poll(() => source.lag()).toMatchObject([{ endOffset: 3n, lag: 0n }])
    }
    await expect.poll(async () => (await source.progress())!.lag).toBe(0)
    await source.close()
    await loop
  })

  // It was 0 as soon as the last batch had been taken.
  test('counts the records that a loop has not returned yet', async () => {
    await using broker = await brokerWith(100)
    await using source = sourceOf(broker, { untilEnd: true })
    let read = 0
    for await (const _ of source)
      if (++read === 95) expect(await source.progress()).toMatchObject({ records: 95, lag: 5 })
    expect(read).toBe(100)
  })
})

// Times below 0 stand for the end and the beginning of the log where brokers are asked: one of 1969 skipped all records.
test.each([new Date(-1), new Date(-2), { timestampMs: -0.5 }, { timestampMs: 1.5 }])(
  'a seek to %o begins with the first record',
  async (time) => {
    await using broker = await brokerWith(3)
    await using source = sourceOf(broker)
    await source.open()
    await source.seek(PLACE, time)
    expect((await source.lag())[0]!.position).toBe(0n)
  },
)

// Opening waits for the listener, and the source waited for opening.
test('a listener may use the source for the first partitions, too', async () => {
  await using broker = await brokerWith(3)
  const source: KafkaSource = sourceOf(broker, {
    untilEnd: true,
    onAssigned: async ([place]) => {
      expect(await source.assignment()).toEqual([PLACE])
      source.pause([place!])
      await source.seek(place!, 2)
      await source.commit()
      source.resume([place!])
    },
  })
  const read = await Array.fromAsync(source, ({ offset }) => offset)
  expect(read).toEqual([2n])
  await source.close()
})

describe('times that timers do not take', () => {
  // The time was over at once: handlers were given up, and their records read again.
  test.each([Infinity, 3e9])('drainTimeoutMs: %d', async (drainTimeoutMs) => {
    await using broker = await brokerWith(1)
    const source = sourceOf(broker)
    const started = Promise.withResolvers<AbortSignal>()
    const finish = Promise.withResolvers<void>()
    const processing = source.process(
      async (_, { signal }) => {
        started.resolve(signal)
        await finish.promise
      },
      { drainTimeoutMs },
    )
    const signal = await started.promise
    const closing = source.close()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(signal.aborted).toBe(false)
    finish.resolve()
    await Promise.all([closing, processing])
    expect(broker.groups()[0]!.offsets).toMatchObject([{ offset: 1n }])
  })

  test.each([Infinity, 3e9])('poll waits for records with timeoutMs: %d', async (timeoutMs) => {
    await using broker = await brokerWith(0)
    await using source = sourceOf(broker)
    const polling = source.poll({ timeoutMs })
    await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'numbers' })
    await expect.poll(() => broker.requests().some(({ api }) => api === 'Fetch')).toBe(true)
    await sink.write([{ value: 'a' }])
    expect(await polling).toHaveLength(1)
  })

  // What is left until a deadline is rarely a whole number, and may be over.
  test.each([0.5, -3, 0])('poll returns with timeoutMs: %d', async (timeoutMs) => {
    await using broker = await brokerWith(0)
    await using source = sourceOf(broker)
    expect(await source.poll({ timeoutMs })).toEqual([])
  })
})

// It broke the source for good.
test.each([{ maxRecords: 0 }, { maxRecords: 1.5 }, { maxRecords: NaN }, { timeoutMs: NaN }])(
  'poll refuses %o and goes on',
  async (options) => {
    await using broker = await brokerWith(1)
    await using source = sourceOf(broker)
    await expect(source.poll(options)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await source.poll({ timeoutMs: 60_000, maxRecords: Infinity })).toHaveLength(1)
  },
)
