import { describe, expect, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromLetter } from '../../src/engine/failures/envelopes.ts'
import { type ConsumerRecord, KafkaSource, type KafkaSourceOptions, type ProcessOptions } from '../../src/index.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'

const KEYS = 7

/** Key and value of record `i`: the value counts up within the key. */
const numbered = (count: number) => Array.from({ length: count }, (_, i) => ({ key: `k${i % KEYS}`, value: `${i}` }))

describe.skipIf(!brokerAvailable)('KafkaSource.process', () => {
  const bed = topicBed()
  const sourceOf = (topics: string, groupId: string, options: Partial<KafkaSourceOptions> = {}): KafkaSource =>
    new KafkaSource({ bootstrapServers: bootstrapServers(), topics, groupId, ...options })

  /** Committed offsets of all partitions of a topic together. */
  async function committed(topic: string, group: string): Promise<number> {
    const found = await bed().groups.committedOffsets(group)
    return found.reduce((sum, each) => sum + (each.topic === topic ? Number(each.offset) : 0), 0)
  }

  test.each<{ orderBy: ProcessOptions<Buffer, Buffer>['orderBy']; most: number }>([
    { orderBy: 'partition', most: 3 },
    { orderBy: 'key', most: 16 },
    { orderBy: 'none', most: 16 },
  ])('handles each record once, in order by $orderBy, and commits all of them', async ({ orderBy, most }) => {
    const topic = await bed().create({ partitions: 3 })
    const group = uniqueName('group')
    await bed().write(topic, numbered(3000))
    const seen: { partition: number; key: string; value: number }[] = []
    let running = 0
    let mostRunning = 0
    await using source = sourceOf(topic, group, { untilEnd: true })
    await source.process(
      async ({ partition, key, value }) => {
        mostRunning = Math.max(mostRunning, ++running)
        seen.push({ partition, key: String(key), value: Number(value) })
        await sleep(Number(value) % 3)
        running--
      },
      { concurrency: 16, orderBy },
    )
    await source.close()
    expect(seen.map(({ value }) => value).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, i) => i))
    expect(mostRunning).toBeGreaterThan(1)
    expect(mostRunning).toBeLessThanOrEqual(most)
    if (orderBy !== 'none')
      for (const list of Map.groupBy(seen, ({ partition, key }) => (orderBy === 'key' ? key : partition)).values())
        expect(list).toEqual(list.toSorted((a, b) => a.value - b.value))
    expect(await committed(topic, group)).toBe(3000)
  })

  test('never commits beyond a record that is not done, and the next one begins there', async () => {
    const topic = await bed().create({ partitions: 1 })
    const group = uniqueName('group')
    await bed().write(topic, numbered(100))
    const gate = Promise.withResolvers<void>()
    const source = sourceOf(topic, group, { autoCommitIntervalMs: 50 })
    const done = new Set<number>()
    const processing = source.process(
      async ({ value }) => {
        if (Number(value) === 10) await gate.promise
        done.add(Number(value))
      },
      { concurrency: 8, orderBy: 'key', drainTimeoutMs: 200 },
    )
    // Everything of other keys is done, the seven keys' records behind 10 are not.
    await expect.poll(() => done.size).toBe(100 - Math.ceil((100 - 10) / KEYS))
    await expect.poll(() => committed(topic, group)).toBe(10)
    await source.close()
    await processing
    gate.resolve()
    expect(await committed(topic, group)).toBe(10)

    await using next = sourceOf(topic, group, { untilEnd: true })
    const again: number[] = []
    await next.process(({ value }) => void again.push(Number(value)))
    expect(again).toEqual(Array.from({ length: 90 }, (_, i) => i + 10))
  })

  test('closing lets handlers finish and commits them, so that none of them is repeated', async () => {
    const topic = await bed().create({ partitions: 2 })
    const group = uniqueName('group')
    await bed().write(topic, numbered(2000))
    const handled: number[] = []
    for (let round = 0; round < 4; round++) {
      await using source = sourceOf(topic, group, { untilEnd: round === 3 })
      const before = handled.length
      const processing = source.process(
        async ({ value }) => {
          await sleep(2)
          handled.push(Number(value))
        },
        { concurrency: 10, orderBy: 'key' },
      )
      if (round < 3) {
        await expect.poll(() => handled.length).toBeGreaterThan(before + 100)
        await source.close()
      }
      await processing
    }
    expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 2000 }, (_, i) => i))
  })

  test('members that come and go repeat and lose nothing while handlers finish in time', async () => {
    const topic = await bed().create({ partitions: 6 })
    const group = uniqueName('group')
    await bed().write(topic, numbered(3000))
    const handled: number[] = []
    const member = async (): Promise<() => Promise<void>> => {
      const source = sourceOf(topic, group, { assignors: ['cooperative-sticky'] as const })
      const processing = source.process(
        async ({ value }) => {
          await sleep(3)
          handled.push(Number(value))
        },
        { concurrency: 4, orderBy: 'key' },
      )
      return async () => {
        await source.close()
        await processing
      }
    }
    const stopFirst = await member()
    await expect.poll(() => handled.length).toBeGreaterThan(200)
    const stopSecond = await member()
    await expect.poll(() => handled.length).toBeGreaterThan(1000)
    await stopFirst()
    await expect.poll(() => handled.length).toBe(3000)
    await stopSecond()
    expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, i) => i))
  })

  test('what a handler throws ends the call, and its record comes again', async () => {
    const topic = await bed().create({ partitions: 1 })
    const group = uniqueName('group')
    await bed().write(topic, numbered(50))
    await using source = sourceOf(topic, group, { untilEnd: true })
    const failure = new Error('no more')
    await expect(
      source.process(({ value }) => {
        if (Number(value) === 20) throw failure
      }),
    ).rejects.toBe(failure)
    // The same source goes on with the record that failed.
    const again: number[] = []
    await source.process(({ value }) => void again.push(Number(value)))
    expect(again).toEqual(Array.from({ length: 30 }, (_, i) => i + 20))
    await source.close()
    expect(await committed(topic, group)).toBe(50)
  })

  test('tries again at once, and skips what fails for good, with onError skip', async () => {
    const topic = await bed().create({ partitions: 1 })
    await bed().write(topic, numbered(5))
    const attempts: string[] = []
    await using source = sourceOf(topic, uniqueName('group'), { untilEnd: true })
    await source.process(
      ({ value }, { attempt }) => {
        attempts.push(`${value!.toString()}:${attempt}`)
        if (String(value) === '1' || (String(value) === '3' && attempt < 2)) throw new Error('not yet')
      },
      { retry: { attempts: 2, backoffMs: 1 }, onError: 'skip' },
    )
    expect(attempts).toEqual(['0:1', '1:1', '1:2', '1:3', '2:1', '3:1', '3:2', '4:1'])
  })

  test('sends failed records through retry topics, each after its delay, and in the end to a dead letter topic', async () => {
    const [topic, soon, later, dlq] = await Promise.all(Array.from({ length: 4 }, () => bed().create()))
    const group = uniqueName('group')
    await bed().write(topic!, [
      { key: 'a', value: 'good' },
      { key: 'b', value: 'second time', headers: [['trace', 'x']] },
      { key: 'c', value: 'never' },
    ])
    const attempts: { value: string; attempt: number; at: number; origin: string; topic: string }[] = []
    await using source = sourceOf(topic!, group, { untilEnd: true })
    await source.process(
      ({ value, topic: from }, { attempt, origin }) => {
        const text = String(value)
        attempts.push({
          value: text,
          attempt,
          at: performance.now(),
          origin: `${origin.topic}-${origin.partition}@${origin.offset}`,
          topic: from,
        })
        if (text === 'never' || (text === 'second time' && attempt === 1)) throw new Error(`${text} fails`)
      },
      {
        retry: {
          topics: [
            { topic: soon!, delayMs: 300 },
            { topic: later!, delayMs: 600 },
          ],
          deadLetter: dlq!,
        },
      },
    )
    expect(attempts.map(({ value, attempt, topic: from }) => [value, attempt, from])).toEqual([
      ['good', 1, topic],
      ['second time', 1, topic],
      ['never', 1, topic],
      ['second time', 2, soon],
      ['never', 2, soon],
      ['never', 3, later],
    ])
    const never = attempts.filter(({ value }) => value === 'never')
    expect(never[1]!.at - never[0]!.at).toBeGreaterThanOrEqual(290)
    expect(never[2]!.at - never[1]!.at).toBeGreaterThanOrEqual(590)
    expect(never.map(({ origin }) => origin)).toEqual(Array.from({ length: 3 }, () => `${topic}-0@2`))

    await using letters = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: dlq!, untilEnd: true })
    const found: ConsumerRecord[] = []
    for await (const record of letters) found.push(record)
    expect(found.length).toBe(1)
    expect(fromLetter(found[0]!)).toMatchObject({
      topic,
      partition: 0,
      offset: '2',
      record: { key: Buffer.from('c'), value: Buffer.from('never'), headers: [] },
      error: { code: 'HANDLER_FAILED', message: 'never fails' },
    })
  })

  test('a record that cannot be decoded goes to the dead letter topic at once, others are handled', async () => {
    const [topic, retry, dlq] = await Promise.all(Array.from({ length: 3 }, () => bed().create()))
    await bed().write(topic!, [{ value: '{"n":1}' }, { value: 'no JSON' }, { value: '{"n":3}' }])
    const seen: unknown[] = []
    await using source = new KafkaSource<Buffer, { n: number }>({
      bootstrapServers: bootstrapServers(),
      topics: topic!,
      groupId: uniqueName('group'),
      untilEnd: true,
      decode: { value: (bytes) => JSON.parse(bytes.toString()) as { n: number } },
    })
    await source.process(({ value }) => void seen.push(value!.n), {
      retry: { attempts: 3, topics: [{ topic: retry!, delayMs: 60_000 }], deadLetter: dlq! },
    })
    expect(seen).toEqual([1, 3])
    expect(await bed().values(dlq!)).toEqual([['no JSON']])
    expect(await bed().end(retry!)).toBe(0)
  })

  test.each<{ name: string; options: object; message: string }>([
    {
      name: 'no concurrency',
      options: { concurrency: 0 },
      message: 'concurrency must be a whole number of at least 1',
    },
    {
      name: 'a retry topic without a delay',
      options: { retry: { topics: ['again'] } },
      message: 'its name has no delay',
    },
    {
      name: 'two places for what fails',
      options: { onError: 'skip', retry: { deadLetter: 'dlq' } },
      message: 'Cannot use both onError "skip" and a dead letter topic',
    },
  ])('refuses $name', async ({ options, message }) => {
    await using source = sourceOf('t', 'g')
    await expect(source.process(() => {}, options)).rejects.toThrow(message)
  })
})
