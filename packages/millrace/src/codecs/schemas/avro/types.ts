/**
 * How values of Avro look in documents, as types for `avsc`:
 *
 * | Avro | document |
 * |---|---|
 * | `long` | a number; beyond 2^53 an exact one, as JSON has it |
 * | `bytes`, `fixed` | base64 text |
 * | `decimal` | a number, exact where a double is not |
 * | union | the value, without the name of its branch |
 * | `date`, `time-*`, `timestamp-*` | the number that is stored |
 * | records | plain objects |
 *
 * `avsc` has public ways to extend its types, which cost a call for each value and do not reach unions that it takes for ambiguous;
 * so this file uses the methods that its own types consist of. It is pinned to an exact version for that.
 */
import type { Type } from 'avsc'
import { isExact } from '../../../records/exact-numbers.ts'
import type { NumberReader } from '../ready-schema.ts'

/** What all types of `avsc` are made of. */
export interface RawType extends Type {
  _read(tap: Tap): unknown
  _update(resolver: Resolver, writer: RawType, options: unknown): void
  readonly underlyingType?: RawType
}
interface Tap {
  readonly buf: Buffer
  pos: number
  readLong(): number
}
interface Resolver {
  _read: (tap: Tap) => unknown
}
interface Union {
  readonly types: readonly { _copy(value: unknown, options: unknown): unknown }[]
}
/** What `avsc` calls the reading of defaults. */
const FROM_SCHEMA = 2
interface Schema {
  readonly type?: unknown
  readonly logicalType?: unknown
  readonly precision?: unknown
  readonly scale?: unknown
  readonly size?: unknown
}
interface HookOptions {
  readonly registry: { [name: string]: RawType }
}
type LogicalClass = new (
  schema: unknown,
  options: unknown,
) => RawType & {
  readonly underlyingType: RawType
}
export type Avsc = typeof import('avsc')

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

/** Times that are points in time, so that a text or a date can stand for them. */
const INSTANTS: { readonly [logicalType: string]: TimeUnit } = {
  date: 'days',
  'timestamp-millis': 'millis',
  'timestamp-micros': 'micros',
  'timestamp-nanos': 'nanos',
  'local-timestamp-millis': 'millis',
  'local-timestamp-micros': 'micros',
  'local-timestamp-nanos': 'nanos',
}

/** A maker of types whose values look as documents have them. */
export function typeMaker(
  avsc: Avsc,
  numbers: NumberReader,
): (schema: unknown, registry: { [name: string]: RawType }) => RawType {
  const { Mapped, Long, Int } = classesOf(avsc, numbers)
  /** Schemas that a type of ours is being made of: their own type is made by `avsc`. */
  const making = new Set<unknown>()
  const typeHook = (schema: unknown, options: HookOptions): RawType | undefined => {
    if (making.has(schema)) return undefined
    if (schema === 'long') return (options.registry['long'] ??= new Long())
    if (schema === 'bytes') return mapped({ type: 'bytes' }, options, { kind: 'bytes' }, base64)
    if (Array.isArray(schema)) {
      const values = schema.filter((branch) => branch !== 'null')
      return values.length < 2 ? undefined : mapped(schema, options, { kind: 'union' }, unwrapped)
    }
    if (typeof schema !== 'object' || schema === null) return undefined
    const { type, logicalType } = schema as Schema
    if (type === 'bytes' || type === 'fixed') {
      const decimal = decimalOf(schema)
      return decimal === undefined
        ? mapped(schema, options, { kind: 'bytes' }, base64)
        : mapped(schema, options, decimal, (value) => decimalNumber(value as Buffer, decimal.scale, numbers))
    }
    const unit = typeof logicalType === 'string' ? INSTANTS[logicalType] : undefined
    if (type !== 'long' && (type !== 'int' || unit === undefined)) return undefined
    const made = type === 'long' ? new Long() : new Int()
    if (unit !== undefined) KINDS.set(made, { kind: 'time', unit })
    return made
  }
  function mapped(schema: unknown, options: HookOptions, kind: Kind, from: (value: unknown) => unknown): RawType {
    making.add(schema)
    try {
      return new Mapped(schema, options, kind, from)
    } finally {
      making.delete(schema)
    }
  }
  return (schema, registry) => {
    const type = avsc.Type.forSchema(
      schema as never,
      { registry, typeHook, omitRecordMethods: true } as never,
    ) as RawType
    makeRecordsPlain(type, new Set())
    return type
  }
}

