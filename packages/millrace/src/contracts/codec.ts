/** How bytes become documents, and documents bytes. */
import type { Batch, Payload } from '../records/batch.ts'
import type { Preparing } from './preparing.ts'
import type { RowFailed } from './stage.ts'

/** Turns bytes into documents and back. */
export interface Codec extends Preparing {
  readonly name: string
  /** Codecs with the same pass each other's bytes on unchanged; the name when omitted. */
  readonly wire?: string | undefined
  /** How values of another codec of the same format become values of this one without being parsed; undefined where they do not. */
  translation?(from: Codec): Translating | undefined
  /** How numbers keep digits that the doubles of a document do not hold; undefined where doubles hold all numbers of the format. */
  readonly digits?: ExactDecoding | undefined
  /**
   * Parses the value of one row. Null is a tombstone.
   * @param batch where the value is in its row, for what its headers say
   * @throws {DecodeError}
   */
  decode(value: Buffer | null, batch?: Batch, row?: number): unknown
  /** Writes a document. @throws {EncodeError} */
  encode(document: unknown): Payload
}

/** Reads bytes once more, so that what is written of them has the digits that came in. */
export interface ExactDecoding {
  /** How many numbers `decode` of the codec has rounded so far; undefined where `mayDiffer` tells it by the bytes. */
  readonly rounded?: number | undefined
  /** Whether numbers may have digits that doubles do not hold. */
  mayDiffer(bytes: Buffer): boolean
  /** What `decode` of the codec returns, with all digits. */
  decode(bytes: Buffer, batch: Batch, row: number): unknown
}

/** Rewrites what is in front of the data of keys or values. */
export interface Translating extends Preparing {
  /** @param batch where the bytes are in its row, for what its headers say. @throws {EncodeError} */
  translate(bytes: Buffer, batch: Batch, row: number): Buffer
}

/** The same for keys, which stages see as `_meta.key`. */
export interface KeyCodec extends Preparing {
  readonly name: string
  /** Keys with a schema: two codecs with the same pass each other's bytes on unchanged. Undefined for keys that always pass as they are. */
  readonly wire?: string | undefined
  /** How keys of another codec become keys of this one, as with values; undefined where they do not. */
  translation?(from: KeyCodec): Translating | undefined
  /** As with values. */
  readonly digits?: ExactDecoding | undefined
  /** Null for a record without a key. @throws {DecodeError} */
  decode(key: Buffer | null, batch?: Batch, row?: number): unknown
  /** Writes the key that a stage made; other keys go out as they came in. @throws {EncodeError} */
  encode(key: unknown): Payload
}

/** Both directions for whole batches: what the steps "decode" and "encode" of a pipeline do. */
export interface Documents extends Preparing {
  /** Whether only keys are rewritten, and no value is parsed. False when omitted. */
  readonly keysOnly?: boolean
  /** Whether `decode` sets no document, as nothing that these steps do looks at a value. False when omitted. */
  readonly leavesValues?: boolean
  /**
   * Sets the document of every row.
   * @param failed called for each row that fails, which the caller then drops; without it the first one is thrown
   * @throws {DecodeError} with the offset of the record
   */
  decode(batch: Batch, failed?: RowFailed): void
  /**
   * The same with documents that hold at least the fields that the first stages look at; undefined where they look at more.
   * What comes through these stages is decoded again, if something behind them needs it.
   */
  readonly decodeFields?: ((batch: Batch, failed?: RowFailed) => void) | undefined
  /**
   * Sets `payloads` of the rows whose document was replaced; the others go out as the bytes that came in.
   * @param failed as in `decode`
   * @throws {EncodeError} with the offset of the record
   */
  encode(batch: Batch, failed?: RowFailed): void
}
