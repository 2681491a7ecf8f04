/** Keys taken from a field of each document. */
import type { KeyCodec } from '../contracts/codec.ts'
import { TEXT_KEYS } from '../contracts/codec-names.ts'
import type { Batch, Payload } from '../records/batch.ts'
import { withExactNumbers } from '../records/exact-numbers.ts'
import { restorerOfMadeRows } from './made-rows.ts'

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
  if (value === undefined || value === null) return null
  if (keys.name === TEXT_KEYS) return textOf(value, path.at(-1)!, batch, row)
  // Every digit counts for a long.
  const isRounded = typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER
  return keys.encode(isRounded && Number.isInteger(value) ? textOf(value, path.at(-1)!, batch, row) : value)
}

function textOf(value: unknown, name: string, batch: Batch, row: number): string {
  if (typeof value === 'string') return value
  const restore = restorerOfMadeRows(batch)
  const text = JSON.stringify(restore === undefined ? value : restore(value))
  if (typeof value === 'boolean' || restore !== undefined) return text
  const original = batch.value(row)
  if (original === null) return text
  const before = `{${JSON.stringify(name)}:`
  return withExactNumbers({ [name]: value }, `${before}${text}}`, original).slice(before.length, -1)
}
