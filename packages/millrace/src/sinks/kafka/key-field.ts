/** Keys taken from a field of each document. */
import type { Batch, Payload } from '../../batch.ts'

/**
 * Key of each row: the text of the field at a dotted path. Text is taken as it is, everything else as JSON (a number as its
 * digits); where the field is missing or null the record gets no key.
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
    keys.push(value === undefined || value === null ? null : typeof value === 'string' ? value : JSON.stringify(value))
  }
  return keys
}
