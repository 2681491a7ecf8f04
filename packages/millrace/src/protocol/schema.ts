/**
 * How a message is described: tables of fields, as Kafka's message definitions have them. The tables of all messages are
 * generated into `messages/`; `compile.ts` makes readers and writers of them.
 */
import { ZERO_UUID } from './reader.ts'

export const PRIMITIVES = [
  'bool',
  'int8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'float64',
  'uuid',
  'string',
  'bytes',
  'records',
] as const
export type Primitive = (typeof PRIMITIVES)[number]

/** Fields in the order in which they are sent. */
export type Fields = readonly Field[]

export interface Field {
  readonly name: string
  /** A primitive type, or the fields of a structure. */
  readonly type: Primitive | Fields
  /** Whether it is an array of the type. */
  readonly array?: true
  /** First version that has the field; 0 when omitted. */
  readonly since?: number
  /** Last version that has it; all later ones when omitted. */
  readonly until?: number
  /** First version in which it may be null; none when omitted. */
  readonly nullable?: number
  /** Number of a tagged field, which is sent only when it differs from the default (KIP-482). */
  readonly tag?: number
  /** First version in which it is tagged; required with `tag`. */
  readonly tagSince?: number
  /** What it is when it is not sent; zero, false, empty, or a structure of defaults when omitted. */
  readonly default?: number | boolean | string | null
  /** Whether a value other than the default is dropped, instead of refused, in a version without the field. */
  readonly ignorable?: true
  /** Strings keep their 16-bit length in flexible versions, too. Only the client id of a request header. */
  readonly rigid?: true
}

export type Structure = { [name: string]: unknown }

/** Whether a version has the field, as an ordinary or a tagged one. */
export function isIn(field: Field, version: number): boolean {
  return version >= (field.since ?? 0) && version <= (field.until ?? Infinity)
}

export function isTagged(field: Field, version: number): boolean {
  return field.tag !== undefined && version >= field.tagSince!
}

const NO_BYTES = Buffer.alloc(0)
const NO_ELEMENTS: readonly unknown[] = Object.freeze([])

const IMPLICIT: { readonly [type in Primitive]: unknown } = {
  bool: false,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  uint32: 0,
  int64: 0,
  float64: 0,
  uuid: ZERO_UUID,
  string: '',
  bytes: NO_BYTES,
  records: NO_BYTES,
}

const defaults = new WeakMap<Fields, Structure>()

/** A structure whose fields all have their defaults; the same frozen object for each call. */
export function defaultsOf(fields: Fields): Structure {
  let known = defaults.get(fields)
  if (known === undefined) {
    known = Object.freeze(Object.fromEntries(fields.map((field) => [field.name, defaultOf(field)])))
    defaults.set(fields, known)
  }
  return known
}

export function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default
  if (field.array === true) return NO_ELEMENTS
  return typeof field.type === 'string' ? IMPLICIT[field.type] : defaultsOf(field.type)
}

/** Whether a value is the default of the field; `undefined` is. */
export function isDefault(field: Field, value: unknown): boolean {
  if (value === undefined) return true
  const fallback = defaultOf(field)
  if (value === null || fallback === null) return value === fallback
  if (field.array === true) return (value as readonly unknown[]).length === 0
  if (field.type === 'bytes' || field.type === 'records') return (value as Uint8Array).length === 0
  if (typeof field.type === 'string') return value === fallback
  return field.type.every((part) => isDefault(part, (value as Structure)[part.name]))
}
