/**
 * Values in the layout of bincode 1.3, Rust's default: little endian, integers of fixed width, no field names.
 *
 * | type | bytes |
 * |---|---|
 * | `bool`, `u8`, `i8` | 1 |
 * | `u16` to `u128`, `i16` to `i128`, `f32`, `f64` | their width, little endian |
 * | `char` | UTF-8 of the character |
 * | `string`, `bytes` | length as u64, content |
 * | `list`, `map` | number of elements as u64, elements (of a map: key, value) |
 * | `option` | 0, or 1 and the value |
 * | `struct`, `tuple`, `array` | the fields in order, nothing else |
 * | `enum` | index of the variant as u32, its content |
 * | `unit` | nothing |
 *
 * @see https://github.com/bincode-org/bincode/blob/v1.3.3/src/lib.rs
 */
import { BincodeReader, BincodeWriter } from './bincode-bytes.ts'
import type { MessageSerializer } from './serializers.ts'

/** Names of integers, with their width in bytes. */
const INTEGERS = { u8: 1, u16: 2, u32: 4, u64: 8, u128: 16, i8: 1, i16: 2, i32: 4, i64: 8, i128: 16 } as const
type IntegerType = keyof typeof INTEGERS

/**
 * The type of a value, as bincode does not write it. A struct is an object; a map is a `Map`, or an object if its keys are text; an enum is
 * the name of a variant without content (`unit`), or an object with the name as its only key.
 */
export type BincodeType =
  | IntegerType
  | 'bool'
  | 'f32'
  | 'f64'
  | 'char'
  | 'string'
  | 'bytes'
  | 'unit'
  | { readonly option: BincodeType }
  | { readonly list: BincodeType }
  | { readonly array: readonly [type: BincodeType, length: number] }
  | { readonly tuple: readonly BincodeType[] }
  | { readonly map: readonly [key: BincodeType, value: BincodeType] }
  | { readonly struct: { readonly [field: string]: BincodeType } }
  | { readonly enum: { readonly [variant: string]: BincodeType } }

type ScalarType = Exclude<BincodeType, object>

/**
 * Writes values in the layout of bincode 1.3, with the content type `application/octet-stream`.
 *
 * ```ts
 * new BincodeSerializer<{ service: string; count: number }>({ struct: { service: 'string', count: 'u64' } })
 * ```
 */
export class BincodeSerializer<T> implements MessageSerializer<T> {
  /** `application/octet-stream` */
  readonly contentType = 'application/octet-stream'
  readonly #type: BincodeType

  /** @param type of the values; fields of structs and variants of enums in the order in which Rust declares them */
  constructor(type: BincodeType) {
    this.#type = type
  }

  /** @throws {TypeError} {RangeError} where the value is not of the type, with the path to it */
  serialize(value: T): Uint8Array {
    const writer = new BincodeWriter()
    write(writer, this.#type, value, 'value')
    return writer.take()
  }
}

/** Reads what `BincodeSerializer` and Rust's bincode 1.3 write. Integers of 64 bits and more are a `number` where it is exact, else a `bigint`. */
export class BincodeDeserializer<T> {
  readonly #type: BincodeType

  /** @param type of the values */
  constructor(type: BincodeType) {
    this.#type = type
  }

