/**
 * The steps "decode" and "encode" of a pipeline, for whole batches.
 */
import type { Codec, Documents, KeyCodec, Translating } from '../contracts/codec.ts'
import { preparing, type Prepare } from '../contracts/preparing.ts'
import type { RowFailed } from '../contracts/stage.ts'
import { FIELDS, VALUE, VALUE_LENGTH, type Batch, type Payload } from '../records/batch.ts'
import { DecodeError, EncodeError, RegistryError, type RecordErrorDetails } from '../errors/index.ts'
import { mayDifferInValue } from '../records/exact-numbers.ts'
import { exactRow, hasDigits } from '../records/row-digits.ts'
import { viewOf } from '../records/views.ts'
import { watchDigits, type DigitSources } from './decoded-digits.ts'
import { FieldScanner } from './field-scanner.ts'
import { jsonCodec, parseDocument, reasonOf } from './json.ts'
import { keyFromField, keyOf } from './key-field.ts'
import { keyRewriting, rewriteKeys } from './key-rewriting.ts'
import { textKeys } from './keys.ts'
import { attachedMeta, attachMeta, changedKey, hideMeta, type WithMeta } from './meta.ts'

export interface DecodeOptions {
  /** Put `_meta` on every document that is parsed. */
  readonly attachMeta?: boolean | undefined
  /** Reads `_meta.key`; text when omitted. */
  readonly keys?: KeyCodec | undefined
}

/**
 * Gives every row of a batch its document. Rows that have one keep it.
 *
 * @param failed told of each value that cannot be decoded, whose row stays without a document
 * @throws {DecodeError} without `failed`, for the first value that cannot be decoded, with topic, partition and offset
 */
export function decodeDocuments(batch: Batch, codec: Codec, options: DecodeOptions = {}, failed?: RowFailed): void {
  const length = batch.length
  const documents = (batch.documents ??= [])
  const { bytes, fields } = batch.records
  const { rows } = batch
  const isJson = codec === jsonCodec
  const { attachMeta: hasMeta = false, keys = textKeys } = options
  const setDigits = watchDigits({ values: codec.digits, wrapper: 'value', ...(hasMeta ? keyDigits(keys) : {}) })
  for (let row = 0; row < length; row++) {
    try {
      for (; row < length; row++) {
        if (documents[row] !== undefined) continue
        const field = (rows === undefined ? row : rows[row]!) * FIELDS
        const start = fields[field + VALUE]!
        const size = fields[field + VALUE_LENGTH]!
        const document =
          size < 0
            ? codec.decode(null)
            : isJson
              ? parseDocument(bytes, start, start + size)
              : codec.decode(viewOf(bytes, start, size), batch, row)
        if (hasMeta) attachMeta(document as WithMeta, batch, row, keys)
        documents[row] = document
      }
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause
      const error = decodeError(batch, row, cause.part === 'key' ? keys : codec, cause)
      if (failed === undefined) throw error
      documents[row] = undefined
      failed(row, error)
    }
  }
  setDigits(batch)
}

/** The key is a part of documents. */
function keyDigits({ digits }: KeyCodec): Pick<DigitSources, 'keys' | 'withKey'> {
  return { keys: digits, withKey: (key) => ({ _meta: { key } }) }
}

/**
 * Gives every row of a batch a document that holds at least some fields of its value, which is JSON. Every value is checked as
 * `decodeDocuments` would, and refused with the same error.
 */
export function decodeFields(batch: Batch, scanner: FieldScanner, failed?: RowFailed): void {
  const { bytes, fields } = batch.records
  const { rows, length } = batch
  const documents: unknown[] = []
  for (let row = 0; row < length; row++) {
    const field = (rows === undefined ? row : rows[row]!) * FIELDS
    const start = fields[field + VALUE]!
    const size = fields[field + VALUE_LENGTH]!
    documents.push(size < 0 ? undefined : scanner.read(bytes, start, start + size))
  }
  batch.documents = documents
  // Tombstones, and what the scanner leaves to the parser.
  decodeDocuments(batch, jsonCodec, {}, failed)
}

function decodeError(batch: Batch, row: number, codec: Codec | KeyCodec, cause: DecodeError): DecodeError {
  const { part } = cause
  const details = placeOf(batch, row, codec, cause.cause ?? cause)
  return new DecodeError(
    part,
    `Cannot decode the ${part} at offset ${details.offset} of "${batch.topic}" partition ${batch.partition} as ${codec.name}: ${cause.message}`,
    details,
  )
}

