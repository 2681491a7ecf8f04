/** Keys taken from a field of each document. */
import type { Batch, Payload } from '../../records/batch.ts'
import { withExactIntegers } from '../../records/exact-integers.ts'

/**
 * Key of each row: the text of the field at a dotted path. Text is taken as it is, everything else as JSON (a number as the
 * digits that came in); where the field is missing or null the record gets no key.
 */
export function keysFromField(batch: Batch, path: string): Payload[] {
  const names = path.split('.')
  const keys: Payload[] = []
  for (let row = 0; row < batch.length; row++) {
    let value: unknown = batch.documents?.[row]
    for (const name of names) {
      value =
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as { readonly [name: string]: unknown })[name]
          : undefined
    }
    keys.push(value === undefined || value === null ? null : textOf(value, names.at(-1)!, batch, row))
  }
  return keys
}

function textOf(value: unknown, name: string, batch: Batch, row: number): string {
  if (typeof value === 'string') return value
  const text = JSON.stringify(value)
  if (typeof value !== 'object' && !(Math.abs(Number(value)) > Number.MAX_SAFE_INTEGER)) return text
  const original = batch.value(row)
  if (original === null) return text
  const before = `{${JSON.stringify(name)}:`
  return withExactIntegers({ [name]: value }, `${before}${text}}`, original).slice(before.length, -1)
}
