import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { ConnectionError } from '../../../../src/errors/index.ts'
import type { Cluster } from '../../../../src/kafka/cluster/cluster.ts'
import { Fetcher } from '../../../../src/kafka/consumer/fetching/fetcher.ts'
import type { FetchedPartition, FetchRequest, FetchResponse } from '../../../../src/kafka/protocol/fetch.ts'
import { encodeRecordBatch } from '../../../support/encode-record-batch.ts'

const TOPIC = 't'
const TOPIC_ID = '11111111-2222-3333-4444-555555555555'
const FETCH_SESSION_ID_NOT_FOUND = 70
const INVALID_FETCH_SESSION_EPOCH = 71
const NOT_LEADER_OR_FOLLOWER = 6

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Remembered {
  readonly offset: number
  isNew: boolean
}

/** A broker with one record batch per record, which keeps a session as KIP-227 says and takes offence at what Kafka would overlook. */
class SessionBroker {
  readonly requests: FetchRequest[] = []
  readonly logs = new Map<number, Buffer[]>()
  /** Partitions that it answers `NOT_LEADER_OR_FOLLOWER` for. */
  readonly moved = new Set<number>()
  keepsSessions = true
  /** Fails the next request so. */
  failure: Error | undefined
  #session: { id: number; epoch: number; readonly offsets: Map<number, Remembered> } | undefined
  #lastId = 0
  #waiting: (() => void) | undefined

  append(partition: number, size = 10): void {
    const log = this.logs.get(partition) ?? []
    this.logs.set(partition, log)
    log.push(encodeRecordBatch({ records: [{ value: Buffer.alloc(size) }], baseOffset: log.length, leaderEpoch: 1 }))
    this.answerWaiting()
  }

  /** Ends the wait of a request, as after `fetch.max.wait.ms`. */
  answerWaiting(): void {
    const answer = this.#waiting
    this.#waiting = undefined
    answer?.()
  }

  loseSession(): void {
    this.#session = undefined
  }

