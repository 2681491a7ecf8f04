/**
 * The fields of a binding's records, in the order in which they are written: sorted by the bytes of their names.
 */
import { ProtocolViolationError } from '../../errors/index.ts'
import type { FieldSelection } from '../messages.ts'
import { compareUtf8 } from './record-text.ts'

/** Index of the element that holds the document, among keys and values. */
export const DOCUMENT = -1

/** One field of a record: where its value comes from, and what is written before it. */
export interface FieldSlot {
  readonly name: string
  /** Index among the elements of key and values, or `DOCUMENT`. */
  readonly element: number
  /** `{"name":` for the first field, `,"name":` for the others. */
  readonly prefix: Buffer
}

export interface RecordFields {
  /** In the order of the collection's key. */
  readonly keyNames: readonly string[]
  readonly keyCount: number
  readonly valueCount: number
  readonly hasDocument: boolean
  /** Fields of the record's key. */
  readonly key: readonly FieldSlot[]
  /** Fields of its value: those of the key, too. */
  readonly value: readonly FieldSlot[]
}

/** @throws {ProtocolViolationError} without a key */
export function recordFields({ keys = [], values = [], document = '' }: FieldSelection, place: string): RecordFields {
  if (keys.length === 0) throw new ProtocolViolationError(`Cannot use ${place} as its field selection has no keys`)
  const names = [...keys, ...values]
  const elements = names.map((name, element) => ({ name, element }))
  return {
    keyNames: keys,
    keyCount: keys.length,
    valueCount: values.length,
    hasDocument: document !== '',
    key: slots(elements.slice(0, keys.length)),
    value: slots(document === '' ? elements : [...elements, { name: document, element: DOCUMENT }]),
  }
}

/** Sorted; of two fields with one name the later one counts. */
function slots(fields: readonly { readonly name: string; readonly element: number }[]): FieldSlot[] {
  const byName = new Map(fields.map(({ name, element }) => [name, element]))
  return [...byName]
    .toSorted(([a], [b]) => compareUtf8(a, b))
    .map(([name, element], i) => ({
      name,
      element,
      prefix: Buffer.from(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    }))
}
