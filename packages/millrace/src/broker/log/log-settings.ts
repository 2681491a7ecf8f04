/** Kafka's settings of the same names. */
export interface CleaningSettings {
  readonly minDirtyRatio: number
  readonly minLagMs: number
  readonly maxLagMs: number
  /** How long a record without a value stays after everything older with its key is gone. */
  readonly deleteRetentionMs: number
  /** What has been written last is not compacted: so many bytes, or as many as come in so many milliseconds. */
  readonly segmentBytes: number
  readonly segmentMs: number
}

/** The settings of a topic that its logs follow. */
export interface LogSettings {
  readonly maxMessageBytes: number
  /** Whether records get the time at which they are appended, instead of the one that the producer set. */
  readonly logAppendTime: boolean
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  readonly compacted: boolean
  /** When a compacted log is compacted; see `cleaner.ts`. */
  readonly cleaning: CleaningSettings
  /** So many replicas must run for writes with `acks=all`, or all where a partition has fewer. */
  readonly minInSync: number
  /** Whether old records are deleted. */
  readonly deletes: boolean
  /** -1 for no limit. */
  readonly retentionBytes: number
  /** -1 for no limit. */
  readonly retentionMs: number
}