  skipEpoch(): void {
    if (this.#session !== undefined) this.#session.epoch++
  }

  async fetch(request: FetchRequest): Promise<FetchResponse> {
    this.requests.push(request)
    await turn()
    if (this.failure !== undefined) {
      const { failure } = this
      this.failure = undefined
      throw failure
    }
    const errorCode = this.#begin(request)
    if (errorCode !== 0) return { errorCode, sessionId: 0, topics: [] }
    const isFull = request.sessionEpoch === 0
    const { id, offsets } = this.#session!
    if (!isFull && this.#news(offsets, isFull).length === 0)
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    const partitions = this.#news(offsets, isFull)
    for (const { partition } of partitions) offsets.get(partition)!.isNew = false
    return { errorCode: 0, sessionId: id, topics: [{ topic: TOPIC_ID, partitions }] }
  }

  #begin({ sessionId, sessionEpoch, topics, forgotten }: FetchRequest): number {
    const named = topics.flatMap(({ partitions }) => partitions)
    const gone = forgotten.flatMap(({ partitions }) => partitions)
    expect(gone.filter((partition) => named.some((each) => each.partition === partition))).toEqual([])
    if (sessionEpoch === 0) {
      expect(gone).toEqual([])
      this.#session = { id: this.keepsSessions ? ++this.#lastId : 0, epoch: 1, offsets: new Map() }
    } else {
      if (this.#session?.id !== sessionId) return FETCH_SESSION_ID_NOT_FOUND
      if (this.#session.epoch !== sessionEpoch) return INVALID_FETCH_SESSION_EPOCH
      this.#session.epoch++
    }
    const { offsets } = this.#session
    for (const { partition, offset } of named)
      offsets.set(partition, { offset, isNew: offsets.get(partition)?.isNew ?? true })
    for (const partition of gone) expect(offsets.delete(partition)).toBe(true)
    return 0
  }

  #news(offsets: ReadonlyMap<number, Remembered>, isFull: boolean): FetchedPartition[] {
    return [...offsets].flatMap(([partition, { offset, isNew }]) => {
      const log = this.logs.get(partition) ?? []
      const batches = log.slice(offset, offset + 2)
      const hasMoved = this.moved.has(partition)
      if (!isFull && !isNew && batches.length === 0 && !hasMoved) return []
      return {
        partition,
        errorCode: hasMoved ? NOT_LEADER_OR_FOLLOWER : 0,
        highWatermark: log.length,
        lastStableOffset: log.length,
        logStartOffset: 0,
        aborted: [],
        preferredReadReplica: -1,
        leader: undefined,
        records: batches.length === 0 || hasMoved ? undefined : Buffer.concat(batches),
      }
    })
  }
}

const KIB = 1024

class Bed {
  readonly brokers = [new SessionBroker(), new SessionBroker()] as const
  readonly warnings: string[] = []
  readonly fetcher: Fetcher
  /** Offset after what was taken of each partition. */
  readonly taken = new Map<number, number>()
  leader = 0
  lookUps = 0
  refreshes = 0
  readonly #cluster: { metadataVersion: number; readonly [name: string]: unknown }

  constructor(bufferBytes = 1024 * KIB) {
    this.#cluster = {
      metadataVersion: 0,
      backoff: { initialMs: 2, maxMs: 4 },
      metadataMaxAgeMs: 60_000,
      cachedTopic: () => {
        this.lookUps++
        return { id: TOPIC_ID }
      },
      leader: () => this.leader,
      leaderEpoch: () => 1,
      addressOf: (broker: number) => `k${broker}:9092`,
      refresh: async () => void this.refreshes++,
      request: (broker: 0 | 1, _call: unknown, args: () => FetchRequest) => this.brokers[broker].fetch(args()),
    }
    this.fetcher = new Fetcher(
      this.#cluster as unknown as Cluster,
      {
        isolation: 'read_uncommitted',
        checkCrcs: true,
        maxDecompressedBytes: 1_000_000,
        fetchMinBytes: 1,
        fetchMaxWaitMs: 500,
        fetchMaxBytes: 1024 * KIB,
        maxPartitionFetchBytes: KIB,
        bufferBytes,
        requestTimeoutMs: 30_000,
      },
      {
        onPositionLost: async () => expect.unreachable(),
        onMoved: () => expect.unreachable(),
        warn: (message) => this.warnings.push(message),
      },
    )
  }

  elect(leader: number): void {
    this.leader = leader
    this.#cluster.metadataVersion++
  }

  add(...partitions: number[]): void {
    for (const partition of partitions) this.fetcher.add(TOPIC, partition, this.taken.get(partition) ?? 0)
  }

  /** Takes what is there, which must continue what was taken before. */
  take(): boolean {
    const slice = this.fetcher.take()
    if (slice === undefined) return false
    const expected = this.taken.get(slice.partition) ?? 0
    expect([slice.partition, slice.records!.firstOffset]).toEqual([slice.partition, expected])
    this.taken.set(slice.partition, slice.nextOffset)
    return true
  }

  /** What the requests to a broker since the last call named, forgot, and which session they belong to. */
  async requests(broker: 0 | 1 = 0): Promise<{ named: number[][]; forgotten: number[]; session: number[] }[]> {
    for (let turns = 0; turns < 4; turns++) await turn()
    return this.brokers[broker].requests.splice(0).map(({ topics, forgotten, sessionId, sessionEpoch }) => ({
      named: topics.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, offset])),
      forgotten: forgotten.flatMap(({ partitions }) => [...partitions]),
      session: [sessionId, sessionEpoch],
    }))
  }
}

