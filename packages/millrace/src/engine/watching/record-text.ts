/**
 * Records as text for the dashboard: bounded, and with their values hidden where that is asked for. Only for what is looked at:
 * nothing here may be called for every record.
 */
import { isUtf8 } from 'node:buffer'
import type { Batch } from '../../records/batch.ts'
import { exactRow } from '../../records/row-digits.ts'
import type { ConsumerRecord } from '../../records/record.ts'

/** A record to be shown. */
export interface RecordText {
  readonly topic: string
  readonly partition: number
  /** In digits. */
  readonly offset: string
  /** ISO 8601; undefined when the record has none. */
  readonly timestamp: string | undefined
  readonly key: string | null
  /** Null for a tombstone. */
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string | null])[]
}

const MOST_OF_VALUE = 4000
const MOST_OF_KEY = 200
const MOST_HEADERS = 20
/** What stands for a value that is hidden. */
const HIDDEN = '•••'

/** @param hides whether keys, values and headers are replaced: names of fields stay */
export function recordText(record: ConsumerRecord, hides: boolean): RecordText {
  const { topic, partition, offset, timestampMs, key, value, headers } = record
  return {
    topic,
    partition,
    offset: String(offset),
    timestamp: timestampMs < 0 ? undefined : new Date(timestampMs).toISOString(),
    key: bytesText(key, hides, MOST_OF_KEY),
    value: bytesText(value, hides, MOST_OF_VALUE),
    headers: headers
      .slice(0, MOST_HEADERS)
      .map(
        ([name, header]) =>
          [name, bytesText(typeof header === 'string' ? Buffer.from(header) : header, hides, MOST_OF_KEY)] as const,
      ),
  }
}

/** The value of a row as the last stage left it. */
export function valueText(batch: Batch, row: number, hides: boolean): string | null {
  const document = batch.documents?.[row]
  if (batch.replaced?.[row] === 1) return documentText(withDigits(document, batch, row), hides)
  const value = batch.value(row)
  if (value !== null && document !== undefined && !isUtf8(value))
    return documentText(withDigits(document, batch, row), hides)
  return bytesText(value, hides, MOST_OF_VALUE)
}

/** As it would be written; with doubles where that would fail. */
function withDigits(document: unknown, batch: Batch, row: number): unknown {
  try {
    return exactRow(document, batch, row)
  } catch {
    return document
  }
}

function bytesText(bytes: Buffer | null, hides: boolean, most: number): string | null {
  if (bytes === null) return null
  if (!isUtf8(bytes)) return hides ? HIDDEN : cut(`base64: ${bytes.toString('base64', 0, most)}`, most)
  const text = bytes.toString()
  if (!hides) return cut(text, most)
  try {
    return cut(JSON.stringify(hidden(JSON.parse(text))), most)
  } catch {
    return HIDDEN
  }
}

function documentText(document: unknown, hides: boolean): string {
  try {
    const text = JSON.stringify(hides ? hidden(document) : document, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    return cut(text ?? String(document), MOST_OF_VALUE)
  } catch {
    return 'cannot be shown as JSON'
  }
}

/** The same shape without what it says. */
function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden)
  if (typeof value !== 'object' || value === null || isLeaf(value)) return HIDDEN
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, hidden(field)]))
}

/** Dates, bytes and exact numbers, for instance, are one value. */
function isLeaf(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== Object.prototype && prototype !== null
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text
}
