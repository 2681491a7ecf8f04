/**
 * How values of Avro look in documents, as types for `avsc`:
 *
 * | Avro | document |
 * |---|---|
 * | `long` | a number |
 * | `bytes`, `fixed` | base64 text |
 * | `decimal` | a number |
 * | union | the value, without the name of its branch; beside `string`, bytes keep it: `{"bytes": "…"}` |
 * | `date`, `time-*`, `timestamp-*` | the number that is stored |
 * | records | plain objects |
 *
 * `avsc` has public ways to extend its types, which cost a call for each value and do not reach unions that it takes for ambiguous;
 * so this file uses the methods that its own types consist of. It is pinned to an exact version for that.
 */
import type { NumberReader } from '../ready-schema.ts'
import { type FromStored, mappedClass, numberClasses, unionClass } from './classes.ts'
import { collectionClasses } from './collections.ts'
import { type Avsc, type Kind, type RawType, setKind, type TimeUnit } from './raw-types.ts'

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

/** Makes types whose values look as documents have them. @param registry of the names that the schema may use */
export type TypeMaker = (schema: unknown, registry: { [name: string]: RawType }) => RawType

export function typeMaker(avsc: Avsc, numbers: NumberReader): TypeMaker {
  const Mapped = mappedClass(avsc, numbers)
  const Union = unionClass(Mapped)
  const { Long, Int } = numberClasses(avsc, numbers)
  const { List, Entries } = collectionClasses(avsc)
  /** Schemas that a type of ours is being made of: their own type is made by `avsc`. */
  const making = new Set<unknown>()
  const typeHook = (schema: unknown, options: HookOptions): RawType | undefined => {
    if (making.has(schema)) return undefined
    if (schema === 'long') return (options.registry['long'] ??= new Long())
    if (schema === 'bytes') return mapped({ type: 'bytes' }, options, { kind: 'bytes' }, base64)
    if (Array.isArray(schema)) {
      const values = schema.filter((branch) => branch !== 'null')
      return values.length < 2 ? undefined : wrapped(schema, () => new Union(schema, options))
    }
    if (typeof schema !== 'object' || schema === null) return undefined
    const { type, logicalType } = schema as Schema
    if (type === 'array') return new List(schema, options)
    if (type === 'map') return new Entries(schema, options)
    if (type === 'bytes' || type === 'fixed') {
      const decimal = decimalOf(schema)
      return decimal === undefined
        ? mapped(schema, options, { kind: 'bytes' }, base64)
        : mapped(schema, options, decimal, (value, read = numbers) =>
            decimalNumber(value as Buffer, decimal.scale, read),
          )
    }
    const unit = typeof logicalType === 'string' ? INSTANTS[logicalType] : undefined
    if (type !== 'long' && (type !== 'int' || unit === undefined)) return undefined
    const made = type === 'long' ? new Long() : new Int()
    if (unit !== undefined) setKind(made, { kind: 'time', unit })
    return made
  }
  function mapped(schema: unknown, options: HookOptions, kind: Kind, from: FromStored): RawType {
    return wrapped(schema, () => new Mapped(schema, options, kind, from))
  }
  function wrapped(schema: unknown, make: () => RawType): RawType {
    making.add(schema)
    try {
      return make()
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

function base64(value: unknown): unknown {
  return (value as Buffer | undefined)?.toString('base64')
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
    readonly fields?: readonly { readonly name: string; readonly type: RawType }[]
    readonly types?: readonly RawType[]
    readonly itemsType?: RawType
    readonly valuesType?: RawType
    readonly underlyingType?: RawType
  }
  if (recordConstructor !== undefined) recordConstructor.prototype = Object.prototype
  // No assignment makes such a field, so its values would be lost (I7).
  if (fields?.some(({ name }) => name === '__proto__') === true)
    throw new Error(`it has a field "__proto__", which is not supported`)
  const inner = [...(fields ?? []).map((field) => field.type), ...(types ?? []), itemsType, valuesType, underlyingType]
  for (const one of inner) if (one !== undefined) makeRecordsPlain(one, seen)
}