describe('a fetch session', () => {
  const open: Fetcher[] = []
  const bedOf = (bufferBytes?: number): Bed => {
    const bed = new Bed(bufferBytes)
    open.push(bed.fetcher)
    return bed
  }
  afterEach(() => {
    for (const fetcher of open.splice(0)) fetcher.close()
  })

  test('names everything once, and then what has changed', async () => {
    const bed = bedOf()
    bed.add(0, 1, 2)
    expect(await bed.requests()).toEqual([
      {
        named: [
          [0, 0],
          [1, 0],
          [2, 0],
        ],
        forgotten: [],
        session: [0, 0],
      },
      { named: [], forgotten: [], session: [1, 1] },
    ])
    bed.brokers[0].append(1)
    expect(await bed.requests()).toEqual([{ named: [[1, 1]], forgotten: [], session: [1, 2] }])
    bed.brokers[0].answerWaiting()
    expect(await bed.requests()).toEqual([{ named: [], forgotten: [], session: [1, 3] }])
    expect(bed.fetcher.logEnd(TOPIC, 1)).toBe(1)
  })

  test('works with a broker that keeps none', async () => {
    const bed = bedOf()
    bed.brokers[0].keepsSessions = false
    bed.add(0, 1)
    const [first, second] = await bed.requests()
    expect(second).toEqual(first)
  })

  // A broker keeps it for minutes otherwise, and has room for a thousand.
  test('is ended behind close, where there is one', async () => {
    const bed = bedOf()
    bed.add(0)
    await bed.requests()
    bed.fetcher.close()
    const ended = bed.fetcher.endSessions()
    expect(await bed.requests()).toEqual([{ named: [], forgotten: [], session: [1, -1] }])
    bed.brokers[0].answerWaiting()
    await ended
    const without = bedOf()
    without.brokers[0].keepsSessions = false
    without.add(0)
    await without.requests()
    without.fetcher.close()
    await without.fetcher.endSessions()
    expect(await without.requests()).toEqual([])
  })

  test('forgets a partition that has enough waiting, and names it when that is taken', async () => {
    const bed = bedOf()
    bed.brokers[0].append(0, 3 * KIB)
    bed.add(0, 1)
    expect((await bed.requests()).slice(1)).toEqual([{ named: [], forgotten: [0], session: [1, 1] }])
    bed.take()
    bed.brokers[0].answerWaiting()
    expect((await bed.requests())[0]).toEqual({ named: [[0, 1]], forgotten: [], session: [1, 2] })
  })

  test('forgets a partition that is paused meanwhile, and names it when it is resumed', async () => {
    const bed = bedOf()
    bed.add(0, 1)
    await bed.requests()
    bed.fetcher.pause(TOPIC, 0)
    bed.brokers[0].answerWaiting()
    expect(await bed.requests()).toEqual([{ named: [], forgotten: [0], session: [1, 2] }])
    bed.fetcher.resume(TOPIC, 0)
    bed.brokers[0].answerWaiting()
    expect((await bed.requests())[0]).toEqual({ named: [[0, 0]], forgotten: [], session: [1, 3] })
  })

  test('names a partition that was removed and added again elsewhere, without forgetting it', async () => {
    const bed = bedOf()
    bed.add(0, 1)
    await bed.requests()
    bed.fetcher.remove(TOPIC, 0)
    bed.fetcher.add(TOPIC, 0, 7)
    bed.fetcher.remove(TOPIC, 1)
    bed.brokers[0].answerWaiting()
    expect(await bed.requests()).toEqual([{ named: [[0, 7]], forgotten: [1], session: [1, 2] }])
  })

  test.each([
    { name: 'that the broker no longer has', lose: (broker: SessionBroker) => broker.loseSession(), session: [0, 0] },
    { name: 'whose epoch is another', lose: (broker: SessionBroker) => broker.skipEpoch(), session: [1, 0] },
  ])('$name is begun again at once', async ({ lose, session }) => {
    const bed = bedOf()
    bed.add(0, 1)
    await bed.requests()
    lose(bed.brokers[0])
    bed.brokers[0].append(1)
    const requests = await bed.requests()
    expect(requests.find((each) => each.session[1] === 0)).toEqual({
      named: [
        [0, 0],
        [1, 1],
      ],
      forgotten: [],
      session,
    })
    bed.brokers[0].append(0)
    await bed.requests()
    while (bed.take());
    expect([...bed.taken]).toEqual([
      [1, 1],
      [0, 1],
    ])
    expect([bed.refreshes, bed.warnings]).toEqual([0, []])
  })

  test('begins again after a request that failed', async () => {
    const bed = bedOf()
    bed.add(0, 1)
    await bed.requests()
    bed.brokers[0].failure = new ConnectionError('BROKER_DISCONNECTED', 'gone')
    bed.brokers[0].append(0)
    await expect.poll(() => bed.refreshes).toBe(1)
    const requests = await bed.requests()
    expect(requests.find((each) => each.session[1] === 0)).toEqual({
      named: [
        [1, 0],
        [0, 1],
      ],
      forgotten: [],
      session: [1, 0],
    })
  })

  test('ends at a broker that is no longer the leader, and partitions without news follow to the new one', async () => {
    const bed = bedOf()
    bed.add(0, 1)
    await bed.requests()
    bed.elect(1)
    bed.brokers[0].answerWaiting()
    const [first] = await bed.requests(1)
    expect(first!.named).toEqual([
      [0, 0],
      [1, 0],
    ])
    expect(await bed.requests(0)).toEqual([])
    bed.brokers[1].append(1)
    await bed.requests(1)
    expect(bed.take()).toBe(true)
  })

  test('asks for what one partition failed with again, and the others go on', async () => {
    const bed = bedOf()
    bed.add(0, 1)
    await bed.requests()
    bed.brokers[0].moved.add(0)
    bed.brokers[0].answerWaiting()
    const [next] = await bed.requests()
    expect(next).toMatchObject({ named: [], forgotten: [0] })
    bed.brokers[0].moved.clear()
    bed.brokers[0].append(1)
    await expect.poll(() => bed.take()).toBe(true)
    await expect.poll(() => bed.refreshes).toBe(1)
    bed.brokers[0].append(0)
    await expect.poll(() => bed.take()).toBe(true)
  })

  // What a paused partition held was dropped, and the broker waited for news of where it had been.
  test('goes back to where a partition was dropped while a request was under way', async () => {
    const bed = bedOf(4 * KIB)
    bed.add(0, 1)
    await bed.requests()
    bed.brokers[0].append(0, 1800)
    // A request under way that asks for what follows.
    await bed.requests()
    bed.fetcher.pause(TOPIC, 0)
    expect(bed.fetcher.bufferedBytes).toBeLessThan(4 * KIB)
    bed.fetcher.resume(TOPIC, 0)
    expect(bed.take()).toBe(false)
    bed.brokers[0].answerWaiting()
    await expect.poll(() => bed.take()).toBe(true)
    expect(bed.taken.get(0)).toBe(1)
  })

  // It cost as much as all partitions, for each answer.
  test.each([100, 10_000])('looks at one partition when one of %d has news', async (count) => {
    const bed = bedOf()
    bed.add(...Array.from({ length: count }, (_, partition) => partition))
    await bed.requests()
    bed.lookUps = 0
    for (let round = 0; round < 10; round++) {
      bed.brokers[0].append(round)
      await bed.requests()
      while (bed.take());
    }
    expect(bed.taken.size).toBe(10)
    expect(bed.lookUps).toBeLessThan(100)
  })

  test('delivers each record once and in order, whatever happens meanwhile', async () => {
    const PARTITIONS = 4
    const step = fc.record({
      action: fc.constantFrom(
        'append',
        'append',
        'append',
        'take',
        'take',
        'turn',
        'pause',
        'resume',
        'again',
        'lose',
        'skip',
        'fail',
        'elect',
        'answer',
      ),
      partition: fc.nat({ max: PARTITIONS - 1 }),
      size: fc.constantFrom(10, 10, 1500),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 120 }),
        fc.constantFrom(5 * KIB, 1024 * KIB),
        async (steps, bufferBytes) => {
          const bed = new Bed(bufferBytes)
          // Both brokers have the same log.
          for (let p = 0; p < PARTITIONS; p++) {
            const log: Buffer[] = []
            for (const broker of bed.brokers) broker.logs.set(p, log)
          }
          const all = Array.from({ length: PARTITIONS }, (_, partition) => partition)
          bed.add(...all)
          try {
            for (const { action, partition, size } of steps) {
              const [broker, other] = bed.leader === 0 ? bed.brokers : [bed.brokers[1], bed.brokers[0]]
              if (action === 'append') {
                broker.append(partition, size)
                other.answerWaiting()
              } else if (action === 'take') bed.take()
              else if (action === 'turn') await turn()
              else if (action === 'pause') bed.fetcher.pause(TOPIC, partition)
              else if (action === 'resume') bed.fetcher.resume(TOPIC, partition)
              else if (action === 'again') bed.add(partition)
              else if (action === 'lose') broker.loseSession()
              else if (action === 'skip') broker.skipEpoch()
              else if (action === 'fail') broker.failure = new ConnectionError('BROKER_DISCONNECTED', 'gone')
              else if (action === 'elect') bed.elect(1 - bed.leader)
              else broker.answerWaiting()
            }
            for (const partition of all) bed.fetcher.resume(TOPIC, partition)
            const isDone = (): boolean =>
              all.every((partition) => (bed.taken.get(partition) ?? 0) === bed.brokers[0].logs.get(partition)!.length)
            const deadline = performance.now() + 2000
            while (!isDone() && performance.now() < deadline) {
              while (bed.take());
              for (const broker of bed.brokers) broker.answerWaiting()
              await new Promise((resolve) => setTimeout(resolve, 1))
            }
            expect(isDone()).toBe(true)
          } finally {
            bed.fetcher.close()
          }
        },
      ),
      { numRuns: 150 },
    )
  })
})
