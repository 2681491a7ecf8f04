/**
 * Makes a reader and a writer of the fields of a message, for one version: a closure per field, so that the version is
 * looked at once and not with every message.
 *
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-482 flexible versions: compact lengths and tagged fields
 */
import { ProtocolError } from '../errors/index.ts'
import type { Reader } from './reader.ts'
import {
  defaultOf,
  defaultsOf,
  type Field,
  type Fields,
  isDefault,
  isIn,
  isTagged,
  type Primitive,
  type Structure,
} from './schema.ts'
import { joined, Writer } from './writer.ts'

/** Reads and writes one type in one version. */
export interface Codec {
  /** Fewest bytes that a value takes. */
  readonly size: number
  read(reader: Reader): unknown
  write(writer: Writer, value: unknown): void
}

/** Methods of `Reader` and `Writer` of the same name do the work of these types. */
const FIXED: { readonly [type in Exclude<Primitive, 'string' | 'bytes' | 'records'>]: number } = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

/** A codec for structures. `flexible` is whether the version has compact lengths and tagged fields. */
export function compileFields(fields: Fields, version: number, flexible: boolean): Codec {
  const present = fields.filter((field) => isIn(field, version))
  const plain = present.filter((field) => !isTagged(field, version))
  const names = plain.map(({ name }) => name)
  const codecs = plain.map((field) => compileField(field, version, flexible))
  const fallbacks = plain.map(defaultOf)
  const tags = flexible ? compileTags(present, version) : undefined
  const absent = fields.filter((field) => !isIn(field, version) && field.ignorable !== true)
  const template = defaultsOf(fields)
  return {
    size: codecs.reduce((sum, { size }) => sum + size, flexible ? 1 : 0),
    read(reader) {
      // The spread gives all structures of these fields the same hidden class, whatever the version.
      const target = { ...template }
      for (let i = 0; i < codecs.length; i++) target[names[i]!] = codecs[i]!.read(reader)
      tags?.read(reader, target)
      return target
    },
    write(writer, value) {
      const source = value as Structure
      for (const field of absent) {
        if (isDefault(field, source[field.name])) continue
        throw new ProtocolError(
          `Cannot write field "${field.name}" as version ${version} of the message does not have it`,
        )
      }
      for (let i = 0; i < codecs.length; i++) {
        const part = source[names[i]!]
        codecs[i]!.write(writer, part === undefined ? fallbacks[i] : part)
      }
      tags?.write(writer, source)
    },
  }
}

function compileField(field: Field, version: number, flexible: boolean): Codec {
  const compact = flexible && field.rigid !== true
  const nullable = field.nullable !== undefined && version >= field.nullable
  if (field.array === true) return compileArray(field, compileElement(field, version, flexible), compact, nullable)
  if (typeof field.type !== 'string') {
    const struct = compileFields(field.type, version, flexible)
    return nullable ? nullableStruct(struct) : refusesNull(field, struct)
  }
  return compilePrimitive(field, field.type, compact, nullable)
}

function compileElement(field: Field, version: number, flexible: boolean): Codec {
  if (typeof field.type !== 'string') return compileFields(field.type, version, flexible)
  return compilePrimitive(field, field.type, flexible, false)
}

function compilePrimitive(field: Field, type: Primitive, compact: boolean, nullable: boolean): Codec {
  if (type === 'string') return compileString(field, compact, nullable)
  if (type === 'bytes' || type === 'records') return compileBytes(field, compact, nullable)
  return { size: FIXED[type], ...PRIMITIVE_CODECS[type] }
}

const PRIMITIVE_CODECS: { readonly [type in keyof typeof FIXED]: Omit<Codec, 'size'> } = {
  bool: { read: (reader) => reader.bool(), write: (writer, value) => writer.bool(value as boolean) },
  int8: { read: (reader) => reader.int8(), write: (writer, value) => writer.int8(value as number) },
  int16: { read: (reader) => reader.int16(), write: (writer, value) => writer.int16(value as number) },
  uint16: { read: (reader) => reader.uint16(), write: (writer, value) => writer.uint16(value as number) },
  int32: { read: (reader) => reader.int32(), write: (writer, value) => writer.int32(value as number) },
  uint32: { read: (reader) => reader.uint32(), write: (writer, value) => writer.uint32(value as number) },
  int64: { read: (reader) => reader.int64(), write: (writer, value) => writer.int64(value as number) },
  float64: { read: (reader) => reader.float64(), write: (writer, value) => writer.float64(value as number) },
  uuid: { read: (reader) => reader.uuid(), write: (writer, value) => writer.uuid(value as string) },
}

