import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RunResult } from '../../../src/engine/plan.ts'
import type { ProducerRecord } from '../../../src/records/record.ts'
import { brokerAvailable, ownBroker, uniqueName } from '../../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../../support/pipelines.ts'
import { readTopic, type ReadRecord } from '../../support/read-topic.ts'
import { topicBed } from '../../support/topics.ts'

const STAGES = [{ $match: { kind: { $ne: 'ignored' } } }, { $replaceWith: '$order' }]
const LARGE = 'x'.repeat(6000)

/** Every hundredth value is no JSON; and two make a stage throw, one is too large for the output. */
function orders(count: number): ProducerRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const value =
      i % 100 === 50
        ? '{"order":'
        : i === 13
          ? '{"order":null}'
          : i === 17
            ? '{"kind":"empty"}'
            : `{"order":{"id":${i}${i === 19 ? `,"text":"${LARGE}"` : ''}}}`
    return { key: `k${i}`, value, headers: [['n', String(i)]] }
  })
}

const idOf = ({ value }: ReadRecord): number => (JSON.parse(String(value)) as { id: number }).id
const header = ({ headers }: ReadRecord, name: string): string | null | undefined =>
  headers.find(([found]) => found === `__millrace.errors.${name}`)?.[1]

const COUNT = 1000
const FAILED = [13, 17, 19, ...Array.from({ length: 10 }, (_, i) => 50 + 100 * i)]
const COUNTS = { DECODE_FAILED: 10, STAGE_FAILED: 2, RECORD_TOO_LARGE: 1 }
const REST = Array.from({ length: COUNT }, (_, i) => i).filter((i) => !FAILED.includes(i))

