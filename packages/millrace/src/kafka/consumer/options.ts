/**
 * What a consumer is told.
 */
import { type MillraceError, UnexpectedError } from '../../errors/index.ts'
import type { Happenings, Report } from '../../metrics/events.ts'
import type { KafkaSourceMetrics } from '../../metrics/kafka-source-metrics.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { GroupOptions } from '../group/contract.ts'
import type { ConsumerSettings } from '../properties/settings.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { Position } from './assignment/positions.ts'

/**
 * Who commits: this consumer, every `autoCommitIntervalMs` (`interval`) or after each acknowledgement (`each`), and when it
 * lets go of partitions; whoever calls `commit` and nobody else (`manual`); or a transaction, through `SourceOffsets`.
 */
export type CommitMode = 'interval' | 'each' | 'manual' | 'transaction'

export type Warn = Report

/** A partition to read, and where: by default where the reset policy says. */
export interface FixedPartition extends TopicPartition {
  /** Of the first record to read; by `autoOffsetReset` when omitted. */
  readonly offset?: number | bigint | undefined
}

/** Called when the group assigns or revokes partitions. Each call is waited for; what it throws ends the consumer, or is a warning where partitions go. */
export interface RebalanceListener {
  /** These are this member's. Nothing of them is read before it resolves, so it may seek. */
  readonly onAssigned?: ((partitions: readonly TopicPartition[], controls: RebalanceControls) => unknown) | undefined
  /** These go to another member. What was read of them is done, or the time for it is over; they go when it resolves, and within the time that the group allows. */
  readonly onRevoked?:
    | ((partitions: readonly TopicPartition[], controls: Pick<RebalanceControls, 'commit'>) => unknown)
    | undefined
  /** These may be another member's already, so nothing of them can be committed. */
  readonly onLost?: ((partitions: readonly TopicPartition[]) => unknown) | undefined
}

/** What a listener may do with partitions. The source itself is not open yet when its first ones are assigned. */
export interface RebalanceControls {
  /** Reads a partition from another position on. */
  readonly seek: (partition: TopicPartition, position: Position) => Promise<void>
  /** Delivers nothing of these partitions until `resume`. */
  readonly pause: (partitions: readonly TopicPartition[]) => void
  /** Commits what has been acknowledged. */
  readonly commit: () => Promise<void>
}

export interface ConsumerOptions {
  readonly cluster: Cluster
  readonly topics: readonly string[]
  readonly settings: ConsumerSettings
  /** Stop at the offsets that were the end when a partition was first seen. */
  readonly untilEnd: boolean
  /** Stop when this many records have been handed out; no limit when omitted. */
  readonly maxRecords?: number | undefined
  /** Begin where the group would, but neither join it nor commit anything. */
  readonly onlyLook?: boolean
  /** Of every topic only this partition, from this offset on where one is named; without a group. */
  readonly only?: { readonly partition: number; readonly offset: number | undefined } | undefined
  /** Only these partitions, each from its offset on where one is named; without a group. */
  readonly fixed?: readonly FixedPartition[] | undefined
  /** Called when a topic does not exist any more: takes it out of `topics` if the consumer can do without it. Returns whether it can; otherwise reading fails. */
  readonly dropTopic?: ((topic: string) => boolean) | undefined
  /** Told of what the group does with partitions. */
  readonly listener?: RebalanceListener | undefined
  /** `interval` when omitted. */
  readonly commits?: CommitMode
  /** Name of the component, for errors and metrics. */
  readonly component: string
  readonly warn: Warn
  /** Reports what is no problem, such as what a group has assigned. */
  readonly inform?: Warn | undefined
  /** What listens to events that are frequent; the channels when omitted. */
  readonly happenings?: Happenings | undefined
  /** Counts what is read and committed. */
  readonly counters?: KafkaSourceMetrics | undefined
}

/** The same, where what a report throws has an owner: many are made by timers, where an error would end the process. */
export function withOwnedReports(options: ConsumerOptions, onFailure: (error: MillraceError) => void): ConsumerOptions {
  const owned = (report: Warn): Warn => {
    return (message, facts) => {
      try {
        report(message, facts)
      } catch (cause) {
        onFailure(new UnexpectedError(`Cannot report "${message}" as the callback for it failed`, { cause }))
      }
    }
  }
  const { warn, inform } = options
  return { ...options, warn: owned(warn), inform: inform && owned(inform) }
}

/** How a consumer joins its group; undefined when it joins none. */
export function groupOptions({ settings, topics, onlyLook, warn }: ConsumerOptions): GroupOptions | undefined {
  if (settings.groupId === undefined || onlyLook === true) return undefined
  return {
    groupId: settings.groupId,
    topics,
    sessionTimeoutMs: settings.sessionTimeoutMs,
    heartbeatIntervalMs: settings.heartbeatIntervalMs,
    rebalanceTimeoutMs: settings.maxPollIntervalMs,
    protocol: settings.groupProtocol,
    assignors: settings.assignors,
    instanceId: settings.instanceId,
    serverAssignor: settings.serverAssignor,
    rackId: settings.rackId,
    warn,
  }
}
