/** What administrators ask for and are answered. Programs see these types, so none of the client library's is among them. */
import type { TopicPartition } from '../topic-partition.ts'

/** A topic to be created. */
export interface NewTopic {
  /** Of the topic. */
  readonly name: string
  /** The broker's `num.partitions` when omitted. */
  readonly partitions?: number
  /** The broker's `default.replication.factor` when omitted. */
  readonly replicationFactor?: number
  /** Topic configuration, for instance `{ 'cleanup.policy': 'compact' }`. */
  readonly configs?: Readonly<Record<string, string>>
}

/** A partition, and the brokers that have it. */
export interface PartitionDescription {
  /** Number of the partition, from 0 on. */
  readonly partition: number
  /** Broker id; -1 when there is no leader at the moment. */
  readonly leader: number
  /** How often the partition has had another leader; -1 when that is not known. */
  readonly leaderEpoch: number
  /** Ids of the brokers that hold the partition, and of those that have everything. */
  readonly replicas: readonly number[]
  /** Ids of the brokers whose replicas are in sync. */
  readonly inSyncReplicas: readonly number[]
}

/** A topic with its partitions. */
export interface TopicDescription {
  /** Of the topic. */
  readonly name: string
  /** UUID; undefined on brokers before 2.8. */
  readonly id: string | undefined
  /** Whether it is one of Kafka's own, such as `__consumer_offsets`. */
  readonly isInternal: boolean
  /** By partition number. */
  readonly partitions: readonly PartitionDescription[]
}

/** The ends of a partition. */
export interface TopicOffsets {
  /** Number of the partition, from 0 on. */
  readonly partition: number
  /** Of the first record. */
  readonly low: bigint
  /** After the last record. */
  readonly high: bigint
}

/** A setting of a topic. */
export interface TopicConfig {
  /** Null where the broker does not say. */
  readonly value: string | null
  /** Whether it is not set for the topic itself. */
  readonly isDefault: boolean
}

/** A group, as the list of all groups has it. */
export interface GroupListing {
  /** Name of the group. */
  readonly groupId: string
  /** `classic`, `consumer` (KIP-848), `share` or `streams`; undefined when the brokers are too old to say. */
  readonly type: string | undefined
  /** `consumer`, `connect` or whatever a client has named it; empty for a group that has never had members. */
  readonly protocolType: string
  /** See `GroupDescription`. */
  readonly state: string
}

/** A member of a group, and what it reads. */
export interface GroupMemberDescription {
  /** Id that the coordinator gave it. */
  readonly memberId: string
  /** `group.instance.id` of a static member. */
  readonly instanceId: string | undefined
  /** `client.id` of the member. */
  readonly clientId: string
  /** Address that it connects from, as the coordinator sees it. */
  readonly clientHost: string
  /** Partitions that it reads. */
  readonly assignment: readonly TopicPartition[]
}

/** A group with its members. */
export interface GroupDescription {
  /** Name of the group. */
  readonly groupId: string
  /** The protocol that the group speaks; `consumer` is that of KIP-848. */
  readonly type: 'classic' | 'consumer'
  /**
   * `Stable`, `Empty`, or `Dead` when there is no such group; while members come and go `PreparingRebalance` or
   * `CompletingRebalance` in a classic group, `Assigning` or `Reconciling` in one of KIP-848.
   */
  readonly state: string
  /** Name of the assignor in use; empty without members. */
  readonly assignor: string
  /** Empty for a group without members. */
  readonly members: readonly GroupMemberDescription[]
}

/** How far a group has come in a partition. */
export interface GroupOffset extends TopicPartition {
  /** Of the next record that the group reads; undefined when it has committed none. */
  readonly offset: bigint | undefined
  /** The ends of the partition; undefined when the topic is gone. */
  readonly low: bigint | undefined
  /** See `low`: the offset after the last record. */
  readonly high: bigint | undefined
  /** Records between the committed offset and the end; undefined when one of them is not known. */
  readonly lag: number | undefined
  /** Text that was committed with the offset; empty for none. */
  readonly metadata: string
}

/** Which offsets of a group are reset, and to what. */
export interface ResetOffsetsOptions {
  /**
   * Where the group continues: at the beginning or end of each partition, at the first record of a time or later, at an offset,
   * or so many records further than now (back when negative). What is not in the log becomes the nearest offset that is.
   */
  readonly to:
    | 'earliest'
    | 'latest'
    | { readonly timestampMs: number }
    | { readonly offset: bigint | number }
    | { readonly shiftBy: bigint | number }
  /** Topics whose partitions are reset. Without topics and partitions, all that exist and for which the group has committed an offset. */
  readonly topics?: readonly string[] | undefined
  /** Partitions to reset, in addition to those of `topics`. */
  readonly partitions?: readonly TopicPartition[] | undefined
  /** Finds out what would be done, and changes nothing; the group may have members then. */
  readonly dryRun?: boolean | undefined
}

/** A partition whose offset was reset, or would be in a dry run; also when it is where it was. */
export interface ResetOffset extends TopicPartition {
  /** Committed before; undefined when there was none. */
  readonly from: bigint | undefined
  /** The committed offset afterwards. */
  readonly to: bigint
}