function nullError(field: Field): ProtocolError {
  return new ProtocolError(`Field "${field.name}" must not be null in this version of the message`)
}

function compileString(field: Field, compact: boolean, nullable: boolean): Codec {
  return {
    size: compact ? 1 : 2,
    read(reader) {
      const size = compact ? reader.varint() - 1 : reader.int16()
      if (size >= 0) return reader.utf8(size)
      if (!nullable) throw nullError(field)
      return null
    },
    write(writer, value) {
      const text = value as string | null
      if (text === null && !nullable) throw nullError(field)
      const size = text === null ? -1 : Buffer.byteLength(text)
      if (size > 0x7fff)
        throw new ProtocolError(`Field "${field.name}" must be at most 32767 bytes long: current length is ${size}`)
      if (compact) writer.varint(size + 1)
      else writer.int16(size)
      if (text !== null) writer.utf8(text, size)
    },
  }
}

function compileBytes(field: Field, compact: boolean, nullable: boolean): Codec {
  return {
    size: compact ? 1 : 4,
    read(reader) {
      const size = compact ? reader.varint() - 1 : reader.int32()
      if (size >= 0) return reader.view(size)
      if (!nullable) throw nullError(field)
      return null
    },
    write(writer, value) {
      const bytes = value as Uint8Array | null
      if (bytes === null && !nullable) throw nullError(field)
      const size = bytes === null ? -1 : bytes.length
      if (compact) writer.varint(size + 1)
      else writer.int32(size)
      if (bytes !== null) writer.raw(bytes)
    },
  }
}

function compileArray(field: Field, element: Codec, compact: boolean, nullable: boolean): Codec {
  return {
    size: compact ? 1 : 4,
    read(reader) {
      const count = compact ? reader.varint() - 1 : reader.int32()
      if (count < 0) {
        if (!nullable) throw nullError(field)
        return null
      }
      // Before anything is allocated for it.
      if (count * Math.max(1, element.size) > reader.left)
        throw new ProtocolError(
          `Field "${field.name}" cannot have ${count} elements as only ${reader.left} bytes are left`,
        )
      const list: unknown[] = []
      for (let i = 0; i < count; i++) list.push(element.read(reader))
      return list
    },
    write(writer, value) {
      const list = value as readonly unknown[] | null
      if (list === null && !nullable) throw nullError(field)
      const count = list === null ? -1 : list.length
      if (compact) writer.varint(count + 1)
      else writer.int32(count)
      if (list !== null) for (const item of list) element.write(writer, item)
    },
  }
}

/** A structure after a byte that says whether it is there. */
function nullableStruct(struct: Codec): Codec {
  return {
    size: 1,
    read: (reader) => (reader.int8() < 0 ? null : struct.read(reader)),
    write(writer, value) {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) struct.write(writer, value)
    },
  }
}

function refusesNull(field: Field, struct: Codec): Codec {
  return {
    ...struct,
    write(writer, value) {
      if (value === null) throw nullError(field)
      struct.write(writer, value)
    },
  }
}

interface TagCodec {
  read(reader: Reader, target: Structure): void
  write(writer: Writer, source: Structure): void
}

/** The tagged fields at the end of a structure: their number, then tag, size and value of each. Unknown ones are skipped. */
function compileTags(present: Fields, version: number): TagCodec {
  const fields = present.filter((field) => isTagged(field, version)).toSorted((a, b) => a.tag! - b.tag!)
  const codecs = fields.map((field) => compileField(field, version, true))
  return {
    read(reader, target) {
      const count = reader.varint()
      for (let i = 0; i < count; i++) {
        const tag = reader.varint()
        const size = reader.varint()
        const start = reader.skip(size)
        const known = fields.findIndex((field) => field.tag === tag)
        if (known === -1) continue
        reader.position = start
        target[fields[known]!.name] = codecs[known]!.read(reader)
        if (reader.position !== start + size)
          throw new ProtocolError(
            `Tagged field "${fields[known]!.name}" must take ${size} bytes: it takes ${reader.position - start}`,
          )
      }
    },
    write(writer, source) {
      const set = fields.filter((field) => !isDefault(field, source[field.name]))
      writer.varint(set.length)
      for (const field of set) {
        const inner = new Writer(64)
        codecs[fields.indexOf(field)]!.write(inner, source[field.name])
        writer.varint(field.tag!)
        writer.varint(inner.length)
        writer.raw(joined(inner.finish()))
      }
    },
  }
}
