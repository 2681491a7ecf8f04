/**
 * The topics in which Apache Kafka keeps what groups have committed, and what transactions have done. Here they hold nothing,
 * but clients see them: they are created when a client first asks for a coordinator, or for their metadata.
 */
import type { Configs } from './config-definitions.ts'

/** `offsets.topic.num.partitions`, and `transaction.state.log.num.partitions` */
export const INTERNAL_PARTITIONS = 50

const SEGMENT_BYTES = ['segment.bytes', '104857600'] as const

const INTERNAL_TOPICS: ReadonlyMap<string, Configs> = new Map([
  ['__consumer_offsets', new Map([['cleanup.policy', 'compact'], SEGMENT_BYTES, ['compression.type', 'producer']])],
  [
    '__transaction_state',
    new Map([
      ['cleanup.policy', 'compact'],
      SEGMENT_BYTES,
      ['compression.type', 'uncompressed'],
      ['min.insync.replicas', '1'],
      ['unclean.leader.election.enable', 'false'],
    ]),
  ],
  // Of groups that share records, which this broker does not coordinate.
  ['__share_group_state', new Map()],
])

/** The topic that a coordinator would keep its state in. */
export const TOPIC_OF_COORDINATOR = { group: '__consumer_offsets', transaction: '__transaction_state' } as const

/** Clients may not write to it, and do not subscribe to it by accident. */
export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}

/** The settings that the brokers give to an internal topic; `undefined` for any other topic. */
export function internalConfigs(name: string): Configs | undefined {
  return INTERNAL_TOPICS.get(name)
}
