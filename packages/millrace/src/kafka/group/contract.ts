/**
 * What a group session is told and what it tells. The session itself is in `session.ts`.
 */
import type { MillraceError } from '../../errors/index.ts'
import type { AssignorName } from '../properties/value-types.ts'
import type { PartitionOffset, TopicPartition } from '../topic-partition.ts'

export interface GroupOptions {
  /** `group.id` */
  readonly groupId: string
  readonly topics: readonly string[]
  /** `group.instance.id`: a static member, which keeps its partitions over a restart (KIP-345). */
  readonly instanceId?: string | undefined
  /** `session.timeout.ms`, 45 s. With `protocol: 'consumer'` the broker decides; then it only bounds the drain. */
  readonly sessionTimeoutMs?: number
  /** `heartbeat.interval.ms`, 3 s. With `protocol: 'consumer'` the broker decides. */
  readonly heartbeatIntervalMs?: number
  /** How long the members have to give partitions back and join again; `max.poll.interval.ms`, 5 min. */
  readonly rebalanceTimeoutMs?: number
  /** `group.protocol`: `classic` (default), or `consumer`, in which the broker assigns (KIP-848). */
  readonly protocol?: 'classic' | 'consumer'
  /** `partition.assignment.strategy`, in order of preference; `range, cooperative-sticky`. Partitions are given up one by one only when all of them are cooperative, as in Java. */
  readonly assignors?: readonly AssignorName[]
  /** `group.remote.assignor`, only with `protocol: 'consumer'`; the broker's default when omitted. */
  readonly serverAssignor?: string | undefined
  /** `client.rack` */
  readonly rackId?: string | undefined
  /** Told when something takes longer than usual, and why. */
  readonly warn?: ((message: string) => void) | undefined
}

/** A partition that was assigned, with the offset that the group has committed for it; undefined when there is none. */
export interface AssignedPartition extends TopicPartition {
  readonly committed: number | undefined
  /** Epoch of the leader that wrote the record before; -1 when it is not known. */
  readonly leaderEpoch?: number | undefined
  /** Id of the topic in whose log the committed offset is, as far as the broker can tell. */
  readonly topicId?: string | undefined
  /** What was committed with the offset. */
  readonly metadata?: string | undefined
}

/** What a group session tells its owner. Calls do not overlap, except that `onLost` and `onFailed` may come at any time. */
export interface GroupListener {
  /**
   * Newly assigned partitions with the offsets committed for them. The session goes on heartbeating while it waits.
   * The first call may bring an empty list. A rejection ends the session: `start` rejects, or `onFailed` is called.
   */
  onAssigned(partitions: readonly AssignedPartition[]): Promise<void>
  /**
   * Stop fetching, drain, commit (`session.commit` still works inside). The partitions are given back when it resolves,
   * and at the latest half as long again after `deadlineMs` have passed (I3). Heartbeats go on meanwhile.
   */
  onRevoked(partitions: readonly TopicPartition[], deadlineMs: number): Promise<void>
  /** A rebalance has ended: what is owned now is what the group wants, for the time being. */
  onSettled?(): void
  /** Ownership is already gone (fenced, session expired): nothing may be committed (I3). May come while `onAssigned` or `onRevoked` is under way. */
  onLost(partitions: readonly TopicPartition[]): void
  /** The session cannot go on (fenced static member, no permission, no common assignor, or no join for longer than `apiTimeoutMs`). Call `close`. Not called before `start` has resolved. */
  onFailed(error: MillraceError): void
}

/** An offset to commit. */
export interface OffsetToCommit extends PartitionOffset {
  /** Epoch of the leader that the last record was read from; -1 when it is not known. */
  readonly leaderEpoch?: number | undefined
  /** Id of the topic that it is an offset of: for another one of the same name it is refused. */
  readonly topicId?: string | undefined
  readonly metadata?: string | undefined
}

/**
 * Why an offset was not committed. `not owned`: the partition does not belong to this member (any more); `rebalance`: the
 * generation changed meanwhile, a later commit may succeed; `topic unknown`: the topic was deleted, or is another one of the same name.
 */
export type CommitRefusal = 'not owned' | 'rebalance' | 'topic unknown'

export interface CommitResult {
  readonly committed: readonly OffsetToCommit[]
  readonly refused: readonly (OffsetToCommit & { readonly reason: CommitRefusal })[]
}