/** The two kinds of types that `avsc` lacks. */
function classesOf(avsc: Avsc, numbers: NumberReader) {
  const LogicalType = avsc.types.LogicalType as unknown as LogicalClass
  /** A type whose values are turned into something else after they were read. */
  class Mapped extends LogicalType {
    readonly #kind: Kind
    readonly #from: (value: unknown) => unknown
    constructor(schema: unknown, options: unknown, kind: Kind, from: (value: unknown) => unknown) {
      super(schema, options)
      this.#kind = kind
      this.#from = from
      KINDS.set(this, kind)
    }
    override _read(tap: Tap): unknown {
      return this.#from(this.underlyingType._read(tap))
    }
    override _update(resolver: Resolver, writer: RawType, options: unknown): void {
      const own = this.#kind
      const other = kindOf(writer)
      // The specification: a decimal is read as one of the same scale only.
      if (own.kind === 'decimal' && other?.kind === 'decimal' && own.scale !== other.scale)
        throw new Error(`cannot read a decimal of scale ${other.scale} as one of scale ${own.scale}`)
      const inner = this.underlyingType.createResolver(
        writer.underlyingType ?? writer,
        options as never,
      ) as unknown as Resolver
      const from = this.#from
      resolver._read = (tap) => from(inner._read(tap))
    }
    /** Copies a default: as the schema has it, with `coerce`, or as documents have it. */
    _copy(value: unknown, options?: { readonly coerce?: number }): unknown {
      if (options?.coerce !== FROM_SCHEMA)
        return typeof value === 'object' && value !== null && !isExact(value) ? structuredClone(value) : value
      const own = this.#kind
      // The default of a union is one of its first branch.
      if (own.kind === 'union') return (this.underlyingType as unknown as Union).types[0]!._copy(value, options)
      return this.#from(Buffer.from(String(value), 'latin1'))
    }
    /** Values are written by `writer.ts`; `avsc` writes defaults ahead of time, which nothing uses. */
    _write(): void {}
    _fromValue(value: unknown): unknown {
      return this.#from(value)
    }
    _toValue(value: unknown): unknown {
      return value
    }
  }
  const LongType = avsc.types.LongType as unknown as new () => RawType
  /** Whole numbers of 64 bits, none of them rounded. */
  class Long extends LongType {
    override _read(tap: Tap): unknown {
      const { pos } = tap
      const value = tap.readLong()
      return value > -READ_EXACTLY && value < READ_EXACTLY ? value : exactLong(tap, pos, numbers)
    }
  }
  const IntType = avsc.types.IntType as unknown as new () => RawType
  /** Whole numbers of 32 bits that are a time; of a class of its own, as `avsc` shares no other. */
  class Int extends IntType {}
  return { Mapped, Long, Int }
}

/** Avro stores about twice a number, in which its sign is the last bit; avsc reads that as a double, exact to 2^53. */
const READ_EXACTLY = 2 ** 52

/** The same bytes again, without doubles. */
function exactLong({ buf }: Tap, start: number, numbers: NumberReader): unknown {
  let value = 0n
  for (let i = 0; i < 10; i++) {
    const byte = buf[start + i]
    // Cut off, which is reported at the end of the value.
    if (byte === undefined) return 0
    value |= BigInt(byte & 0x7f) << BigInt(7 * i)
    if (byte < 0x80) return numbers(String(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))))
  }
  throw new Error('is a long of more than 10 bytes')
}

function base64(value: unknown): unknown {
  return (value as Buffer | undefined)?.toString('base64')
}

function unwrapped(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'unwrap' in value
    ? (value as { unwrap(): unknown }).unwrap()
    : value
}

/** Undefined for what is no valid decimal, which the specification has read as what it is based on. */
function decimalOf({ logicalType, precision, scale = 0 }: Schema): (Kind & { readonly kind: 'decimal' }) | undefined {
  if (logicalType !== 'decimal' || !isCount(precision) || !isCount(scale) || precision === 0 || scale > precision)
    return undefined
  return { kind: 'decimal', precision, scale }
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0
}

/** A two's complement number, big-endian, with a point before its last digits. */
function decimalNumber(bytes: Buffer | undefined, scale: number, numbers: NumberReader): unknown {
  if (bytes === undefined) return undefined
  const unscaled = bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const point = digits.length - scale
  const fraction = scale === 0 ? '' : `.${digits.slice(point)}`
  return numbers(`${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${fraction}`)
}

/** Stages and JSON take records for what they are only when they are plain objects. */
function makeRecordsPlain(type: RawType, seen: Set<RawType>): void {
  if (seen.has(type)) return
  seen.add(type)
  const { recordConstructor, fields, types, itemsType, valuesType, underlyingType } = type as unknown as {
    readonly recordConstructor?: { prototype: object }
    readonly fields?: readonly { readonly type: RawType }[]
    readonly types?: readonly RawType[]
    readonly itemsType?: RawType
    readonly valuesType?: RawType
    readonly underlyingType?: RawType
  }
  if (recordConstructor !== undefined) recordConstructor.prototype = Object.prototype
  const inner = [...(fields ?? []).map((field) => field.type), ...(types ?? []), itemsType, valuesType, underlyingType]
  for (const one of inner) if (one !== undefined) makeRecordsPlain(one, seen)
}
