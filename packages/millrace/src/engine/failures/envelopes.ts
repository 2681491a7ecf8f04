/**
 * How a dead letter looks, and how it is read again.
 *
 * | envelope | key, value, headers of the record | why it failed |
 * |---|---|---|
 * | `headers` | as they were, byte by byte | headers `__millrace.errors.*` behind those of the record |
 * | `json` | fields `key`, `value`, `headers`; text, or `{"base64": ...}` where it is not UTF-8 | field `error` |
 * | `rivven` | value in `payload_b64`; key, headers and time beside it, as those of the letter | `error`, `retry_count` |
 * | `conveyor` | value in `record`, parsed where it is JSON, with its bytes in `payload_b64` where that does not tell all of it; key, headers and time beside it; no topic | `error`, `stage_id` |
 *
 * A row that was made of several records leaves a letter for each of them, which names the others.
 */
import { isUtf8 } from 'node:buffer'
import type { RowSource } from '../../records/batch.ts'
import { isExact, parseExactly } from '../../records/exact-numbers.ts'
import type { Header, ProducerRecord } from '../../records/record.ts'
import type { Failure } from './failures.ts'
import type { EnvelopeName } from '../plan.ts'

/** What the headers of a dead letter begin with, as Kafka Connect's do with `__connect.errors.`. */
export const HEADER_PREFIX = '__millrace.errors.'

/** A dead letter, whatever its envelope. */
export interface DeadLetter {
  /** The record as it was read; its topic is undefined where the envelope does not tell. */
  readonly record: {
    readonly key: Buffer | null
    readonly value: Buffer | null
    readonly headers: readonly Header[]
    readonly timestampMs?: number | undefined
  }
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly offset: string | undefined
  readonly error: { readonly code: string | undefined; readonly message: string }
}

/** Facts about a failure, as texts. */
function factsOf(
  { batch, row, error, attempts, madeOf }: Failure,
  pipeline: string,
  time: Date,
): { readonly [name: string]: string } {
  const component =
    'component' in error && typeof error.component === 'string' ? error.component : batch.origin.component
  return {
    topic: batch.topic,
    partition: String(batch.partition),
    offset: String(batch.offset(row)),
    timestamp: String(batch.timestampMs(row)),
    pipeline,
    component,
    code: error.code,
    message: error.message,
    attempts: String(attempts),
    time: time.toISOString(),
    ...(madeOf.length === 1 ? {} : { 'made-of': describeSources(madeOf) }),
  }
}

/** Records that are named in a letter when a row that was made of several failed; each of them has a letter of its own. */
const MOST_NAMED = 100

/** `orders-0@17, orders-1@4`, where the row that failed was made of these records. */
function describeSources(madeOf: readonly RowSource[]): string {
  const named = madeOf
    .slice(0, MOST_NAMED)
    .map(({ batch, row }) => `${batch.topic}-${batch.partition}@${batch.offset(row)}`)
  const more = madeOf.length - named.length
  return named.join(', ') + (more === 0 ? '' : ` and ${more} more`)
}

/** Makes the dead letter of a failure. Its time is that of the failure, so that retention counts from there. */
export function toLetter(
  envelope: EnvelopeName,
  failure: Failure,
  pipeline: string,
  time: Date,
): ProducerRecord & { readonly timestampMs: number } {
  const { batch, row, attempts } = failure
  const facts = factsOf(failure, pipeline, time)
  const [key, value, headers, timestampMs] = [batch.key(row), batch.value(row), batch.headers(row), time.getTime()]
  // The envelopes of other systems have no room for them.
  const ofHost = [...headers, [`${HEADER_PREFIX}timestamp`, facts['timestamp']!] as const]
  switch (envelope) {
    case 'headers':
      return {
        key,
        value,
        headers: [...headers, ...Object.entries(facts).map(([name, text]) => [HEADER_PREFIX + name, text] as const)],
        timestampMs,
      }
    case 'json': {
      const { topic, code, message, component } = facts
      const madeOfField = facts['made-of'] === undefined ? {} : { madeOf: facts['made-of'] }
      const at = {
        topic,
        partition: batch.partition,
        offset: Number(batch.offset(row)),
        timestamp: batch.timestampMs(row),
      }
      const texts = headers.map(([name, content]) => [name, toJson(content)])
      const record = { key: toJson(key), value: toJson(value), headers: texts }
      return {
        key,
        value: JSON.stringify({
          ...at,
          ...record,
          error: { code, message, component, pipeline, attempts, time: facts['time'], ...madeOfField },
        }),
        timestampMs,
      }
    }
    case 'rivven':
      return {
        key,
        value: JSON.stringify({
          original_topic: facts['topic'],
          connector_name: pipeline,
          payload_b64: value?.toString('base64') ?? null,
          error: `${facts['code']}: ${facts['message']}`,
          retry_count: attempts - 1,
          timestamp: facts['time'],
        }),
        headers: ofHost,
        timestampMs,
      }
    case 'conveyor':
      return {
        key,
        value: JSON.stringify({
          ...conveyorRecord(value),
          error: `${facts['code']}: ${facts['message']}`,
          stage_id: facts['component'],
          timestamp: facts['time'],
        }),
        headers: ofHost,
        timestampMs,
      }
  }
}