describe.skipIf(!brokerAvailable)('an error policy', () => {
  const bed = topicBed()
  const output = (): Promise<string> => bed().create({ configs: { 'max.message.bytes': '5000' } })

  /** Offset up to which a group has committed, per partition. */
  async function committed(groupId: string): Promise<number> {
    const [first] = await bed().groups.committedOffsets(groupId)
    return first?.offset ?? 0
  }

  test.each([
    { policy: 'skip', name: 'skip' },
    { policy: { type: 'retry', maxRetries: 2, initialBackoff: 1, onExhausted: 'skip' }, name: 'retry, then skip' },
  ])('$name leaves out what fails and nothing else, in order, and counts it', async ({ policy }) => {
    const [from, to, groupId] = [await bed().create(), await output(), uniqueName('group')]
    await bed().write(from, orders(COUNT))
    const result = await runHere({
      source: fromTopic(from, { groupId }),
      stages: STAGES,
      sink: toTopic(to),
      errorPolicy: policy,
    })
    expect(result.errors).toEqual({ skipped: COUNTS, deadLettered: {}, retried: {} })
    expect(result).toMatchObject({ read: { records: COUNT }, written: { records: REST.length } })
    expect((await readTopic(bed().cluster, to)).records.map(idOf)).toEqual(REST)
    expect(await committed(groupId)).toBe(COUNT)
  })

  test('deadLetter keeps what fails as it was read, with where it came from and why it failed', async () => {
    const [from, to, dead, groupId] = [await bed().create(), await output(), await bed().create(), uniqueName('group')]
    await bed().write(from, orders(COUNT))
    const result = await runHere({
      source: fromTopic(from, { groupId }),
      stages: STAGES,
      sink: toTopic(to),
      errorPolicy: { deadLetter: { topic: dead } },
    })
    expect(result.errors).toEqual({ skipped: {}, deadLettered: COUNTS, retried: {} })
    expect((await readTopic(bed().cluster, to)).records.map(idOf)).toEqual(REST)
    expect(await committed(groupId)).toBe(COUNT)

    const letters = (await readTopic(bed().cluster, dead)).records.toSorted(
      (a, b) => Number(header(a, 'offset')) - Number(header(b, 'offset')),
    )
    const originals = (await readTopic(bed().cluster, from)).records
    expect(letters.map((letter) => Number(header(letter, 'offset')))).toEqual(FAILED.toSorted((a, b) => a - b))
    for (const letter of letters) {
      const original = originals[Number(header(letter, 'offset'))]!
      expect([letter.key, letter.value, letter.headers[0]]).toEqual([original.key, original.value, original.headers[0]])
      expect([
        header(letter, 'topic'),
        header(letter, 'partition'),
        header(letter, 'timestamp'),
        header(letter, 'pipeline'),
        header(letter, 'attempts'),
      ]).toEqual([from, '0', String(original.timestampMs), 'test', '1'])
    }
    const reasons = new Map(
      letters.map((letter) => [header(letter, 'offset'), `${header(letter, 'code')} ${header(letter, 'component')}`]),
    )
    expect([reasons.get('13'), reasons.get('17'), reasons.get('19'), reasons.get('50')]).toEqual([
      'STAGE_FAILED $replaceWith',
      'STAGE_FAILED $replaceWith',
      'RECORD_TOO_LARGE kafka',
      'DECODE_FAILED json',
    ])
  })

  test('deadLetter writes a file, too', async () => {
    const [from, to] = [await bed().create(), await output()]
    const path = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'dead.jsonl')
    await bed().write(from, orders(100))
    await runHere({
      source: fromTopic(from),
      stages: STAGES,
      sink: toTopic(to),
      errorPolicy: { deadLetter: { type: 'file', options: { path } } },
    })
    const letters = (await readFile(path, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { offset: number; value: string; error: { code: string } })
    expect(
      letters.map(({ offset, error }) => [offset, error.code]).toSorted((a, b) => Number(a[0]) - Number(b[0])),
    ).toEqual([
      [13, 'STAGE_FAILED'],
      [17, 'STAGE_FAILED'],
      [19, 'RECORD_TOO_LARGE'],
      [50, 'DECODE_FAILED'],
    ])
  })

  test('stops the run when a dead letter cannot be written, and commits nothing behind what it is about (I1)', async () => {
    const [from, to, groupId] = [await bed().create(), await output(), uniqueName('group')]
    const dead = await bed().create({ configs: { 'max.message.bytes': '5000' } })
    await bed().write(from, orders(COUNT))
    const run = runHere({
      source: fromTopic(from, { groupId }),
      stages: [],
      sink: toTopic(to),
      errorPolicy: { deadLetter: dead },
    })
    await expect(run).rejects.toMatchObject({ code: 'DEAD_LETTER_FAILED', topic: from, offset: 19n })
    expect(await committed(groupId)).toBeLessThanOrEqual(19)
  })

  test('says that the topic of dead letters is missing before anything is read', async () => {
    const [from, to] = [await bed().create(), await output()]
    await bed().write(from, orders(10))
    await expect(
      runHere({ source: fromTopic(from), sink: toTopic(to), errorPolicy: { deadLetter: 'no-such-dead' } }),
    ).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND', topic: 'no-such-dead' })
    expect((await readTopic(bed().cluster, to)).records).toEqual([])
  })

  describe('with records that the broker refuses', () => {
    const late = Date.now() + 48 * 3600 * 1000
    test.each([
      { name: 'for want of a key', from: {}, to: { 'cleanup.policy': 'compact' }, bad: { value: '{"bad":1}' } },
      {
        name: 'for a time too far ahead',
        from: { 'message.timestamp.after.max.ms': '9223372036854775807' },
        to: { 'message.timestamp.after.max.ms': '3600000' },
        bad: { key: 'bad', value: '{"bad":1}', timestampMs: late },
      },
    ])('$name, writes the others of their record batch', async ({ from: fromConfigs, to: toConfigs, bad }) => {
      const [from, to, dead] = [
        await bed().create({ configs: fromConfigs }),
        await bed().create({ configs: toConfigs }),
        await bed().create(),
      ]
      const good = Array.from({ length: 50 }, (_, i): ProducerRecord => ({ key: `k${i}`, value: `{"id":${i}}` }))
      await bed().write(from, [...good.slice(0, 20), bad, ...good.slice(20)])
      const result = await runHere({
        source: fromTopic(from),
        stages: [{ $match: {} }],
        sink: toTopic(to),
        errorPolicy: { deadLetter: dead },
      })
      expect((await readTopic(bed().cluster, to)).records.map(idOf)).toEqual(good.map((_, i) => i))
      expect(result.errors.deadLettered).toEqual({ DELIVERY_FAILED: 1 })
      expect((await readTopic(bed().cluster, dead)).records.map(({ value }) => String(value))).toEqual(['{"bad":1}'])
    })
  })
})

