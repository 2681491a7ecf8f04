import { describe, expect, test } from 'vitest'
import { ConsumedPartitions } from '../../../../src/kafka/consumer/partitions/consumed-partitions.ts'
import type { Fetcher, TakenSlice } from '../../../../src/kafka/consumer/fetching/fetcher.ts'
import { OffsetLedger } from '../../../../src/kafka/consumer/commits/offset-ledger.ts'
import { FetchedRecords } from '../../../../src/kafka/protocol/locate-records.ts'
import type { Batch } from '../../../../src/records/batch.ts'
import { encodeRecordBatch } from '../../../support/encode-record-batch.ts'

// After an abort nobody asked whether the position was still in the log of the leader of then, and records of another log that had
// taken the place of what was committed were passed over (K11).
test('a rewind goes back to the committed offset and to the epoch of the record before it', async () => {
  const added: unknown[] = []
  const fetcher = { add: (...args: unknown[]) => added.push(args), remove() {}, interrupt() {} }
  const partitions = new ConsumedPartitions(fetcher as unknown as Fetcher, new OffsetLedger(), {
    component: 'kafka',
    maxRecords: undefined,
    isRewindable: true,
  })
  const place = { topic: 't', partition: 0 }
  const range = { partitionCount: 1, position: 5, epoch: 1, end: undefined, mustCommit: false, topicId: 'id' }
  partitions.read(partitions.assign([place])[0]!, range)
  await partitions.rewind(async () => [{ ...place, committed: 8, leaderEpoch: 2 }])
  await partitions.rewind(async () => [{ ...place, committed: undefined }])
  expect(added).toEqual([
    ['t', 0, 5, 1, 'id'],
    ['t', 0, 8, 2, 'id'],
    ['t', 0, 5, -1, 'id'],
  ])
})

// The offset was committed by the next transaction, without what had been written for the records before it.
test('after a rewind there is nothing to commit of a partition that is being given back either', async () => {
  const ledger = new OffsetLedger()
  const fetcher = { add() {}, remove() {}, interrupt() {} }
  const partitions = new ConsumedPartitions(fetcher as unknown as Fetcher, ledger, {
    component: 'kafka',
    maxRecords: undefined,
    isRewindable: true,
  })
  const [place, kept] = [0, 1].map((partition) => ({ topic: 't', partition }))
  const range = { partitionCount: 2, position: 5, epoch: 1, end: undefined, mustCommit: false, topicId: 'id' }
  for (const each of partitions.assign([place!, kept!])) partitions.read(each, range)
  const [first, second] = [ledger.track('t', 0, 5, 9), ledger.track('t', 0, 10, 14)]
  first.ack()
  partitions.remove([place!], 'revoked')
  const drained = ledger.drained([place!], new AbortController().signal)
  await partitions.rewind(async () => [{ ...kept!, committed: 5, leaderEpoch: 1 }])
  second.ack()
  expect(ledger.committable()).toEqual([])
  await drained
})

