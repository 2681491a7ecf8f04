import { afterEach, describe, expect, test } from 'vitest'
import type { Cluster } from '../../../../src/kafka/cluster/cluster.ts'
import { Fetcher, type FetcherOptions } from '../../../../src/kafka/consumer/fetching/fetcher.ts'
import type { ApiName } from '../../../../src/kafka/protocol/api-call.ts'
import { FETCH, type FetchRequest, type FetchResponse } from '../../../../src/kafka/protocol/fetch.ts'
import type { LeaderEpochAnswer } from '../../../../src/kafka/protocol/offset-for-leader-epoch.ts'
import type { OffsetForLeaderEpochRequest } from '../../../../src/protocol/messages/offset-for-leader-epoch.ts'
import { encodeRecordBatch } from '../../../support/encode-record-batch.ts'

const TOPIC = 't'
const KIB = 1024
const DEFAULTS: FetcherOptions = {
  isolation: 'read_uncommitted',
  checkCrcs: true,
  maxDecompressedBytes: 1_000_000,
  fetchMinBytes: 1,
  fetchMaxWaitMs: 500,
  fetchMaxBytes: 1024 * KIB,
  maxPartitionFetchBytes: 16 * KIB,
  bufferBytes: 96 * KIB,
  requestTimeoutMs: 30_000,
}

interface Asked {
  readonly broker: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly offsets: ReadonlyMap<number, number>
  readonly epochs: readonly number[]
  /** Answers; partitions that are not named bring nothing. */
  answer(records?: ReadonlyMap<number, Buffer>, replica?: number): void
}

/** Brokers that answer when the test says so; partition n is led by broker n % brokers. */
class Bed {
  readonly asked: Asked[] = []
  readonly warnings: string[] = []
  leaderEpoch = 1
  readonly metadataMaxAgeMs = 30
  readonly leaders: (number | undefined)[] = Array.from({ length: 10 })
  /** How often leaders and topics were looked up. */
  lookUps = 0
  refreshes = 0
  readonly fetcher: Fetcher
  readonly #cluster: { metadataVersion: number; readonly [name: string]: unknown }

  constructor(brokers: number, options: Partial<FetcherOptions> = {}) {
    this.#cluster = {
      metadataVersion: 0,
      backoff: { initialMs: 5, maxMs: 40 },
      cachedTopic: () => {
        this.lookUps++
        return undefined
      },
      leader: (_topic: string, partition: number) => {
        this.lookUps++
        return this.leaders[partition] ?? partition % brokers
      },
      leaderEpoch: () => this.leaderEpoch,
      metadataMaxAgeMs: this.metadataMaxAgeMs,
      addressOf: (broker: number) => `k${broker}:9092`,
      refresh: async () => {
        this.refreshes++
      },
      request: (broker: number, call: ApiName, write: () => unknown) =>
        call.key === FETCH.key
          ? this.#fetch(broker, write() as FetchRequest)
          : this.#checkEpochs(broker, write() as OffsetForLeaderEpochRequest),
    }
    this.fetcher = new Fetcher(
      this.#cluster as unknown as Cluster,
      { ...DEFAULTS, ...options },
      {
        onPositionLost: async (_topic, _partition, position, divergesAt) => divergesAt ?? position,
        onMoved: (_topic, partition, position) => this.moved.push([partition, position]),
        warn: (message) => this.warnings.push(message),
      },
    )
  }

  /** Where the logs of leaders of earlier epochs ended. */
  endOfEpochs = 1000
  readonly checks: unknown[] = []
  readonly moved: unknown[] = []

  #fetch(broker: number, { topics, maxBytes, maxWaitMs }: FetchRequest): Promise<FetchResponse> {
    return new Promise((resolve) => {
      const named = topics.flatMap(({ partitions }) => partitions)
      const offsets = new Map(named.map(({ partition, offset }) => [partition, offset]))
      const epochs = named.map(({ leaderEpoch }) => leaderEpoch)
      const answer: Asked['answer'] = (records, replica) => resolve(answerOf(offsets, records, replica))
      this.asked.push({ broker, maxBytes, maxWaitMs, offsets, epochs, answer })
    })
  }

  async #checkEpochs(broker: number, { topics }: OffsetForLeaderEpochRequest): Promise<LeaderEpochAnswer> {
    this.checks.push([broker, ...topics.flatMap(({ partitions }) => partitions)])
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, leaderEpoch }) => ({
          errorCode: 0,
          partition,
          leaderEpoch,
          endOffset: this.endOfEpochs,
        })),
      })),
    }
  }

  /** As the cluster does when it learns of new leaders. */
  elect(leader: number, leaderEpoch: number): void {
    this.leaders.fill(leader)
    this.leaderEpoch = leaderEpoch
    this.#cluster.metadataVersion++
  }

  /** Requests since the last call, when everything that was due has been sent. */
  async requests(): Promise<Asked[]> {
    await new Promise((resolve) => setImmediate(resolve))
    return this.asked.splice(0)
  }

  async request(): Promise<Asked> {
    const requests = await this.requests()
    expect(requests).toHaveLength(1)
    return requests[0]!
  }

  add(count: number): void {
    for (let partition = 0; partition < count; partition++) this.fetcher.add(TOPIC, partition, 0)
  }
}