describe.skipIf(!brokerAvailable)('a circuit breaker', () => {
  const there = ownBroker()
  const here = topicBed()
  const outside = topicBed(() => there().bootstrapServers)

  test('pauses the run while an output broker is down, and continues when it is back, without a rebalance', async () => {
    const [from, to, groupId] = [await here().create(), await outside().create(), uniqueName('group')]
    const values = (start: number): ProducerRecord[] =>
      Array.from({ length: 500 }, (_, i) => ({ value: `{"id":${start + i}}` }))
    await here().write(from, values(0))
    const stop = new AbortController()
    const states: string[] = []
    const running = runHere(
      {
        source: fromTopic(from, { groupId, 'session.timeout.ms': 4000, 'heartbeat.interval.ms': 300 }),
        stages: [{ $match: {} }],
        sink: toTopic(to, { bootstrapServers: there().bootstrapServers, flushTimeout: 500 }),
        circuitBreaker: { failureThreshold: 2, timeout: 300 },
      },
      { untilEnd: false, signal: stop.signal, warn: (message) => states.push(message) },
    )
    const arrived = async (): Promise<Set<number>> =>
      new Set((await readTopic(outside().cluster, to)).records.map(idOf))
    await expect.poll(async () => (await arrived()).size).toBe(500)
    there().brokers[0]!.pause()
    try {
      await here().write(from, values(500))
      // Longer than the session, in which the group would have noticed.
      const over = performance.now() + 5000
      await expect
        .poll(() => performance.now() > over && states.filter((state) => state.endsWith('open')).length)
        .toBeGreaterThan(2)
    } finally {
      there().brokers[0]!.resume()
    }
    await expect.poll(async () => (await arrived()).size).toBe(1000)
    await expect.poll(() => states.at(-1)).toMatch(/closed$/)
    stop.abort()
    const result: RunResult = await running
    expect(result.circuitBreaker).toMatchObject({ state: 'closed' })
    expect(result.circuitBreaker!.openings).toBeGreaterThan(1)
    expect((await here().groups.committedOffsets(groupId))[0]!.offset).toBe(1000)
    expect(states.filter((state) => state.includes('artitions'))).toEqual([])
  })

  // Every flushTimeout put another copy of the same records into the producer, and all of them were written in the end.
  test.each([
    {
      name: 'a retry',
      settings: { errorPolicy: { type: 'retry', maxRetries: 1000, initialBackoff: 10 } },
      attempts: 8,
    },
    { name: 'a circuit breaker', settings: { circuitBreaker: { failureThreshold: 2, timeout: 100 } }, attempts: 5 },
  ])(
    '$name writes each record once, however often the wait for the brokers was given up',
    async ({ settings, attempts }) => {
      const [from, to, groupId] = [await here().create(), await outside().create(), uniqueName('group')]
      const stop = new AbortController()
      let retried = 0
      const running = runHere(
        {
          source: fromTopic(from, { groupId }),
          stages: [{ $match: {} }],
          sink: toTopic(to, { bootstrapServers: there().bootstrapServers, flushTimeout: 500 }),
          ...settings,
        },
        {
          untilEnd: false,
          signal: stop.signal,
          onProgress: ({ errors }) => (retried = errors.retried.DELIVERY_TIMED_OUT ?? 0),
        },
      )
      running.catch(() => {})
      const ids = async (): Promise<number[]> => (await readTopic(outside().cluster, to)).records.map(idOf)
      await here().write(from, [{ value: '{"id":0}' }])
      await expect.poll(ids).toEqual([0])
      there().brokers[0]!.pause()
      try {
        for (let id = 1; id <= 20; id++) await here().write(from, [{ value: `{"id":${id}}` }])
        await expect.poll(() => retried).toBeGreaterThan(attempts)
      } finally {
        there().brokers[0]!.resume()
      }
      await expect.poll(async () => (await ids()).length).toBeGreaterThan(20)
      stop.abort()
      await running
      expect(await ids()).toEqual(Array.from({ length: 21 }, (_, id) => id))
    },
  )

  test('does not keep a run that is asked to stop, and nothing undelivered is committed (I1)', async () => {
    const [from, to, groupId] = [await here().create(), await outside().create(), uniqueName('group')]
    const stop = new AbortController()
    const states: string[] = []
    const running = runHere(
      {
        source: fromTopic(from, { groupId }),
        stages: [{ $match: {} }],
        sink: toTopic(to, { bootstrapServers: there().bootstrapServers, flushTimeout: 3000 }),
        circuitBreaker: { failureThreshold: 1, timeout: 600_000 },
      },
      { untilEnd: false, signal: stop.signal, warn: (message) => states.push(message) },
    )
    running.catch(() => {})
    await here().write(from, [{ value: '{"id":0}' }])
    const committed = async (): Promise<unknown> => (await here().groups.committedOffsets(groupId))[0]?.offset
    // That the record can be read says nothing of the run: its acknowledgement may still be on its way.
    await expect.poll(committed).toBe(1)
    there().brokers[0]!.pause()
    try {
      await here().write(from, [{ value: '{"id":1}' }])
      await expect.poll(() => states.filter((state) => state.endsWith('open')).length).toBe(1)
      stop.abort()
      await expect(running).rejects.toMatchObject({
        code: expect.stringMatching(/^(CIRCUIT_OPEN|DELIVERY_TIMED_OUT)$/),
      })
    } finally {
      there().brokers[0]!.resume()
    }
    expect(await committed()).toBe(1)
  })
})