describe('a log that is another one from an offset on, as a broker without the last records became leader', () => {
  const place = { topic: 't', partition: 0 }

  /** Records of one record batch each time, as a fetcher has them. */
  function bed(options: { isRewindable?: boolean } = {}) {
    const slices: TakenSlice[] = []
    const added: unknown[] = []
    const fetcher = {
      add: (_topic: string, _partition: number, position: number) => added.push(position),
      remove() {},
      interrupt() {},
      take: () => slices.shift(),
    }
    const ledger = new OffsetLedger()
    const partitions = new ConsumedPartitions(fetcher as unknown as Fetcher, ledger, {
      component: 'kafka',
      maxRecords: undefined,
      isRewindable: options.isRewindable === true,
    })
    const range = { partitionCount: 1, position: 50, epoch: 1, end: undefined, mustCommit: false, topicId: 'id' }
    partitions.read(partitions.assign([place])[0]!, range)
    const fetched = (from: number, count: number, log: string): void => {
      const values = Array.from({ length: count }, (_, i) => ({ value: Buffer.from(`${log} ${from + i}`) }))
      const bytes = encodeRecordBatch({ baseOffset: from, records: values })
      const records = new FetchedRecords({
        ...place,
        bytes,
        ranges: Int32Array.from([0, bytes.length]),
        fromOffset: from,
      })
      slices.push({ ...place, records, timestampType: 'CreateTime', nextOffset: from + count, leaderEpoch: 1 })
    }
    const next = (most: number) => partitions.next(most)!.batch!
    const values = (batch: Batch) => Array.from({ length: batch.length }, (_, row) => String(batch.value(row)))
    const committable = () => ledger.committable()[0]?.offset
    return { partitions, ledger, fetched, next, values, committable, added }
  }

  // Reading went back to 55, which was committed at once: after a crash the records before it, at which a handler was, were lost.
  test('keeps the commit below the records before it that are not acknowledged (I2)', () => {
    const { partitions, ledger, fetched, next, values, committable } = bed()
    fetched(50, 10, 'old')
    const old = next(100)
    partitions.moved('t', 0, 55, 'id')
    expect([committable(), ledger.outstanding()]).toEqual([undefined, 1])
    fetched(55, 3, 'new')
    const following = next(100)
    expect(values(following)).toEqual(['new 55', 'new 56', 'new 57'])
    following.ack()
    expect(committable()).toBe(undefined)
    old.ack()
    expect([committable(), ledger.outstanding()]).toEqual([58, 0])
  })

  test('commits where it begins when more than that was committed', () => {
    const { partitions, ledger, fetched, next, committable } = bed()
    fetched(50, 10, 'old')
    next(7).ack()
    ledger.committed(ledger.committable())
    const unfinished = next(3)
    partitions.moved('t', 0, 55, 'id')
    expect(committable()).toBe(55)
    unfinished.ack()
    expect(committable()).toBe(55)
    fetched(55, 1, 'new')
    next(100).ack()
    expect(committable()).toBe(56)
  })

  // Rows that had been taken and not delivered were delivered, and the next record batch began before their end: an unexpected error.
  test('drops the rows behind it that were not delivered, and keeps those before it', () => {
    const { partitions, fetched, next, values, committable } = bed()
    fetched(50, 10, 'old')
    next(2).ack()
    partitions.moved('t', 0, 55, 'id')
    fetched(55, 2, 'new')
    const batches = [next(2), next(2), next(2)]
    expect(batches.map(values)).toEqual([['old 52', 'old 53'], ['old 54'], ['new 55', 'new 56']])
    for (const batch of batches) batch.ack()
    expect(committable()).toBe(57)
  })

  test.each([
    { row: 3, again: ['old 53', 'old 54'] },
    { row: 7, again: ['new 55'] },
  ])('delivers what is given back from row $row on as far as it is in the log', ({ row, again }) => {
    const { partitions, fetched, next, values, committable } = bed()
    fetched(50, 10, 'old')
    const old = next(10)
    partitions.moved('t', 0, 55, 'id')
    partitions.giveBack(old, row)
    fetched(55, 1, 'new')
    const first = next(10)
    expect(values(first)).toEqual(again)
    first.ack()
    if (row < 5) next(10).ack()
    expect(committable()).toBe(56)
  })

  // Where a transaction is aborted before the first commit, reading goes back to where it began.
  test('goes back to the beginning when a transaction is aborted', async () => {
    const { partitions, fetched, next, added } = bed({ isRewindable: true })
    fetched(50, 10, 'old')
    next(100)
    partitions.moved('t', 0, 55, 'id')
    await partitions.rewind(async () => [{ ...place, committed: undefined }])
    expect(added).toEqual([50, 50])
  })
})

// What was known of its log was old: a bounded run gave up on it although the transaction had ended, and its last records were not read.
test('a partition that is not served is not taken for one behind a transaction', () => {
  const fetcher = { add() {}, remove() {}, interrupt() {}, pause() {}, resume() {}, logEnd: () => 5 }
  const partitions = new ConsumedPartitions(fetcher as unknown as Fetcher, new OffsetLedger(), {
    component: 'kafka',
    maxRecords: undefined,
    isRewindable: false,
  })
  const place = { topic: 't', partition: 0 }
  const range = { partitionCount: 1, position: 5, epoch: 1, end: 9, mustCommit: false, topicId: 'id' }
  partitions.read(partitions.assign([place])[0]!, range)
  expect(partitions.behindTransactions).toMatchObject([place])
  partitions.hold(place)
  expect(partitions.behindTransactions).toEqual([])
  partitions.letGo(place)
  partitions.pause(place)
  expect(partitions.behindTransactions).toEqual([])
})
