/**
 * How messages look in documents: the JSON form of Protobuf, with two differences that let stages work with them.
 *
 * | Protobuf | document |
 * |---|---|
 * | fields | under their names in the schema; JSON names are taken, too, when a document is written |
 * | integers of 64 bits | a number |
 * | enums | the name of the value; a number where the schema has no name for it |
 * | `bytes` | base64 text |
 * | `Timestamp`, `Duration`, wrappers, `Struct`, `Any` and the like | as in Protobuf's JSON form |
 * | fields without presence that are not set | their default; lists and maps are empty |
 * | other fields that are not set | left out |
 */
import type { Enum, Field, MapField, Type } from 'protobufjs'
import { digitsOf, wholeOf } from '../../../records/exact-numbers.ts'
import { FieldError, shown, type NumberReader } from '../ready-schema.ts'

export type Path = (string | number)[]
/** From a value of `protobufjs` to one of a document, and back. */
export interface Conversion {
  readonly read: (value: unknown) => unknown
  /** @throws {FieldError} */
  readonly write: (value: unknown, path: Path) => unknown
}

type Message = { [name: string]: unknown }
interface Long {
  readonly low: number
  readonly high: number
  readonly unsigned: boolean
}
export interface ProtoJson {
  toJson(type: Type, message: Message): unknown
  fromJson(type: Type, json: unknown): unknown
}

/** Makes the conversions of the messages of one schema; each once, as messages may contain themselves. */
export class Conversions {
  readonly #json: ProtoJson
  readonly #numbers: NumberReader
  readonly #made = new Map<Type, Conversion>()

  constructor(json: ProtoJson, numbers: NumberReader) {
    this.#json = json
    this.#numbers = numbers
  }

  of(type: Type): Conversion {
    const known = this.#made.get(type)
    if (known !== undefined) return known
    this.#made.set(type, { read: (value) => made.read(value), write: (value, path) => made.write(value, path) })
    const made = type.fullName.startsWith('.google.protobuf.') ? this.#wellKnown(type) : this.#message(type)
    this.#made.set(type, made)
    return made
  }

  #wellKnown(type: Type): Conversion {
    return {
      read: (value) => this.#json.toJson(type, value as Message),
      write: (value, path) => {
        try {
          return this.#json.fromJson(type, withoutExact(value))
        } catch (error) {
          throw new FieldError(path, `is no ${type.fullName.slice(1)}: ${(error as Error).message}`)
        }
      },
    }
  }

  #message(type: Type): Conversion {
    const fields = type.fieldsArray.map((field) => this.#field(field.resolve()))
    const byName = new Map(
      fields.flatMap((one) => [one.field.name, ...jsonNames(one.field)].map((name) => [name, one])),
    )
    return {
      read(value) {
        const message = value as Message
        const document: Message = {}
        for (const { field, isAlwaysThere, conversion } of fields) {
          const { name } = field
          // What is not set is in the prototype, with its default.
          if (isAlwaysThere || Object.hasOwn(message, name)) {
            const found = message[name]
            if (found !== null || isAlwaysThere) document[name] = conversion.read(found)
          }
        }
        return document
      },
      write(value, path) {
        if (typeof value !== 'object' || value === null || Array.isArray(value))
          throw new FieldError(
            path,
            `must be an object for the message ${type.fullName.slice(1)}: current value is ${shown(value)}`,
          )
        const message: Message = {}
        const groups = new Map<unknown, string>()
        for (const [name, given] of Object.entries(value)) {
          if (given === undefined) continue
          const one = byName.get(name)
          path.push(name)
          if (one === undefined) throw new FieldError(path, `is not in the schema of ${type.fullName.slice(1)}`)
          // As in the JSON form, null is a field that is not set; only `Value` and `NullValue` have it as a value.
          if (given !== null || one.takesNull) {
            const { partOf } = one.field
            const other = partOf === null ? undefined : groups.get(partOf)
            if (other !== undefined && !isProto3Optional(partOf))
              throw new FieldError(path, `excludes field "${other}", which is set, too`)
            groups.set(partOf, name)
            message[one.field.name] = one.conversion.write(given, path)
          }
          path.pop()
        }
        const missing = fields.find(({ field }) => field.required && message[field.name] === undefined)
        if (missing !== undefined) throw new FieldError([...path, missing.field.name], 'is missing and required')
        return message
      },
    }
  }

  #field(field: Field) {
    const single = this.#single(field)
    const keyType = (field as unknown as Partial<MapField>).keyType
    const conversion = keyType !== undefined ? mapOf(single, keyType) : field.repeated ? listOf(single) : single
    const { resolvedType: type } = field
    const takesNull = type?.fullName === '.google.protobuf.Value' || type?.fullName === '.google.protobuf.NullValue'
    const isMessage = type !== null && !('valuesById' in type)
    const isAlwaysThere = field.map || field.repeated || !(field.hasPresence || isMessage)
    return { field, conversion, takesNull, isAlwaysThere }
  }

  #single({ resolvedType, type }: Field): Conversion {
    if (resolvedType === null) return scalar(type, this.#numbers)
    if (resolvedType.fullName === '.google.protobuf.NullValue') return NULL_VALUE
    return 'valuesById' in resolvedType ? enumOf(resolvedType) : this.of(resolvedType)
  }
}