export interface EncodeOptions {
  /** Write the attached `_meta` into every document that is not a tombstone. */
  readonly includeMeta?: boolean | undefined
  /** Whether `_meta` may have been attached to documents, which stages may have put into others; true when omitted. */
  readonly hasMeta?: boolean | undefined
  /** Write unchanged documents too, because the sink's format is not the one that came in. */
  readonly all?: boolean | undefined
  /** Writes keys that a stage made; as text when omitted. */
  readonly keys?: KeyCodec | undefined
  /** Field, below dots, that becomes the key of each record; a tombstone keeps its own. */
  readonly keyField?: string | undefined
}

/**
 * Writes the documents that a stage replaced into `payloads`, and keys that it changed into `keys`. Every other row goes
 * out as the bytes that came in; an unchanged tombstone stays one whatever the options say.
 *
 * @param failed told of each document that cannot be written; its row must not go out
 * @throws {EncodeError} without `failed`, for the first document that cannot be written, with topic, partition and offset
 */
export function encodeDocuments(batch: Batch, codec: Codec, options: EncodeOptions = {}, failed?: RowFailed): void {
  const { documents, replaced, length } = batch
  const { keys = textKeys } = options
  const everything = options.all === true || options.includeMeta === true
  const keyPath = options.keyField?.split('.')
  if (documents === undefined || (replaced === undefined && !everything && keyPath === undefined)) return
  const payloads: (Payload | undefined)[] = []
  for (let row = 0; row < length; row++) {
    try {
      for (; row < length; row++) {
        const isWritten = replaced?.[row] === 1 || (everything && !batch.isTombstone(row))
        const payload = isWritten ? encodeRow(batch, row, codec, keys, options) : undefined
        if (keyPath !== undefined && !batch.isTombstone(row))
          keysOf(batch)[row] = keyFromField(batch, row, keyPath, keys)
        payloads.push(payload)
      }
    } catch (cause) {
      // Not about the record: there is no schema to write it with.
      if (cause instanceof RegistryError) throw cause
      const error = encodeError(batch, row, codec, cause)
      if (failed === undefined) throw error
      payloads.push(undefined)
      failed(row, error)
    }
  }
  batch.payloads = payloads
}

function encodeError(batch: Batch, row: number, codec: Pick<Codec, 'name'>, cause: unknown): EncodeError {
  const details = placeOf(batch, row, codec, cause)
  return new EncodeError(
    `${reasonOf(cause)}, in the record made from offset ${details.offset} of "${batch.topic}" partition ${batch.partition}`,
    details,
  )
}

function encodeRow(
  batch: Batch,
  row: number,
  codec: Codec,
  keys: KeyCodec,
  { includeMeta, hasMeta }: EncodeOptions,
): Payload {
  const document = batch.documents![row] as WithMeta
  if (hasMeta === false) return encode(batch, row, codec, document)
  const meta = attachedMeta(document)
  const key = meta && changedKey(meta)
  if (key !== undefined) keysOf(batch)[row] = keyOf(key, undefined, batch, row, keys)
  if (includeMeta === true) return encode(batch, row, codec, document)
  // Left out for the time of writing only: another sink may want it.
  const restore = hideMeta(document)
  try {
    return encode(batch, row, codec, document)
  } finally {
    restore?.()
  }
}

/** The keys in place of the stored ones, none at first. */
function keysOf(batch: Batch): (Payload | undefined)[] {
  return (batch.keys ??= Array.from({ length: batch.length }, () => undefined))
}

/** With the digits that came in. Where numbers are all as doubles write them, nothing is read again. */
function encode(batch: Batch, row: number, codec: Codec, document: unknown): Payload {
  return codec.encode(mayHaveDigits(batch, row) ? exactRow(document, batch, row) : document)
}

function mayHaveDigits(batch: Batch, row: number): boolean {
  if (batch.digits !== undefined || batch.sources !== undefined) return hasDigits(batch, row)
  // Of values that are JSON, without a view of each.
  const { bytes, fields } = batch.records
  const field = batch.recordOf(row) * FIELDS
  const start = fields[field + VALUE]!
  const size = fields[field + VALUE_LENGTH]!
  return size > 0 && mayDifferInValue(bytes, start, start + size)
}

function placeOf(
  batch: Batch,
  row: number,
  codec: Pick<Codec, 'name'>,
  cause: unknown,
): RecordErrorDetails & { offset: bigint } {
  return { cause, topic: batch.topic, partition: batch.partition, offset: batch.offset(row), component: codec.name }
}

