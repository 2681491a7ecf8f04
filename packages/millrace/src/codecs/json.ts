/**
 * JSON in UTF-8, one value per record.
 *
 * An object is the document itself. Any other value `x` becomes `{value: x}`, a tombstone `{value: null}`.
 */
import { isUtf8 } from 'node:buffer'
import type { Codec } from '../contracts/codec.ts'
import { DecodeError, EncodeError } from '../errors/index.ts'
import { jsonTextOf } from '../records/exact-numbers.ts'
import { JSON_DECODING } from './decoded-digits.ts'

/** Longest excerpt of a value in an error text. */
const EXCERPT = 60

export const jsonCodec = {
  name: 'json',
  digits: JSON_DECODING,

  decode(value: Buffer | null): unknown {
    return value === null ? { value: null } : parseDocument(value, 0, value.length)
  },

  /** @throws {EncodeError} for what JSON cannot hold: a BigInt, a cycle, Infinity, nesting that exhausts the stack */
  encode(document: unknown): string {
    try {
      const text = jsonTextOf(document)
      if (text !== undefined) return text
    } catch (cause) {
      if (cause instanceof EncodeError) throw cause
      throw new EncodeError(`Cannot write the document as JSON: ${reasonOf(cause)}`, { cause })
    }
    throw new EncodeError(`Cannot write the document as JSON as JSON has no such value: it is a ${typeof document}`)
  },
} as const satisfies Codec

/**
 * Parses one value. Reading text straight from the bytes of the batch, without a view, and parsing it by itself was the
 * fastest of seven variants measured; joining many values into one text to parse them at once gains nothing.
 *
 * @throws {DecodeError} without the place of the record, which the caller adds
 */
export function parseDocument(bytes: Buffer, start: number, end: number): unknown {
  const text = bytes.toString('utf8', start, end)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new DecodeError('value', explain(bytes, start, end, text, cause as SyntaxError), { cause })
  }
  // Malformed UTF-8 reads as U+FFFD; a document that is written again would then differ from what came in (I7).
  if (text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end)))
    throw new DecodeError('value', `it is not valid UTF-8: ${excerpt(text, text.indexOf('\uFFFD'))}`)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { value }
}

function explain(bytes: Buffer, start: number, end: number, text: string, cause: SyntaxError): string {
  if (start === end) return 'it is empty, which is neither JSON nor a tombstone'
  if (bytes[start] === 0 && end - start > 5) {
    return `it starts with a zero byte, which often means that it has a schema registry header: schema id ${bytes.readUInt32BE(start + 1)}`
  }
  const position = /position (\d+)/.exec(cause.message)?.[1]
  const reason = cause.message.replace(/ in JSON at position.*$/s, '').replace(/, (?:\.\.\.)?".*$/s, '')
  return position === undefined
    ? `${reason}: ${excerpt(text, 0)}`
    : `${reason} at position ${position}: ${excerpt(text, Number(position))}`
}

/** Up to 60 characters around a position, quoted. */
function excerpt(text: string, position: number): string {
  const from = Math.max(0, Math.min(position - EXCERPT / 2, text.length - EXCERPT))
  const to = from + EXCERPT
  return `${from > 0 ? '...' : ''}${JSON.stringify(text.slice(from, to))}${to < text.length ? '...' : ''}`
}

export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0]!.replace(/\.$/, '') : String(cause)
}