function jsonNames(field: Field): string[] {
  const { jsonName, protoName } = field as unknown as { readonly jsonName?: string; readonly protoName?: string }
  return [jsonName, protoName].filter((name) => name !== undefined)
}

function isProto3Optional(group: unknown): boolean {
  return (group as { readonly isProto3Optional?: boolean } | null)?.isProto3Optional === true
}

function listOf({ read, write }: Conversion): Conversion {
  return {
    read: (value) => (value as readonly unknown[]).map((element) => read(element)),
    write(value, path) {
      if (!Array.isArray(value)) return refuse(path, 'a list', value)
      return value.map((element, i) => {
        path.push(i)
        const written = write(element, path)
        path.pop()
        return written
      })
    },
  }
}

function mapOf({ read, write }: Conversion, keyType: string): Conversion {
  const isLong = keyType.endsWith('64')
  return {
    read: (value) =>
      Object.fromEntries(
        Object.entries(value as Message).map(([key, item]) => [isLong ? longKey(key, keyType) : key, read(item)]),
      ),
    write(value, path) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(path, 'an object', value)
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => {
          path.push(key)
          if (keyType !== 'string') checkKey(key, keyType, path)
          const written = write(item, path)
          path.pop()
          return [key, written]
        }),
      )
    },
  }
}

/** Keys of 64 bits come as eight characters that stand for the bytes. */
function longKey(key: string, keyType: string): string {
  if (key.length !== 8) return key
  const bytes = Buffer.from(key, 'latin1')
  return String(keyType.startsWith('u') || keyType === 'fixed64' ? bytes.readBigUInt64LE() : bytes.readBigInt64LE())
}

function checkKey(key: string, keyType: string, path: Path): void {
  if (keyType === 'bool' ? key !== 'true' && key !== 'false' : !/^-?\d+$/.test(key))
    refuse(path, `a name that is a ${keyType}`, key)
}

/** As the JSON form has it. */
const NULL_VALUE: Conversion = {
  read: () => null,
  write: (value, path) => (value === null || value === 'NULL_VALUE' ? 0 : refuse(path, 'null', value)),
}

function enumOf({ values, valuesById }: Enum): Conversion {
  return {
    read: (value) => valuesById[value as number] ?? value,
    write(value, path) {
      const number = typeof value === 'string' ? values[value] : value
      if (typeof number === 'number' && Number.isInteger(number)) return number
      return refuse(path, `one of ${Object.keys(values).join(', ')}`, value)
    },
  }
}