  /** @throws {RangeError} where the bytes end too early or too late, or hold what the type does not allow */
  deserialize(bytes: Uint8Array): T {
    const reader = new BincodeReader(bytes)
    const value = read(reader, this.#type)
    reader.end()
    // The caller declares with T what the type describes.
    return value as T
  }
}

function write(writer: BincodeWriter, type: BincodeType, value: unknown, path: string): void {
  if (typeof type === 'string') return writeScalar(writer, type, value, path)
  if ('option' in type) {
    const isThere = value !== null && value !== undefined
    writer.byte(isThere ? 1 : 0)
    if (isThere) write(writer, type.option, value, path)
  } else if ('struct' in type) {
    const fields = objectAt(value, path)
    for (const [name, each] of Object.entries(type.struct)) write(writer, each, fields[name], `${path}.${name}`)
  } else if ('list' in type) {
    const list = listAt(value, path)
    writer.length(list.length)
    for (const [i, each] of list.entries()) write(writer, type.list, each, `${path}[${i}]`)
  } else if ('array' in type || 'tuple' in type) {
    const types = 'tuple' in type ? type.tuple : Array.from({ length: type.array[1] }, () => type.array[0])
    const list = listAt(value, path)
    if (list.length !== types.length)
      throw new RangeError(`${path} must have ${types.length} elements: it has ${list.length}`)
    for (const [i, each] of types.entries()) write(writer, each, list[i], `${path}[${i}]`)
  } else if ('map' in type) {
    const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(objectAt(value, path))
    writer.length(entries.length)
    for (const [key, each] of entries) {
      write(writer, type.map[0], key, `a key of ${path}`)
      write(writer, type.map[1], each, `${path}[${String(key)}]`)
    }
  } else writeVariant(writer, type.enum, value, path)
}

function writeScalar(writer: BincodeWriter, type: ScalarType, value: unknown, path: string): void {
  if (isInteger(type)) return writeInteger(writer, type, value, path)
  switch (type) {
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(path, 'a boolean', value)
      return writer.byte(value ? 1 : 0)
    case 'f32':
    case 'f64':
      if (typeof value !== 'number') throw wrong(path, 'a number', value)
      return type === 'f32' ? writer.float(value) : writer.double(value)
    case 'char':
      if (typeof value !== 'string' || Array.from(value).length !== 1) throw wrong(path, 'one character', value)
      return writer.raw(Buffer.from(value))
    case 'string':
      if (typeof value !== 'string') throw wrong(path, 'text', value)
      return writer.content(Buffer.from(value))
    case 'bytes':
      if (!(value instanceof Uint8Array)) throw wrong(path, 'a Uint8Array', value)
      return writer.content(value)
    case 'unit':
      return
  }
}

function writeInteger(writer: BincodeWriter, type: IntegerType, value: unknown, path: string): void {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw wrong(path, `a whole number (${type})`, value)
  const integer = BigInt(value as bigint | number)
  const bits = INTEGERS[type] * 8
  const fits = type.startsWith('i') ? BigInt.asIntN(bits, integer) : BigInt.asUintN(bits, integer)
  if (fits !== integer) throw new RangeError(`${path} must fit into ${type}: it is ${integer}`)
  writer.integer(BigInt.asUintN(bits, integer), INTEGERS[type])
}

function writeVariant(
  writer: BincodeWriter,
  variants: { readonly [variant: string]: BincodeType },
  value: unknown,
  path: string,
): void {
  const names = Object.keys(variants)
  const [name, content] =
    typeof value === 'string' ? [value, undefined] : (Object.entries(objectAt(value, path))[0] ?? ['', undefined])
  const index = names.indexOf(name)
  if (index < 0) throw new RangeError(`${path} must be one of ${names.join(', ')}: it is ${JSON.stringify(name)}`)
  writer.integer(BigInt(index), 4)
  write(writer, variants[name]!, content, `${path}.${name}`)
}

function read(reader: BincodeReader, type: BincodeType): unknown {
  if (typeof type === 'string') return readScalar(reader, type)
  if ('option' in type) return reader.flag() ? read(reader, type.option) : null
  if ('struct' in type)
    return Object.fromEntries(Object.entries(type.struct).map(([name, each]) => [name, read(reader, each)]))
  if ('list' in type) return Array.from({ length: reader.length() }, () => read(reader, type.list))
  if ('tuple' in type) return type.tuple.map((each) => read(reader, each))
  if ('array' in type) return Array.from({ length: type.array[1] }, () => read(reader, type.array[0]))
  if ('map' in type)
    return new Map(
      Array.from({ length: reader.length() }, () => [read(reader, type.map[0]), read(reader, type.map[1])] as const),
    )
  const names = Object.keys(type.enum)
  const name = names[Number(reader.integer(4))]
  if (name === undefined) throw new RangeError(`an enum has ${names.length} variants, and the bytes name another one`)
  const content = type.enum[name]!
  return content === 'unit' ? name : { [name]: read(reader, content) }
}

function readScalar(reader: BincodeReader, type: ScalarType): unknown {
  if (isInteger(type)) return readInteger(reader, type)
  switch (type) {
    case 'bool':
      return reader.flag()
    case 'f32':
      return reader.float()
    case 'f64':
      return reader.double()
    case 'char':
      return reader.character()
    case 'string':
      return reader.content().toString()
    case 'bytes':
      return reader.content()
    case 'unit':
      return null
  }
}

function readInteger(reader: BincodeReader, type: IntegerType): number | bigint {
  const width = INTEGERS[type]
  const unsigned = reader.integer(width)
  const integer = type.startsWith('i') ? BigInt.asIntN(width * 8, unsigned) : unsigned
  const number = Number(integer)
  return Number.isSafeInteger(number) ? number : integer
}

function isInteger(type: ScalarType): type is IntegerType {
  return type in INTEGERS
}

function objectAt(value: unknown, path: string): { readonly [name: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path, 'an object', value)
  return value as { readonly [name: string]: unknown }
}

function listAt(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(path, 'a list', value)
  return value
}

function wrong(path: string, expected: string, value: unknown): TypeError {
  const found = value === null ? 'null' : Array.isArray(value) ? 'a list' : `of type ${typeof value}`
  return new TypeError(`${path} must be ${expected}: it is ${found}`)
}
