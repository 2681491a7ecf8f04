/**
 * The event envelope of Rivven: how a record stands in a topic of the hub.
 *
 * ```
 * { event_type, stream, namespace?, timestamp, data, metadata: { position, kafka_partition, kafka_offset, kafka_timestamp,
 *   kafka_key?, kafka_headers?, kafka_encoding? } }
 * ```
 *
 * `data` is the value as it came: JSON in the very characters of the record, other text as JSON text. What `data` cannot
 * say by itself is in `kafka_encoding`, so that the same bytes come out again: `text` (not JSON), `base64` (not UTF-8),
 * `tombstone` (null). Key, headers and time of the record are those of the hub's record too; `metadata` repeats them for
 * readers. May import batches and errors.
 */
import { isUtf8 } from 'node:buffer'
import type { Batch } from '../records/batch.ts'
import { parseExactly, stringifyExactly } from '../records/exact-numbers.ts'

export type Encoding = 'text' | 'base64' | 'tombstone'

/** An event as it was parsed. */
export interface HubEvent {
  event_type: string
  stream: string
  namespace?: string
  timestamp?: string
  data: unknown
  metadata?: { [name: string]: unknown }
  [name: string]: unknown
}

/** Fields of the envelope itself; every other name means a field of `data`. */
export const ENVELOPE_FIELDS: ReadonlySet<string> = new Set([
  'event_type',
  'stream',
  'namespace',
  'timestamp',
  'data',
  'metadata',
])

/** Events that carry no record. */
const CONTROL_EVENTS: ReadonlySet<string> = new Set(['state', 'log', 'schema'])

export interface EnvelopeOptions {
  readonly stream: string
  readonly namespace: string | undefined
  /** Put the key into `metadata.kafka_key`. */
  readonly includeKey: boolean
  /** Put the headers into `metadata.kafka_headers`. */
  readonly includeHeaders: boolean
  /** Where the record came from, in `metadata`; without it only what is needed to get the value back. */
  readonly includePosition: boolean
}

/** Text of the event for a row. @param value what stands for the row: its stored value, or what stages made of it */
export function eventText(
  batch: Batch,
  row: number,
  value: Buffer | string | null,
  options: EnvelopeOptions,
  now: string,
): string {
  const { data, encoding } = dataOf(value)
  const { stream, namespace } = options
  const space = namespace === undefined ? '' : `"namespace":${JSON.stringify(namespace)},`
  const metadata = metadataOf(batch, row, encoding, options)
  return `{"event_type":"record","stream":${JSON.stringify(stream)},${space}"timestamp":"${now}","data":${data},"metadata":{${metadata}}}`
}

function metadataOf(batch: Batch, row: number, encoding: Encoding | undefined, options: EnvelopeOptions): string {
  const parts: string[] = []
  if (options.includePosition) {
    const offset = batch.offset(row)
    const position = JSON.stringify(`${batch.topic}:${batch.partition}:${offset}`)
    parts.push(
      `"position":${position},"kafka_partition":${batch.partition},"kafka_offset":${offset},"kafka_timestamp":${batch.timestampMs(row)}`,
    )
  }
  const key = options.includeKey ? batch.key(row) : null
  if (key !== null) parts.push(`"kafka_key":${JSON.stringify(key.toString())}`)
  const headers = options.includeHeaders ? batch.headers(row) : []
  // An object, as readers of the envelope expect; of a name that is repeated the last one stands.
  if (headers.length > 0)
    parts.push(
      `"kafka_headers":${JSON.stringify(Object.fromEntries(headers.map(([name, bytes]) => [name, bytes?.toString() ?? null])))}`,
    )
  if (encoding !== undefined) parts.push(`"kafka_encoding":"${encoding}"`)
  return parts.join(',')
}

/** A value as JSON text, and how to get it back where that text alone does not say. */
function dataOf(value: Buffer | string | null): { readonly data: string; readonly encoding: Encoding | undefined } {
  if (value === null) return { data: 'null', encoding: 'tombstone' }
  const text = typeof value === 'string' ? value : value.toString()
  if (typeof value !== 'string' && text.includes('\uFFFD') && !isUtf8(value))
    return { data: JSON.stringify(value.toString('base64')), encoding: 'base64' }
  try {
    JSON.parse(text)
    return { data: text, encoding: undefined }
  } catch {
    return { data: JSON.stringify(text), encoding: 'text' }
  }
}

/** Parses the value of a hub record; undefined when it is no event, for instance written by a program that knows no envelope. */
export function parseEvent(text: string): HubEvent | undefined {
  if (!text.includes('"event_type"')) return undefined
  try {
    const value = parseExactly(text)
    return isEvent(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isEvent(value: unknown): value is HubEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { event_type: type, stream } = value as Partial<HubEvent>
  return typeof type === 'string' && typeof stream === 'string' && Object.hasOwn(value, 'data')
}

/** Whether an event tells of the stream instead of carrying a record. */
export function isControlEvent({ event_type: type }: HubEvent): boolean {
  return CONTROL_EVENTS.has(type)
}

/**
 * The value of the record that an event carries.
 * @param text the event as it was written, when nothing of it was changed: its data then goes out in the same characters
 */
export function valueOf(event: HubEvent, text: string | undefined): Buffer | string | null {
  const encoding = event.metadata?.['kafka_encoding']
  const { data } = event
  if (encoding === 'tombstone' && data === null) return null
  if (encoding === 'text' && typeof data === 'string') return data
  if (encoding === 'base64' && typeof data === 'string') return Buffer.from(data, 'base64')
  const raw = text === undefined ? undefined : rawMember(text, 'data')
  if (raw === undefined) return stringifyExactly(data)
  // What is written without blanks has none around the value, but those of the value itself.
  return text!.startsWith(COMPACT) ? raw : raw.trim()
}

const COMPACT = '{"event_type":"'

const QUOTE = 34
const BACKSLASH = 92

/** The characters of a member of a JSON object, blanks around them included, without parsing them; undefined when it has none of that name. @param text valid JSON */
export function rawMember(text: string, name: string): string | undefined {
  const wanted = `"${name}"`
  let found: string | undefined
  let depth = 0
  let memberStart = -1
  let isWanted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const start = at
      at = endOfString(text, at)
      if (depth === 1 && memberStart < 0) isWanted = text.slice(start, at + 1) === wanted
    } else if (code === 0x7b || code === 0x5b) {
      depth++
    } else if (code === 0x3a && depth === 1 && memberStart < 0) {
      memberStart = at + 1
    } else if (code === 0x7d || code === 0x5d || (code === 0x2c && depth === 1)) {
      // As JSON.parse does, the last of several members of one name counts.
      if (depth === 1 && isWanted && memberStart >= 0) found = text.slice(memberStart, at)
      if (depth === 1) memberStart = -1
      if (code !== 0x2c) depth--
    }
  }
  return found
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (text.charCodeAt(end - 1) === BACKSLASH && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let count = 0
  while (text.charCodeAt(at - 1 - count) === BACKSLASH) count++
  return count % 2 === 1
}