/** Reads a dead letter in any envelope; undefined when it is none. */
export function fromLetter({
  key,
  value,
  headers,
  timestampMs,
}: {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly Header[]
  readonly timestampMs?: number
}): DeadLetter | undefined {
  const facts = new Map(
    headers
      .filter(([name]) => name.startsWith(HEADER_PREFIX))
      .map(([name, content]) => [name.slice(HEADER_PREFIX.length), content?.toString() ?? '']),
  )
  // Envelopes of hosts have one header, the last one; those before it are the record's, whatever their names.
  const isOfHost = headers.at(-1)?.[0] === `${HEADER_PREFIX}timestamp`
  if (facts.has('topic') && !isOfHost) {
    // A record that was a dead letter before has headers like these of its own, in front.
    const added = headers.findLastIndex(([name]) => name === `${HEADER_PREFIX}topic`)
    return {
      record: {
        key,
        value,
        headers: headers.filter(([name], i) => i < added || !name.startsWith(HEADER_PREFIX)),
        timestampMs: timestampFrom(Number(facts.get('timestamp') ?? timestampMs)),
      },
      topic: facts.get('topic'),
      partition: Number(facts.get('partition')),
      offset: facts.get('offset'),
      error: { code: facts.get('code'), message: facts.get('message') ?? '' },
    }
  }
  const own = isOfHost ? headers.slice(0, -1) : headers
  const time = isOfHost ? timestampFrom(Number(facts.get('timestamp'))) : undefined
  const letter = parsedOrText(value)
  if (typeof letter !== 'object' || letter === null) return undefined
  return (
    fromJson(letter as { readonly [name: string]: unknown }) ??
    fromHosts(letter as { readonly [name: string]: unknown }, { key, headers: own, timestampMs: time })
  )
}

function fromJson(letter: { readonly [name: string]: unknown }): DeadLetter | undefined {
  const { topic, partition, offset, timestamp, key, value, headers, error } = letter
  if (typeof topic !== 'string' || typeof error !== 'object' || error === null || !Array.isArray(headers))
    return undefined
  const { code, message } = error as { readonly [name: string]: unknown }
  return {
    record: {
      key: bytesOf(key),
      value: bytesOf(value),
      headers: (headers as [string, unknown][]).map(([name, content]) => [name, bytesOf(content)]),
      timestampMs: timestampFrom(Number(timestamp)),
    },
    topic,
    partition: Number(partition),
    offset: String(offset),
    error: { code: String(code), message: String(message) },
  }
}

/** The envelopes of seeds 001 and 002. */
function fromHosts(
  letter: { readonly [name: string]: unknown },
  beside: Omit<DeadLetter['record'], 'value'>,
): DeadLetter | undefined {
  const { original_topic: topic, payload_b64: payload, record, error } = letter
  if (typeof error !== 'string') return undefined
  const code = /^([A-Z_]+): /.exec(error)?.[1]
  const rest = {
    partition: undefined,
    offset: undefined,
    error: { code, message: code === undefined ? error : error.slice(code.length + 2) },
  }
  if (typeof topic === 'string')
    return {
      ...rest,
      topic,
      record: { ...beside, value: typeof payload === 'string' ? Buffer.from(payload, 'base64') : null },
    }
  if (!('record' in letter)) return undefined
  const value = typeof payload === 'string' ? Buffer.from(payload, 'base64') : bytesOfRecord(record)
  return { ...rest, topic: undefined, record: { ...beside, value } }
}

/** The value as `record`, and as it was where that does not tell all of it: other bytes than UTF-8, `"text"` or `null` in JSON. Blanks of a document may be lost. */
function conveyorRecord(value: Buffer | null): { readonly record: unknown; readonly payload_b64?: string } {
  const record = parsedOrText(value)
  const isDocument = typeof record === 'object' && record !== null && !isExact(record)
  const isWhole = value === null || (isUtf8(value) && (isDocument || bytesOfRecord(record)?.equals(value) === true))
  return isWhole ? { record } : { record, payload_b64: value.toString('base64') }
}

function bytesOfRecord(record: unknown): Buffer | null {
  return record === null ? null : Buffer.from(typeof record === 'string' ? record : JSON.stringify(record))
}

/** -1 stands for a record without a time. */
function timestampFrom(ms: number): number | undefined {
  return ms >= 0 ? ms : undefined
}

function toJson(bytes: Buffer | null): unknown {
  if (bytes === null) return null
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') }
}

function bytesOf(content: unknown): Buffer | null {
  if (typeof content === 'string') return Buffer.from(content)
  const base64 =
    typeof content === 'object' && content !== null ? (content as { readonly base64?: unknown }).base64 : undefined
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : null
}

function parsedOrText(bytes: Buffer | null): unknown {
  if (bytes === null) return null
  const text = bytes.toString()
  try {
    return parseExactly(text)
  } catch {
    return text
  }
}
