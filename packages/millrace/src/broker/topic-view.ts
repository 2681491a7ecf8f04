import type { Topic } from './cluster/topic.ts'
import { isAborted, isControl } from './log/compaction.ts'
import { readRecords } from './log/records.ts'

/** A record as a test reads it. */
export interface BrokerRecord {
  /** Number of the partition, from 0 on. */
  readonly partition: number
  /** Its place in the partition. */
  readonly offset: bigint
  /** Milliseconds since 1970. */
  readonly timestampMs: number
  /** Null for none. */
  readonly key: Buffer | null
  /** Null for a tombstone. */
  readonly value: Buffer | null
  /** In their order; a name may occur several times. */
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[]
}

/** What a test can see of a topic. */
export interface TopicView {
  /** Of the topic. */
  readonly name: string
  /** First and next offset of each partition. */
  offsets(): { readonly partition: number; readonly start: bigint; readonly end: bigint }[]
  /**
   * Records by partition and offset: those that a consumer with `read_committed` would see or, with
   * `{ uncommitted: true }`, all of them.
   */
  records(options?: { readonly uncommitted?: boolean }): Promise<BrokerRecord[]>
}

export function viewTopic(topic: Topic): TopicView {
  return {
    name: topic.name,
    offsets: () =>
      topic.partitions.map(({ index, log }) => ({
        partition: index,
        start: BigInt(log.logStartOffset),
        end: BigInt(log.endOffset),
      })),
    records: async ({ uncommitted = false } = {}) => {
      const all: BrokerRecord[] = []
      for (const { index: partition, log } of topic.partitions) {
        const before = uncommitted ? log.endOffset : log.lastStableOffset
        for (const batch of log.batches()) {
          if (batch.baseOffset >= before || isControl(batch.bytes) || (!uncommitted && isAborted(log, batch))) continue
          for (const { offset, timestampMs, key, value, headers } of await readRecords(batch.bytes))
            if (offset >= log.logStartOffset)
              all.push({ partition, offset: BigInt(offset), timestampMs, key, value, headers })
        }
      }
      return all
    },
  }
}
