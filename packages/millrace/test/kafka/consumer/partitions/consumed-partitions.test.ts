import { expect, test } from 'vitest'
import { ConsumedPartitions } from '../../../../src/kafka/consumer/partitions/consumed-partitions.ts'
import type { Fetcher } from '../../../../src/kafka/consumer/fetching/fetcher.ts'
import { OffsetLedger } from '../../../../src/kafka/consumer/commits/offset-ledger.ts'

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
