/** What a consumer tells of its progress. Programs see this, so it names nothing of the client library. */

/** How far a consumer has come. Counters are those since it was created. */
export interface ConsumerProgress {
  /** Records delivered. */
  readonly records: number
  /** Bytes of these records, as they were fetched. */
  readonly bytes: number
  /** Records between what was delivered and the end; undefined until every partition has answered, and while it is not known. */
  readonly lag: number | undefined
  /** Why it cannot read at the moment, as part of a sentence, such as a broker that does not answer; undefined while nothing does. */
  readonly problem: string | undefined
  /** Commits that succeeded. */
  readonly commits: number
  /** Commits that failed, or of which something was refused. */
  readonly commitFailures: number
  /** Rebalances of the group that this member took part in. */
  readonly rebalances: number
}

/** How far a partition was delivered. */
export interface PartitionLag {
  /** Name of the topic. */
  readonly topic: string
  /** Number of the partition, from 0 on. */
  readonly partition: number
  /** Offset of the next record to deliver; undefined while its place is being found. */
  readonly position: bigint | undefined
  /** The offset after the last record, with `untilEnd` after the last one to be read; undefined until a broker has answered. */
  readonly endOffset: bigint | undefined
  /** Records, or rather offsets, in between; undefined where either is not known. */
  readonly lag: bigint | undefined
  /** 0 without lag; otherwise milliseconds since the newest record that was fetched with what was delivered last was written; undefined before the first one. */
  readonly lagMs: number | undefined
}
