import { describe, expect, test } from 'vitest'
import type { Cluster } from '../../../../src/kafka/cluster/cluster.ts'
import { type AnswerOutcome, FetchAnswers } from '../../../../src/kafka/consumer/fetching/fetch-answers.ts'
import { FetchSession } from '../../../../src/kafka/consumer/fetching/fetch-session.ts'
import { FetchedPartitions } from '../../../../src/kafka/consumer/fetching/fetched-partitions.ts'
import type { PartitionFetch } from '../../../../src/kafka/consumer/fetching/partition-fetch.ts'
import type { FetchedPartition } from '../../../../src/kafka/protocol/fetch.ts'
import { encodeRecordBatch } from '../../../support/encode-record-batch.ts'

const TOPIC = 't'
const TOPIC_ID = '11111111-2222-3333-4444-555555555555'
const OFFSET_OUT_OF_RANGE = 1
const CORRUPT_MESSAGE = 2
const NOT_LEADER_OR_FOLLOWER = 6
const TOPIC_AUTHORIZATION_FAILED = 29
const FETCH_SESSION_TOPIC_ID_ERROR = 106
const UNKNOWN_SERVER_ERROR = -1

class Bed {
  readonly leaders: number[] = []
  readonly partitions = new FetchedPartitions({ onHeld() {}, onTaken() {} })
  readonly asked: readonly PartitionFetch[]
  readonly #answers: FetchAnswers
  readonly #session = new FetchSession()

  constructor(count = 2) {
    const cluster = {
      cachedTopic: () => ({ id: TOPIC_ID }),
      addressOf: (broker: number) => `k${broker}:9092`,
      metadataMaxAgeMs: 1000,
      updateLeader: (_topic: string, _partition: number, leader: number) => this.leaders.push(leader),
    } as unknown as Cluster
    this.#answers = new FetchAnswers(cluster, this.partitions, { checkCrcs: true, maxDecompressedBytes: 1 << 20 })
    for (let partition = 0; partition < count; partition++) this.partitions.add(TOPIC, partition, 5)
    this.asked = [...this.partitions.values()]
    this.ask()
  }

  ask(): void {
    for (const fetch of this.asked) fetch.on('ask')
    this.#session.next(this.asked, { topicId: () => TOPIC_ID, leaderEpoch: () => 4 }, 1000)
  }

  answer(...partitions: readonly Partial<FetchedPartition>[]): AnswerOutcome {
    return this.answerOf(TOPIC, ...partitions)
  }

  answerOf(topic: string, ...partitions: readonly Partial<FetchedPartition>[]): AnswerOutcome {
    const full = partitions.map((each, partition) => ({
      partition,
      errorCode: 0,
      highWatermark: 9,
      lastStableOffset: 8,
      logStartOffset: 0,
      aborted: [],
      preferredReadReplica: -1,
      leader: undefined,
      records: undefined,
      ...each,
    }))
    return this.#answers.apply({ errorCode: 0, sessionId: 0, topics: [{ topic, partitions: full }] }, this.#session)
  }

  failWith(errorCode: number): AnswerOutcome {
    return this.#answers.apply({ errorCode, sessionId: 0, topics: [] }, this.#session)
  }
}

const SLICE = { maxBytes: 1 << 20, maxPlainBytes: 1 << 20, maxRecords: 100 }
const records = (baseOffset = 5): Buffer =>
  encodeRecordBatch({ records: [{ value: Buffer.from('v') }, { value: Buffer.from('w') }], baseOffset })
const numbers = (fetches: readonly PartitionFetch[]): number[] => fetches.map(({ partition }) => partition)

