/** Record batches that were fetched, and what can be wrong with them. */
import { BatchTooLargeError, type CorruptRecordError } from '../../errors/index.ts'
import { BASE_OFFSET, corruptRecord, LAST_OFFSET_DELTA, offsetsText, readInt64 } from './record-batch.ts'

/** Record batches of one partition, as a fetcher hands them on. */
export interface FetchedBatches {
  readonly topic: string
  readonly partition: number
  readonly bytes: Buffer
  /**
   * Start and end of each record batch in `bytes`, in pairs, by ascending offset. All have been read with a
   * `RecordBatchReader`, and none is a control batch.
   */
  readonly ranges: Int32Array
  /** Records before this offset are not delivered: a broker sends whole batches, and the position may lie within one. */
  readonly fromOffset: number
  /** Neither are those from this offset on, which cannot be read; nothing is said of them. */
  readonly untilOffset?: number
  /** Most bytes that one record batch may decompress to; as many as fit into a buffer when omitted. */
  readonly maxDecompressedBytes?: number
  /** Whose memory `bytes` is; held by each `FetchedRecords` until `release`. */
  readonly frame?: { hold(): void; letGo(): void } | undefined
}

/** @param i index of the batch in `ranges` */
export function corruptBatch(batches: FetchedBatches, i: number, reason: string, cause?: unknown): CorruptRecordError {
  const { topic, partition } = batches
  const { first, text } = offsetsOf(batches, i)
  return corruptRecord(`Cannot read the record batch at ${text}`, reason, topic, partition, first, cause)
}

/** @param i index of the batch in `ranges` */
export function tooLarge(batches: FetchedBatches, i: number, reason: string, cause?: unknown): BatchTooLargeError {
  const { topic, partition } = batches
  const { first, text } = offsetsOf(batches, i)
  return new BatchTooLargeError(
    `Cannot read the record batch at ${text} of topic "${topic}" partition ${partition} as ${reason}`,
    { topic, partition, offset: BigInt(first), component: 'kafka', cause },
  )
}

function offsetsOf({ bytes, ranges }: FetchedBatches, i: number): { readonly first: number; readonly text: string } {
  const batch = ranges[i]!
  const first = readInt64(bytes, batch + BASE_OFFSET)
  return { first, text: offsetsText(first, bytes.readInt32BE(batch + LAST_OFFSET_DELTA)) }
}
