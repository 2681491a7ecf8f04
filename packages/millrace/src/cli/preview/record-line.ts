/**
 * A record as one line of JSON.
 *
 * A value that is JSON stands in the line as it is, so no digit of a large number is lost (I7).
 */
import { isUtf8 } from 'node:buffer'
import type { Batch, Payload } from '../../records/batch.ts'
import { codecByName } from '../../codecs/index.ts'
import { headersOf } from '../../codecs/meta.ts'

/** @param codec name of the codec of the values */
export function recordLine(batch: Batch, row: number, codec: string): string {
  return line(batch, row, codec, placeOf(batch, row))
}

/** A record that would be written: its topic and offset are those of the record that it was made of, below `from`. */
export function writtenLine(batch: Batch, row: number, codec: string): string {
  return line(batch, row, codec, { from: placeOf(batch, row) })
}

function placeOf(batch: Batch, row: number): object {
  return { topic: batch.topic, partition: batch.partition, offset: Number(batch.offset(row)) }
}

function line(batch: Batch, row: number, codec: string, place: object): string {
  const value = shownValue(batch, row, codec)
  const key = batch.keys?.[row] === undefined ? batch.key(row) : batch.keys[row]
  const timestampMs = batch.timestampMs(row)
  const shown = {
    ...place,
    timestamp: timestampMs < 0 ? null : new Date(timestampMs).toISOString(),
    ...named('key', textOf(key)),
    ...headersOf(batch.headers(row)),
  }
  const encoding = value.encoding === undefined ? '' : `,"valueEncoding":"${value.encoding}"`
  return `${JSON.stringify(shown).slice(0, -1)},"value":${value.json}${encoding}}`
}

/** The value alone: JSON in one line, other text as it is, other bytes in base64. */
export function valueLine(batch: Batch, row: number, codec: string): string {
  const { json, encoding } = shownValue(batch, row, codec)
  return encoding === undefined ? json : (JSON.parse(json) as string)
}

/** A line as data that `JSON.stringify` writes back digit by digit. */
export function parseLine(line: string): { readonly [name: string]: unknown } {
  // ES2025 gives a reviver the text of a number and JSON.rawJSON writes one; TypeScript's library does not know yet.
  const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }
  return JSON.parse(line, (_, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
      ? rawJSON(context.source)
      : value,
  ) as { readonly [name: string]: unknown }
}

interface Shown {
  readonly json: string
  /** How `json`, a text, stands for something that is no JSON. */
  readonly encoding?: 'text' | 'base64'
}

function shownValue(batch: Batch, row: number, codec: string): Shown {
  const replaced = batch.payloads?.[row]
  const payload = replaced === undefined ? batch.value(row) : replaced
  if (payload === null) return { json: 'null' }
  const bytes = Buffer.from(payload)
  if (isUtf8(bytes) && isJson(bytes.toString())) return { json: bytes.toString().replaceAll(/[\r\n]+/g, ' ') }
  const decoded = codec === 'json' || codec === 'bytes' ? undefined : decode(codec, bytes)
  if (decoded !== undefined) return { json: JSON.stringify(decoded) }
  const { text, encoding } = textOf(bytes)
  return { json: JSON.stringify(text), encoding: encoding ?? 'text' }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What one of Kafka's own formats says; undefined when the bytes are not in that format. */
function decode(codec: string, bytes: Buffer): unknown {
  try {
    return (codecByName(codec).decode(bytes) as { readonly value?: unknown }).value
  } catch {
    return undefined
  }
}

function textOf(payload: Payload): { readonly text: string | null; readonly encoding?: 'base64' } {
  if (payload === null || typeof payload === 'string') return { text: payload }
  return isUtf8(payload) ? { text: payload.toString() } : { text: payload.toString('base64'), encoding: 'base64' }
}

function named(name: string, { text, encoding }: ReturnType<typeof textOf>): { readonly [name: string]: unknown } {
  return { [name]: text, ...(encoding === undefined ? {} : { [`${name}Encoding`]: encoding }) }
}
