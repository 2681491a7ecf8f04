/** What the types of `avsc` consist of, and what those of ours are besides. */
import type { Type } from 'avsc'

export type Avsc = typeof import('avsc')

/** What all types of `avsc` are made of. */
export interface RawType extends Type {
  _read(tap: Tap): unknown
  _update(resolver: Resolver, writer: RawType, options: unknown): void
  readonly underlyingType?: RawType
}
export interface Tap {
  readonly buf: Buffer
  pos: number
  readLong(): number
  readString(): string
}
export interface Resolver {
  _read: (tap: Tap) => unknown
}
/** What a type of ours is, for the writer. */
export type Kind =
  | { readonly kind: 'bytes' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  | { readonly kind: 'union' }

/** Units of the numbers that times are stored as. */
export type TimeUnit = 'days' | 'millis' | 'micros' | 'nanos'

/** Beside the types, as `avsc` freezes them. */
const KINDS = new WeakMap<object, Kind>()

export function kindOf(type: Type): Kind | undefined {
  return KINDS.get(type)
}

export function setKind(type: object, kind: Kind): void {
  KINDS.set(type, kind)
}