export interface DocumentsOptions {
  /** Format in which values come in. */
  readonly from: Codec
  /** Format in which they go out. */
  readonly to: Codec
  /** The same of keys; text when omitted. */
  readonly keysFrom?: KeyCodec | undefined
  readonly keysTo?: KeyCodec | undefined
  /** Whether any stage looks at documents. */
  readonly needsDocuments: boolean
  /** All that the first stages look at in the outermost object of a value; undefined where they look at more. */
  readonly fields?: readonly string[] | undefined
  /** Whether any stage mentions `_meta`. */
  readonly mentionsMeta: boolean
  /** Whether it is attached for another sink, which includes it. */
  readonly attachesMeta?: boolean | undefined
  /** Write `_meta` into every document. */
  readonly includeMeta: boolean
  /** Field that becomes the key. */
  readonly keyField?: string | undefined
}

/** One preparation after the other. */
function inOrder(preparations: readonly (Prepare | undefined)[]): Prepare {
  return async (batch, signal) => {
    for (const prepare of preparations) await prepare?.(batch, signal)
  }
}

/** Gives the rows that no stage changed the bytes that another registry knows. */
function translateRows(batch: Batch, codec: Codec, translation: Translating, failed: RowFailed | undefined): void {
  const payloads = (batch.payloads ??= [])
  for (let row = 0; row < batch.length; row++) {
    const value = batch.value(row)
    if (value === null || payloads[row] !== undefined || batch.replaced?.[row] === 1) continue
    try {
      payloads[row] = translation.translate(value, batch, row)
    } catch (cause) {
      const error = encodeError(batch, row, codec, cause)
      if (failed === undefined) throw error
      failed(row, error)
    }
  }
}

/** Both steps as the engine uses them; undefined when every key and value can pass as the bytes that came in. */
export function createDocuments(options: DocumentsOptions): Documents | undefined {
  const values = createValueSteps(options)
  const { keysFrom, keysTo } = options
  const rewriting = keyRewriting(keysFrom, keysTo)
  if (rewriting === undefined) return values
  return {
    ...values,
    keysOnly: values === undefined,
    leavesValues: values === undefined || values.leavesValues === true,
    prepare: inOrder([rewriting.prepare, values?.prepare]),
    decode: (batch, failed) => values?.decode(batch, failed),
    encode(batch, failed) {
      values?.encode(batch, failed)
      rewriteKeys(batch, rewriting, (row, cause) => {
        const isUnreadable = cause instanceof DecodeError
        const error = isUnreadable ? decodeError(batch, row, keysFrom!, cause) : encodeError(batch, row, keysTo!, cause)
        if (failed === undefined || cause instanceof RegistryError) throw cause instanceof RegistryError ? cause : error
        failed(row, error)
      })
    },
  }
}

function createValueSteps({
  from,
  to,
  keysFrom,
  keysTo,
  needsDocuments,
  fields,
  mentionsMeta,
  attachesMeta,
  includeMeta,
  keyField,
}: DocumentsOptions): Documents | undefined {
  // Raw bytes go in and out of any format as they are.
  const all = (from.wire ?? from.name) !== (to.wire ?? to.name) && from.name !== 'bytes' && to.name !== 'bytes'
  if (!needsDocuments && !includeMeta && !all) return undefined
  const attach = mentionsMeta || includeMeta || attachesMeta === true
  const translation = all ? to.translation?.(from) : undefined
  if (translation !== undefined) {
    const options = { includeMeta, keys: keysTo, keyField }
    const isParsed = needsDocuments || includeMeta
    const keys = attach || keyField !== undefined ? [keysFrom, keysTo] : []
    const prepare = preparing([from, ...keys])
    return {
      leavesValues: !isParsed,
      // What a stage changes is written with a schema that is registered here, so that comes first.
      prepare: inOrder([translation.prepare?.bind(translation), isParsed ? prepare : undefined, to.prepare?.bind(to)]),
      decode: (batch, failed) => {
        if (isParsed) decodeDocuments(batch, from, { attachMeta: attach, keys: keysFrom }, failed)
      },
      encode: (batch, failed) => {
        encodeDocuments(batch, to, options, failed)
        translateRows(batch, to, translation, failed)
      },
    }
  }
  const scanner = fields === undefined || from !== jsonCodec || attach || all ? undefined : new FieldScanner(fields)
  return {
    ...(scanner === undefined ? {} : { decodeFields: (batch, failed) => decodeFields(batch, scanner, failed) }),
    prepare: preparing([from, to, ...(attach || keyField !== undefined ? [keysFrom, keysTo] : [])]),
    decode: (batch, failed) => decodeDocuments(batch, from, { attachMeta: attach, keys: keysFrom }, failed),
    encode: (batch, failed) =>
      encodeDocuments(batch, to, { includeMeta, hasMeta: attach, all, keys: keysTo, keyField }, failed),
  }
}
