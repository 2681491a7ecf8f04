/** Keys taken from a field of each document. */
import type { KeyCodec } from '../contracts/codec.ts'
import { TEXT_KEYS } from '../contracts/codec-names.ts'
import type { Batch, Payload } from '../records/batch.ts'
import { isExact, stringifyExactly, type ExactNumber } from '../records/exact-numbers.ts'
import { exactIn } from '../records/row-digits.ts'

/**
 * Key of a row: the field at a dotted path, as the codec writes it; null where the field is missing or null. As text, text is
 * taken as it is, everything else as JSON, a number as the digits that came in.
 *
 * @throws {EncodeError} when the codec cannot write the field
 */
export function keyFromField(batch: Batch, row: number, path: readonly string[], keys: KeyCodec): Payload {
  let value: unknown = batch.documents?.[row]
  for (const name of path) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as { readonly [name: string]: unknown })[name]
        : undefined
  }
  return keyOf(value, path, batch, row, keys)
}

/** No field of any record: where a stage puts a value that it may have taken from anywhere. */
const ELSEWHERE = ['']

/**
 * A value as the key of a row, with the digits that came in; null where there is none.
 *
 * @param path where the value is in the document; undefined where a stage has put it into `_meta`
 * @throws {EncodeError} when the codec cannot write it, or digits would be lost
 */
export function keyOf(
  value: unknown,
  path: readonly string[] | undefined,
  batch: Batch,
  row: number,
  keys: KeyCodec,
): Payload {
  if (value === undefined || value === null) return null
  const isText = keys.name === TEXT_KEYS
  if (isText && typeof value === 'string') return value
  const exact = exactIn(value, path ?? ELSEWHERE, batch, row)
  if (isText) return stringifyExactly(exact)
  return keys.encode(isExact(exact) && !TAKE_DIGITS.has(keys.name) && keys.wire === undefined ? plain(exact) : exact)
}

/** Formats that write JSON, as those with a schema write numbers with all their digits. */
const TAKE_DIGITS: ReadonlySet<string> = new Set(['json', 'bytes'])

/** For Kafka's own formats: every digit counts for a long. */
function plain({ rawJSON: digits }: ExactNumber): number | string {
  const number = Number(digits)
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(digits) ? number : digits
}
