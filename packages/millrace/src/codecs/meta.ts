/**
 * `_meta`: where a record came from, beside the fields of its document.
 *
 * ```
 * { topic, partition, offset, timestamp, key, headers, headersEncoding?, tombstone? }
 * ```
 *
 * `offset` is a number, `timestamp` milliseconds since 1970 (-1 when the record has none), `key` what the codec of keys reads
 * (by default the text of the key, base64 when it is not UTF-8), null when there is none; `headers` an object with the texts of the headers, a list where a
 * name is repeated; `headersEncoding` names those of which one is base64, as it is not UTF-8; `tombstone: true` when the value was null.
 *
 * What is attached here is not part of the value: it takes the place of a field `_meta` that the value may have while
 * stages run, it does not make a document count as changed, and it is left out when the document is written, unless the
 * sink includes it. A stage that writes the whole field (`$set: {_meta: ...}`, `$project: {_meta: 1}`) makes it part of the
 * value. A stage that writes `_meta.key` gives the record another key.
 */
import { isUtf8 } from 'node:buffer'
import type { KeyCodec } from '../contracts/codec.ts'
import type { Batch } from '../records/batch.ts'
import type { Header } from '../records/record.ts'
import { textOf } from './keys.ts'

/** Marks what was attached; copies made by spread carry the mark too, and point to the original. */
const ATTACHED: unique symbol = Symbol('attached')

interface Meta {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: unknown
  readonly headers: { readonly [name: string]: unknown }
  readonly headersEncoding?: { readonly [name: string]: 'base64' }
  readonly tombstone?: boolean
  [ATTACHED]?: Meta
}

export interface WithMeta {
  _meta?: Meta | undefined
}

/** Puts `_meta` on a document that was just parsed. */
export function attachMeta(document: WithMeta, batch: Batch, row: number, keys: KeyCodec): void {
  const { offsets, timestamps } = batch.records
  const record = batch.recordOf(row)
  const meta: Meta = {
    topic: batch.topic,
    partition: batch.partition,
    offset: offsets[record]!,
    timestamp: timestamps[record]!,
    key: keys.decode(batch.key(row), batch, row),
    ...headersOf(batch.headers(row)),
    ...(batch.value(row) === null ? { tombstone: true } : {}),
  }
  meta[ATTACHED] = meta
  document._meta = meta
}

/** The attached `_meta` of a document, or a copy of it in which a stage changed something; undefined for any other. */
export function attachedMeta(document: WithMeta): Meta | undefined {
  const meta = document._meta
  return typeof meta === 'object' && meta !== null && meta[ATTACHED] !== undefined ? meta : undefined
}

/** A document that contains itself is for the codec to refuse. */
const DEEPEST = 1000

/**
 * Takes `_meta` away from all documents within a document to which it was attached: those that a stage has put there, as
 * `$push: $$ROOT` does. What a stage writes under another name stays.
 * @returns puts it back, as the same documents may go elsewhere, too; undefined where there is none
 */
export function hideMeta(document: unknown): (() => void) | undefined {
  const hidden: (readonly [WithMeta, Meta])[] = []
  const look = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > DEEPEST) return
    if (Array.isArray(value)) {
      for (const item of value) look(item, depth + 1)
      return
    }
    const meta = attachedMeta(value)
    if (meta !== undefined) {
      hidden.push([value, meta])
      // No copy, as undefined fields are not written.
      ;(value as WithMeta)._meta = undefined
    }
    // By name, as lists of all values would be made for nothing.
    for (const name in value) look((value as { readonly [name: string]: unknown })[name], depth + 1)
  }
  look(document, 0)
  if (hidden.length === 0) return undefined
  return () => {
    for (const [within, meta] of hidden) within._meta = meta
  }
}

/** What a stage made the key of a record by writing `_meta.key`, null for none; undefined when the stored key stays. */
export function changedKey(meta: Meta): unknown {
  if (meta[ATTACHED] === meta || meta.key === meta[ATTACHED]!.key) return undefined
  return meta.key ?? null
}

/** Headers by name, a list where a name is repeated, and which of them are not text. */
export function headersOf(headers: readonly Header[]): Pick<Meta, 'headers' | 'headersEncoding'> {
  if (headers.length === 0) return { headers: {} }
  const texts = new Map<string, unknown>()
  const encodings: [string, 'base64'][] = []
  for (const [name, value] of headers) {
    const known = texts.get(name)
    const text = textOf(value)
    texts.set(name, texts.has(name) ? (Array.isArray(known) ? [...(known as unknown[]), text] : [known, text]) : text)
    if (value !== null && !isUtf8(value)) encodings.push([name, 'base64'])
  }
  return {
    headers: Object.fromEntries(texts),
    ...(encodings.length === 0 ? {} : { headersEncoding: Object.fromEntries(encodings) }),
  }
}