const BITS: { readonly [type: string]: { readonly bits: 32 | 64; readonly unsigned: boolean } } = {
  int32: { bits: 32, unsigned: false },
  sint32: { bits: 32, unsigned: false },
  sfixed32: { bits: 32, unsigned: false },
  uint32: { bits: 32, unsigned: true },
  fixed32: { bits: 32, unsigned: true },
  int64: { bits: 64, unsigned: false },
  sint64: { bits: 64, unsigned: false },
  sfixed64: { bits: 64, unsigned: false },
  uint64: { bits: 64, unsigned: true },
  fixed64: { bits: 64, unsigned: true },
}

function scalar(type: string, numbers: NumberReader): Conversion {
  const whole = BITS[type]
  if (whole !== undefined) return wholeOfBits(whole.bits, whole.unsigned, numbers)
  switch (type) {
    case 'bytes':
      return {
        read: (value) => Buffer.from(value as Uint8Array).toString('base64'),
        write: (value, path) => bytesOf(value) ?? refuse(path, 'base64 text', value),
      }
    case 'float':
    case 'double':
      return {
        read: (value) => value,
        write: (value, path) => {
          if (typeof value === 'string' && NOT_FINITE.has(value)) return Number(value)
          const digits = typeof value === 'string' ? undefined : digitsOf(value)
          const number = typeof value === 'number' ? value : digits === undefined ? undefined : Number(digits)
          if (number === undefined) return refuse(path, 'a number', value)
          const isTooLarge = type === 'float' && Number.isFinite(number) && !Number.isFinite(Math.fround(number))
          return isTooLarge ? refuse(path, 'a number that a float holds', value) : number
        },
      }
    default: {
      const kind = type === 'bool' ? 'boolean' : 'string'
      const expected = type === 'bool' ? 'true or false' : 'text'
      return {
        read: (value) => value,
        write: (value, path) => (typeof value === kind ? value : refuse(path, expected, value)),
      }
    }
  }
}

const NOT_FINITE: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity'])

function wholeOfBits(bits: 32 | 64, unsigned: boolean, numbers: NumberReader): Conversion {
  return {
    read: bits === 32 ? (value) => value : (value) => longNumber(value, numbers),
    write(value, path) {
      const digits = digitsOf(value)
      const number = digits === undefined ? undefined : wholeOf(digits)
      const fits =
        number !== undefined && (unsigned ? BigInt.asUintN(bits, number) : BigInt.asIntN(bits, number)) === number
      if (!fits) return refuse(path, `a whole number of ${bits} bits${unsigned ? ' that is not negative' : ''}`, value)
      if (bits === 32) return Number(number)
      // A double of that size may have been rounded before it came here.
      if (typeof value === 'number' && !Number.isSafeInteger(value))
        throw new FieldError(path, `may have been rounded as it is a double beyond 2^53: current value is ${value}`)
      const low = Number(BigInt.asIntN(32, number))
      return { low, high: Number(BigInt.asIntN(32, number >> 32n)), unsigned } satisfies Long
    },
  }
}

function longNumber(value: unknown, numbers: NumberReader): unknown {
  if (typeof value === 'number') return value
  const { low, high, unsigned } = value as Long
  const number = (unsigned ? high >>> 0 : high) * 4_294_967_296 + (low >>> 0)
  if (Number.isSafeInteger(number)) return number
  const exact = (BigInt(high) << 32n) | BigInt(low >>> 0)
  return numbers(String(unsigned ? BigInt.asUintN(64, exact) : exact))
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  return typeof value === 'string' && BASE64.test(value) ? Buffer.from(value, 'base64') : undefined
}

/** As the JSON form has it: numbers that are no double as text. */
function withoutExact(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value
  if (Array.isArray(value)) return value.map(withoutExact)
  return (
    (Object.getPrototypeOf(value) === null ? digitsOf(value) : undefined) ??
    Object.fromEntries(
      Object.entries(value).flatMap(([name, item]) => (item === undefined ? [] : [[name, withoutExact(item)]])),
    )
  )
}

function refuse(path: Path, expected: string, value: unknown): never {
  throw new FieldError(path, `must be ${expected}: current value is ${shown(value)}`)
}
