/** What a program may listen to of a `KafkaSource`; `metrics/events.ts` says what each event means. */
import type { EventName } from '../../metrics/events.ts'
import type { TopicPartition } from '../../kafka/topic-partition.ts'

/** What all clients report, by the name for `on`. */
export interface ClientEventFacts {
  /** It is ready. */
  readonly connected: { readonly clientId: string; readonly brokers: readonly string[] }
  /** It was closed. */
  readonly disconnected: { readonly clientId: string }
  /** A connection to a broker was opened. */
  readonly brokerConnected: { readonly clientId: string; readonly broker: string }
  /** A connection to a broker was lost. */
  readonly brokerDisconnected: { readonly clientId: string; readonly broker: string }
  /** Something that an operator should know, such as a commit that failed; other events may say the same in more detail. */
  readonly warning: { readonly event: EventName; readonly message: string; readonly [fact: string]: unknown }
}

/** Events of a `KafkaSource`, by the name for `on`. */
export interface SourceEvents extends ClientEventFacts {
  /** Records of a partition were fetched, and the first of them is passed on. */
  readonly fetched: TopicPartition & {
    readonly clientId: string
    /** Of the first record. */
    readonly offset: bigint
    readonly records: number
    readonly bytes: number
  }
  /** Offsets were committed: of the next record to read, as Kafka has them. */
  readonly committed: {
    readonly clientId: string
    readonly offsets: readonly (TopicPartition & { readonly offset: bigint })[]
  }
  /** A commit failed, and is tried again. */
  readonly commitFailed: { readonly error: string }
  /** The group has changed what this member reads. The options `onAssigned`, `onRevoked` and `onLost` are the same, and waited for. */
  readonly rebalanced: {
    readonly clientId: string
    readonly group: string
    readonly type: 'assigned' | 'revoked' | 'lost'
    readonly partitions: readonly TopicPartition[]
  }
}