function answerOf(
  asked: ReadonlyMap<number, number>,
  records: ReadonlyMap<number, Buffer> = new Map(),
  preferredReadReplica = -1,
): FetchResponse {
  const partitions = [...asked.keys()].map((partition) => ({
    partition,
    errorCode: 0,
    highWatermark: 9,
    lastStableOffset: 9,
    logStartOffset: 0,
    aborted: [],
    preferredReadReplica,
    leader: undefined,
    records: records.get(partition),
  }))
  return { errorCode: 0, sessionId: 0, topics: [{ topic: TOPIC, partitions }] }
}

/** One record batch of about so many bytes. */
function batch(baseOffset: number, size = 10): Buffer {
  return encodeRecordBatch({ records: [{ value: Buffer.alloc(size) }], baseOffset, leaderEpoch: 1 })
}

describe('fetcher', () => {
  const open: Fetcher[] = []
  const bedOf = (brokers: number, options?: Partial<FetcherOptions>): Bed => {
    const bed = new Bed(brokers, options)
    open.push(bed.fetcher)
    return bed
  }
  afterEach(() => {
    for (const fetcher of open.splice(0)) fetcher.close()
  })

  // It named one partition, so that a broker waited for that one while the others had records.
  test('names all partitions in the first request to each broker', async () => {
    const bed = bedOf(2)
    bed.add(7)
    const requests = await bed.requests()
    expect(requests.map(({ broker, offsets }) => [broker, [...offsets.keys()]])).toEqual([
      [0, [0, 2, 4, 6]],
      [1, [1, 3, 5]],
    ])
  })

  // The first brokers reserved all of the memory and waited for records; the others were never asked.
  test('asks every broker, each for its share of the memory', async () => {
    const bed = bedOf(3)
    bed.add(96)
    const requests = await bed.requests()
    expect(requests.map(({ broker, maxBytes, offsets }) => [broker, maxBytes, offsets.size])).toEqual([
      [0, 32 * KIB, 32],
      [1, 32 * KIB, 32],
      [2, 32 * KIB, 32],
    ])
  })

  test('asks a broker whose records are taken while those of another are not', async () => {
    const bed = bedOf(2, { bufferBytes: 64 * KIB })
    bed.add(4)
    const [first, second] = await bed.requests()
    first!.answer(
      new Map([
        [0, batch(0, 16 * KIB)],
        [2, batch(0, 15 * KIB)],
      ]),
    )
    expect(await bed.requests()).toEqual([])
    second!.answer(new Map([[1, batch(0)]]))
    expect((await bed.request()).broker).toBe(1)
  })

  test('names those first that got nothing, and those last that got something', async () => {
    const bed = bedOf(1)
    bed.add(3)
    const first = await bed.request()
    first.answer(new Map([[0, batch(0)]]))
    const second = await bed.request()
    expect([...second.offsets]).toEqual([
      [1, 0],
      [2, 0],
      [0, 1],
    ])
  })

  test('does not let a broker wait long while partitions of it are full', async () => {
    const bed = bedOf(1, { maxPartitionFetchBytes: KIB })
    bed.add(2)
    const first = await bed.request()
    expect(first.maxWaitMs).toBe(500)
    first.answer(new Map([[0, batch(0, 3 * KIB)]]))
    const second = await bed.request()
    expect([[...second.offsets.keys()], second.maxWaitMs]).toEqual([[1], 5])
    second.answer()
    const third = await bed.request()
    expect([[...third.offsets.keys()], third.maxWaitMs]).toEqual([[1], 10])
    bed.fetcher.take()
    third.answer()
    const fourth = await bed.request()
    expect([[...fourth.offsets.keys()], fourth.maxWaitMs]).toEqual([[0, 1], 500])
  })

  // What paused partitions held filled the memory, and the others were never asked again.
  test('asks for other partitions however much of paused ones is there', async () => {
    const bed = bedOf(1, { bufferBytes: 32 * KIB })
    bed.add(3)
    const first = await bed.request()
    first.answer(
      new Map([
        [0, batch(0, 15 * KIB)],
        [1, batch(0, 15 * KIB)],
      ]),
    )
    expect(await bed.requests()).toEqual([])
    bed.fetcher.pause(TOPIC, 0)
    bed.fetcher.pause(TOPIC, 1)
    expect([...(await bed.request()).offsets.keys()]).toEqual([2])
    expect(bed.fetcher.take()).toBe(undefined)
  })

  test('keeps little of paused partitions, and fetches the rest again', async () => {
    const bed = bedOf(1, { bufferBytes: 32 * KIB })
    bed.add(2)
    const first = await bed.request()
    first.answer(
      new Map([
        [0, batch(0, 6 * KIB)],
        [1, Buffer.concat([batch(0, 5 * KIB), batch(1, 5 * KIB)])],
      ]),
    )
    const second = await bed.request()
    expect(bed.fetcher.take()).toMatchObject({ partition: 0 })
    expect(bed.fetcher.take()).toMatchObject({ partition: 1, nextOffset: 2 })
    second.answer(
      new Map([
        [0, batch(1, 6 * KIB)],
        [1, Buffer.concat([batch(2, 5 * KIB), batch(3, 5 * KIB)])],
      ]),
    )
    const third = await bed.request()
    bed.fetcher.pause(TOPIC, 0)
    bed.fetcher.pause(TOPIC, 1)
    // What is on its way to a partition that starts again elsewhere does not count.
    third.answer(new Map([[1, batch(4)]]))
    expect(await bed.requests()).toEqual([])
    bed.fetcher.resume(TOPIC, 0)
    bed.fetcher.resume(TOPIC, 1)
    expect(bed.fetcher.take()).toMatchObject({ partition: 0, nextOffset: 2 })
    expect(bed.fetcher.take()).toBe(undefined)
    expect([...(await bed.request()).offsets]).toEqual([
      [0, 2],
      [1, 2],
    ])
  })

  // It was asked for again at once, 800 times a second.
  test('waits before it asks again for what came without a whole record batch', async () => {
    const bed = bedOf(1)
    bed.add(1)
    const broken = new Map([[0, batch(0).subarray(0, 40)]])
    const begun = performance.now()
    for (let count = 0; count < 5; count++) {
      await expect.poll(() => bed.asked.length, { interval: 1 }).toBe(1)
      bed.asked.shift()!.answer(broken)
    }
    await expect.poll(() => bed.asked.length, { interval: 1 }).toBe(1)
    // 5, 10, 20, 40 and 40 ms, each less up to a fifth.
    expect(performance.now() - begun).toBeGreaterThan(90)
    expect(bed.refreshes).toBe(5)
  })

  // An answer looked at all partitions for each of them: 315 ms of CPU at 10,000 partitions.
  test.each([1000, 10_000])('works in proportion to %d partitions', async (count) => {
    const bed = bedOf(1)
    bed.add(count)
    let request = await bed.request()
    expect(request.offsets.size).toBe(count)
    bed.lookUps = 0
    const before = process.cpuUsage()
    for (let answers = 0; answers < 3; answers++) {
      request.answer()
      request = await bed.request()
    }
    const { user, system } = process.cpuUsage(before)
    expect(bed.lookUps).toBeLessThan(3 * count * 4)
    // Microseconds of CPU per answer and partition: about 1; it was 30 at 10,000 partitions.
    expect((user + system) / 3 / count).toBeLessThan(15)
  })

  test('looks at nothing but the partition of an event', async () => {
    const bed = bedOf(1)
    bed.add(1000)
    await bed.requests()
    bed.lookUps = 0
    bed.fetcher.pause(TOPIC, 3)
    bed.fetcher.resume(TOPIC, 3)
    bed.fetcher.remove(TOPIC, 4)
    bed.fetcher.add(TOPIC, 4, 7)
    await bed.requests()
    expect(bed.lookUps).toBeLessThan(10)
  })

  // A consumer stayed with it for ever, even when it was no replica any more.
  test('reads from the closest replica that the leader named, and asks the leader again when that is old', async () => {
    const bed = bedOf(1)
    bed.add(1)
    const leader = await bed.request()
    leader.answer(undefined, 7)
    const replica = await bed.request()
    expect([leader.broker, replica.broker]).toEqual([0, 7])
    await new Promise((resolve) => setTimeout(resolve, bed.metadataMaxAgeMs + 5))
    replica.answer()
    expect((await bed.request()).broker).toBe(0)
  })

  // Nothing told a broker that it was no longer the leader: 20 requests to the old one in 10 s, and none to the new one.
  describe('when another broker becomes leader', () => {
    test('names the epoch, asks whether the position is still there, and continues with the new leader', async () => {
      const bed = bedOf(2)
      bed.add(1)
      const first = await bed.request()
      expect([first.broker, first.epochs]).toEqual([0, [1]])
      first.answer(new Map([[0, batch(0)]]))
      await bed.request().then((second) => {
        bed.elect(1, 2)
        second.answer()
      })
      const third = await bed.request()
      expect([third.broker, third.epochs, [...third.offsets]]).toEqual([1, [2], [[0, 1]]])
      expect(bed.checks).toEqual([[1, { partition: 0, currentLeaderEpoch: 2, leaderEpoch: 1 }]])
      expect(bed.moved).toEqual([])
    })

    test('asks once for all partitions, and not for those that were never read', async () => {
      const bed = bedOf(1)
      bed.add(3)
      const first = await bed.request()
      first.answer(
        new Map([
          [0, batch(0)],
          [2, batch(0)],
        ]),
      )
      const second = await bed.request()
      bed.elect(0, 2)
      second.answer()
      await bed.requests()
      expect(bed.checks).toEqual([
        [
          0,
          { partition: 0, currentLeaderEpoch: 2, leaderEpoch: 1 },
          { partition: 2, currentLeaderEpoch: 2, leaderEpoch: 1 },
        ],
      ])
    })

    // What the new leader has from there on are other records: 1,000 of 2,500 were passed over without a word.
    test('continues where the logs diverge, after what was read before', async () => {
      const bed = bedOf(1)
      bed.endOfEpochs = 3
      bed.fetcher.add(TOPIC, 0, 5, 1)
      const first = await bed.request()
      bed.elect(0, 2)
      first.answer(new Map([[0, batch(5)]]))
      expect(await bed.requests()).toEqual([])
      expect(bed.moved).toEqual([])
      expect(bed.fetcher.take()).toMatchObject({ nextOffset: 6, leaderEpoch: 1 })
      expect([...(await bed.request()).offsets]).toEqual([[0, 3]])
      expect(bed.moved).toEqual([[0, 3]])
    })

    test('begins with that when what was committed is of an earlier epoch', async () => {
      const bed = bedOf(1)
      bed.leaderEpoch = 4
      bed.endOfEpochs = 8
      bed.fetcher.add(TOPIC, 0, 20, 3)
      expect([...(await bed.request()).offsets]).toEqual([[0, 8]])
      expect(bed.checks).toEqual([[0, { partition: 0, currentLeaderEpoch: 4, leaderEpoch: 3 }]])
    })
  })
})
