/** Where the bytes of records lie that a batch is made of. */

/** Records found in a stretch of bytes. */
export interface LocatedRecords {
  /** What the records lie in. */
  readonly bytes: Buffer
  /** Number of records. */
  readonly count: number
  /** `FIELDS` numbers per record: BODY, KEY, KEY_LENGTH, VALUE, VALUE_LENGTH, END. */
  readonly fields: Int32Array
  /** Offset of each record. */
  readonly offsets: Float64Array
  /** Milliseconds since 1970; -1 when a record has none. */
  readonly timestamps: Float64Array
}

/** Bytes of records that are located when somebody first needs them. */
export interface RecordStorage {
  /** Bytes that are held as long as the batch lives. */
  readonly byteLength: number
  /** Number of records, known without locating them. */
  readonly count: number
  readonly firstOffset: number
  readonly lastOffset: number
  /** Timestamp of the newest record, in milliseconds since 1970, as far as it is known without locating the records. */
  readonly newestTimestamp?: number | undefined
  /** Finds the records. Called once at the most. @throws {CorruptRecordError} */
  locate(): LocatedRecords
  /** After `locate` has thrown: the records before the record batch that cannot be read; undefined when there are none. */
  readable?(error: unknown): RecordStorage | undefined
  /** Frees the memory: nothing of it may be read any more. May be called several times. Missing where that is left to the garbage collector. */
  release?(): void
  /** The record batches as they were fetched; undefined when only their located records may be used. */
  readonly raw: RawRecordBatches | undefined
}

/** Whole record batches in Kafka's format (magic 2), still compressed, none of them a control batch. */
export interface RawRecordBatches {
  readonly bytes: Buffer
  /** Start and end of each record batch in `bytes`, in pairs. */
  readonly ranges: Int32Array
}
