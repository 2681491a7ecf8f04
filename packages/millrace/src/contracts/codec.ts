/** How bytes become documents, and documents bytes. */
import type { Batch } from '../records/batch.ts'
import type { RowFailed } from './stage.ts'

/** Turns bytes into documents and back. */
export interface Codec {
  readonly name: string
  /**
   * Parses the value of one row. Null is a tombstone.
   * @throws {DecodeError}
   */
  decode(value: Buffer | null): unknown
  /** Writes a document. @throws {EncodeError} */
  encode(document: unknown): string | Buffer | null
}

/** Both directions for whole batches: what the steps "decode" and "encode" of a pipeline do. */
export interface Documents {
  /**
   * Gives every row its document.
   * @param failed told of each row that fails, which the caller then drops; without it the first one is thrown
   * @throws {DecodeError} with the offset of the record
   */
  decode(batch: Batch, failed?: RowFailed): void
  /**
   * Sets `payloads` of the rows whose document was replaced; the others go out as the bytes that came in.
   * @param failed as in `decode`
   * @throws {EncodeError} with the offset of the record
   */
  encode(batch: Batch, failed?: RowFailed): void
}
