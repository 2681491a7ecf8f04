/** What `/status` and the dashboard show of the partitions of a consumer. */
import type { PartitionStatus, SourceStatus } from '../../../contracts/source.ts'
import type { GroupSession } from '../../group/session.ts'
import type { ConsumedPartition } from '../partitions/consumed-partition.ts'
import type { ConsumedPartitions } from '../partitions/consumed-partitions.ts'
import type { Fetcher } from '../fetching/fetcher.ts'
import type { OffsetLedger } from '../commits/offset-ledger.ts'

const STATES = {
  assigned: 'assigned',
  reading: 'reading',
  atEnd: 'at-end',
  released: 'assigned',
  lost: 'assigned',
} as const

export function sourceStatus(
  partitions: Pick<ConsumedPartitions, 'all' | 'topics'>,
  fetcher: Pick<Fetcher, 'logEnd' | 'problemOf' | 'bufferedBytes'>,
  ledger: Pick<OffsetLedger, 'followed'>,
  session: Pick<GroupSession, 'memberId'> | undefined,
  isRebalancing = false,
): SourceStatus {
  return {
    partitions: partitions.all.map((each) => partitionStatus(each, fetcher, ledger)),
    topics: partitions.topics,
    bufferedBytes: fetcher.bufferedBytes,
    memberId: session?.memberId,
    isRebalancing,
  }
}

function partitionStatus(
  { topic, partition, state, isPaused, delivered, end: runEnd, newest }: ConsumedPartition,
  fetcher: Pick<Fetcher, 'logEnd' | 'problemOf'>,
  ledger: Pick<OffsetLedger, 'followed'>,
): PartitionStatus {
  const position = delivered < 0 ? undefined : delivered
  const end = runEnd ?? fetcher.logEnd(topic, partition)
  const { committed = -1, acknowledged } = ledger.followed(topic, partition) ?? {}
  const lag = end === undefined || position === undefined ? undefined : Math.max(0, end - position)
  return {
    topic,
    partition,
    state: state === 'reading' && isPaused ? 'paused' : STATES[state],
    position,
    end,
    committed: committed < 0 ? undefined : committed,
    done: acknowledged,
    lag,
    lagSeconds: lag === 0 ? 0 : newest && Math.max(0, Date.now() - newest) / 1000,
    problem: fetcher.problemOf(topic, partition),
  }
}