describe('an answer to a fetch', () => {
  test('brings records, the ends of the log, and the next position', () => {
    const bed = new Bed()
    expect(bed.answer({ records: records() }, {})).toEqual({
      answered: bed.asked,
      hasReceived: true,
      toRetry: [],
      lost: [],
      error: undefined,
    })
    expect(bed.asked.map(({ position, state }) => [position, state])).toEqual([
      [7, 'idle'],
      [5, 'idle'],
    ])
    expect(bed.asked[0]).toMatchObject({ highWatermark: 9, lastStableOffset: 8 })
    expect(bed.partitions.take(SLICE)).toMatchObject({ partition: 0, nextOffset: 7 })
  })

  test('names topics by id from version 13 on', () => {
    expect(new Bed().answerOf(TOPIC_ID, { records: records() }).hasReceived).toBe(true)
    expect(new Bed().answerOf('another', { records: records() }).hasReceived).toBe(false)
  })

  // It was asked for again at once, 800 times a second.
  test.each([
    { name: 'a part of a record batch only', brought: records().subarray(0, 40) },
    { name: 'only record batches before the position', brought: records(0) },
  ])('with $name changes nothing, and is asked for again later', ({ brought }) => {
    const bed = new Bed()
    const outcome = bed.answer({ records: brought }, {})
    expect(outcome).toMatchObject({ hasReceived: false, error: undefined })
    expect(numbers(outcome.toRetry)).toEqual([0])
    expect(bed.asked[0]!.position).toBe(5)
  })

  test('that leaves a partition out has it asked for again later', () => {
    expect(numbers(new Bed().answer({ records: records() }).toRetry)).toEqual([1])
  })

  test('to an earlier position than the present one does not count', () => {
    const bed = new Bed(1)
    bed.asked[0]!.position = 3
    expect(bed.answer({ records: records() })).toMatchObject({ hasReceived: false, toRetry: [] })
    bed.ask()
    bed.asked[0]!.position = 2
    expect(bed.answer({ errorCode: OFFSET_OUT_OF_RANGE }).lost).toEqual([])
  })

  test('does not count for a partition that was removed meanwhile', () => {
    const bed = new Bed()
    bed.partitions.add(TOPIC, 0, 100)
    const outcome = bed.answer({ records: records() }, { errorCode: OFFSET_OUT_OF_RANGE })
    expect(outcome).toMatchObject({ hasReceived: false, error: undefined })
    expect(bed.partitions.get(TOPIC, 0)).toMatchObject({ position: 100, completed: [] })
  })

  test('names the closest replica, and a failure leads back to the leader', () => {
    const bed = new Bed(1)
    bed.answer({ preferredReadReplica: 4 })
    expect(bed.asked[0]!.replica).toBe(4)
    bed.ask()
    // A replica that lags behind does not have the position yet.
    expect(bed.answer({ errorCode: OFFSET_OUT_OF_RANGE })).toMatchObject({ lost: [], toRetry: [] })
    expect(bed.asked[0]!.replica).toBe(-1)
    bed.ask()
    expect(numbers(bed.answer({ errorCode: OFFSET_OUT_OF_RANGE }).lost)).toEqual([0])
  })

  test('with a code that waiting heals has the partition asked for again, and records a new leader', () => {
    const bed = new Bed()
    const outcome = bed.answer(
      { records: records() },
      { errorCode: NOT_LEADER_OR_FOLLOWER, leader: { id: 3, epoch: 1 } },
    )
    expect(outcome).toMatchObject({ hasReceived: true, error: undefined })
    expect(numbers(outcome.toRetry)).toEqual([1])
    expect(bed.leaders).toEqual([3])
  })

  // It ended the consumer; Java's tries again.
  test('that something unknown went wrong has the partition asked for again, and says so', () => {
    const bed = new Bed()
    const outcome = bed.answer({ records: records() }, { errorCode: UNKNOWN_SERVER_ERROR })
    expect(numbers(outcome.toRetry)).toEqual([1])
    expect(bed.asked[1]!.problem).toBe('k-1:9092 answers UNKNOWN_SERVER_ERROR')
  })

  test('with a code that ends reading fails, and the other partitions are read', () => {
    const bed = new Bed()
    const outcome = bed.answer({ records: records() }, { errorCode: TOPIC_AUTHORIZATION_FAILED })
    expect(outcome.hasReceived).toBe(true)
    expect(outcome.error).toMatchObject({
      message: expect.stringContaining('Cannot fetch partition 1 of topic "t"'),
      topic: TOPIC,
      partition: 1,
    })
  })

  test('with a code for all partitions has all asked for again, or fails', () => {
    const again = new Bed().failWith(FETCH_SESSION_TOPIC_ID_ERROR)
    expect(numbers(again.toRetry)).toEqual([0, 1])
    expect(numbers(new Bed().failWith(UNKNOWN_SERVER_ERROR).toRetry)).toEqual([0, 1])
    expect(new Bed().failWith(TOPIC_AUTHORIZATION_FAILED).error).toMatchObject({
      message: expect.stringContaining('Cannot fetch'),
    })
  })

  test('says that the broker found a record batch corrupt, and is not asked for again and again', () => {
    const { error, toRetry } = new Bed(1).answer({ errorCode: CORRUPT_MESSAGE })
    expect(error).toMatchObject({
      message: expect.stringContaining('as the broker found it corrupt'),
      retriable: false,
    })
    expect(toRetry).toEqual([])
  })

  // The good record batches before it were thrown away with it.
  test('with a record batch that is damaged brings what lies before it, and then fails', () => {
    const bed = new Bed()
    const broken = records(7)
    broken[16] = 9 // the magic byte, which is 2
    const outcome = bed.answer({ records: Buffer.concat([records(), broken, records(9)]) }, { records: records() })
    expect(outcome).toMatchObject({ hasReceived: true, error: undefined, toRetry: [] })
    expect(bed.partitions.take(SLICE)).toMatchObject({ partition: 0, nextOffset: 7, records: { count: 2 } })
    expect(bed.partitions.take(SLICE)).toMatchObject({ partition: 1, nextOffset: 7 })
    expect(() => bed.partitions.take(SLICE)).toThrow(
      expect.objectContaining({
        code: 'RECORD_CORRUPT',
        message: expect.stringContaining('the record batch at offsets 7 to 8 of topic "t" partition 0'),
        offset: 7n,
      }),
    )
  })

  test('with a damaged record batch only fails when what was fetched before is read', () => {
    const bed = new Bed(1)
    bed.answer({ records: records() })
    bed.ask()
    const broken = records(7)
    broken[17]! ^= 1 // the CRC
    bed.answer({ records: broken })
    expect(bed.partitions.take(SLICE)).toMatchObject({ nextOffset: 7 })
    expect(() => bed.partitions.take(SLICE)).toThrow('at offsets 7 to 8')
  })
})
