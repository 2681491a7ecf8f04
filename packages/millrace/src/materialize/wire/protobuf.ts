/**
 * Protobuf by the table of `message-types.ts`: messages as bytes, and as the objects of the JSON mapping.
 *
 * For everything but stores, of which there are many; `stored-document.ts` reads those in place.
 */
import { ProtocolViolationError } from '../../errors/index.ts'
import {
  asScalar,
  ENUMS,
  type EnumName,
  type FieldSpec,
  fieldsOf,
  isEnum,
  isMessage,
  type MessageName,
  UNPUBLISHED_TAG,
} from './message-types.ts'

export const VARINT = 0
const FIXED64 = 1
export const BYTES = 2
const FIXED32 = 5

export interface MessageObject {
  [field: string]: unknown
}

/** Reads the parts of a message one after the other. */
export class ProtobufReader {
  bytes: Buffer
  position: number
  end: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  reset(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  get isAtEnd(): boolean {
    return this.position >= this.end
  }

  /** The low 53 bits of a varint. @throws {ProtocolViolationError} */
  varint(): number {
    const { bytes, end } = this
    let at = this.position
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      if (at >= end) throw truncated()
      const byte = bytes[at++]!
      if (i < 7) value += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 128) {
        this.position = at
        return value
      }
    }
    throw new ProtocolViolationError('Cannot decode a protobuf message as it has a varint of more than 10 bytes')
  }

  /** A whole varint of 64 bits, signed. */
  varint64(): bigint {
    const { position } = this
    this.varint()
    let value = 0n
    for (let at = this.position - 1; at >= position; at--) value = (value << 7n) | BigInt(this.bytes[at]! & 0x7f)
    return BigInt.asIntN(64, value)
  }

  /** Length of a field of type BYTES, which is all there. */
  length(): number {
    const length = this.varint()
    if (length > this.end - this.position) throw truncated()
    return length
  }

  skip(wireType: number): void {
    if (wireType === VARINT) this.varint()
    else if (wireType === BYTES) {
      const length = this.length()
      this.#advance(length)
    } else if (wireType === FIXED64) this.#advance(8)
    else if (wireType === FIXED32) this.#advance(4)
    else throw new ProtocolViolationError(`Cannot decode a protobuf message as it has a field of wire type ${wireType}`)
  }

  #advance(count: number): void {
    if (count > this.end - this.position) throw truncated()
    this.position += count
  }

  /** Position of a value of fixed size, which is all there. */
  fixed(size: 4 | 8): number {
    const at = this.position
    this.#advance(size)
    return at
  }
}

function truncated(): ProtocolViolationError {
  return new ProtocolViolationError(
    'Cannot decode a protobuf message as it is truncated: a length reaches beyond its end',
  )
}

const byTag = new Map<MessageName, Map<number, readonly [name: string, spec: FieldSpec]>>()

function tagsOf(message: MessageName): Map<number, readonly [string, FieldSpec]> {
  let tags = byTag.get(message)
  if (tags === undefined) {
    const published = Object.entries(fieldsOf(message)).filter(([, [tag]]) => tag !== UNPUBLISHED_TAG)
    tags = new Map(published.map(([name, spec]) => [spec[0], [name, spec]]))
    byTag.set(message, tags)
  }
  return tags
}

/** @throws {ProtocolViolationError} */
export function decodeProtobuf(message: MessageName, bytes: Buffer, start: number, end: number): MessageObject {
  const reader = new ProtobufReader(bytes, start, end)
  const tags = tagsOf(message)
  const object: MessageObject = {}
  while (!reader.isAtEnd) {
    const key = reader.varint()
    const wireType = key % 8
    const [name, spec] = tags.get((key - wireType) / 8) ?? []
    if (name === undefined || spec === undefined) {
      reader.skip(wireType)
      continue
    }
    const [, type, shape] = spec
    if (shape === 'map') {
      const entry = decodeEntry(reader, wireType, `${message}.${name}`, type)
      ;(object[name] ??= {}) as MessageObject
      Object.defineProperty(object[name], entry.key, {
        value: entry.value,
        enumerable: true,
        configurable: true,
        writable: true,
      })
      continue
    }
    const value = decodeValue(reader, wireType, `${message}.${name}`, type)
    if (shape === 'list') ((object[name] ??= []) as unknown[]).push(value)
    else if (!isAbsent(type, value)) object[name] = value
  }
  return object
}

/** Protobuf has no absence of single values: the default counts as absent. JSON text is absent when it is empty. */
function isAbsent(type: string, value: unknown): boolean {
  if (value === undefined) return true
  if (type === 'json') return false
  return value === '' || value === 0 || value === '0' || value === false || (isEnum(type) && value === 'INVALID')
}

function decodeEntry(
  reader: ProtobufReader,
  wireType: number,
  place: string,
  type: string,
): { key: string; value: unknown } {
  expectWireType(wireType, BYTES, place)
  const length = reader.length()
  const entry = new ProtobufReader(reader.bytes, reader.position, reader.position + length)
  reader.position += length
  let key = ''
  let value: unknown
  while (!entry.isAtEnd) {
    const tag = entry.varint()
    if (tag >> 3 === 1) key = decodeValue(entry, tag & 7, place, 'string') as string
    else if (tag >> 3 === 2) value = decodeValue(entry, tag & 7, place, type)
    else entry.skip(tag & 7)
  }
  return { key, value }
}

function decodeValue(reader: ProtobufReader, wireType: number, place: string, type: string): unknown {
  if (isMessage(type)) {
    expectWireType(wireType, BYTES, place)
    const length = reader.length()
    const start = reader.position
    reader.position += length
    return decodeProtobuf(type, reader.bytes, start, start + length)
  }
  if (isEnum(type)) {
    expectWireType(wireType, VARINT, place)
    return enumName(type, reader.varint())
  }
  const scalar = asScalar(type)
  switch (scalar) {
    case 'string':
    case 'json':
    case 'bytes': {
      expectWireType(wireType, BYTES, place)
      const length = reader.length()
      const start = reader.position
      reader.position += length
      if (scalar === 'bytes') return reader.bytes.toString('base64', start, start + length)
      const text = reader.bytes.toString('utf8', start, start + length)
      return scalar === 'string' ? text : parseJson(text, place)
    }
    case 'bool':
      expectWireType(wireType, VARINT, place)
      return reader.varint() !== 0
    case 'uint32':
      expectWireType(wireType, VARINT, place)
      return reader.varint()
    case 'int64':
      expectWireType(wireType, VARINT, place)
      return String(reader.varint64())
    case 'fixed32':
      expectWireType(wireType, FIXED32, place)
      return reader.bytes.readUInt32LE(reader.fixed(4))
    case 'fixed64':
      expectWireType(wireType, FIXED64, place)
      return String(reader.bytes.readBigUInt64LE(reader.fixed(8)))
    case 'double':
      expectWireType(wireType, FIXED64, place)
      return reader.bytes.readDoubleLE(reader.fixed(8))
  }
}

function expectWireType(found: number, expected: number, place: string): void {
  if (found !== expected)
    throw new ProtocolViolationError(
      `Cannot decode field ${place} of a protobuf message as it has wire type ${found} instead of ${expected}`,
    )
}

function parseJson(text: string, place: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ProtocolViolationError(
      `Cannot decode field ${place} as it is not JSON: ${(error as SyntaxError).message}`,
      {
        cause: error,
      },
    )
  }
}

/** The name of an enum's value; its number as text where it is not known. */
function enumName(type: EnumName, value: number): string {
  return Object.entries(ENUMS[type]).find(([, number]) => number === value)?.[0] ?? String(value)
}

/** The bytes of a message, without a frame. What the table does not know is left out. */
export function encodeProtobuf(message: MessageName, object: Readonly<MessageObject>): Buffer {
  const parts: Buffer[] = []
  for (const [name, [tag, type, shape]] of Object.entries(fieldsOf(message))) {
    const value = object[name]
    if (value === undefined || value === null || tag === UNPUBLISHED_TAG) continue
    if (shape === 'list') for (const one of value as readonly unknown[]) parts.push(encodeField(tag, type, one))
    else if (shape === 'map') {
      for (const [key, one] of Object.entries(value)) {
        const entry = Buffer.concat([encodeField(1, 'string', key), encodeField(2, type, one)])
        parts.push(prefix(tag, BYTES), encodeVarint(entry.length), entry)
      }
    } else if (!isAbsent(type, value)) parts.push(encodeField(tag, type, value))
  }
  return Buffer.concat(parts)
}

function encodeField(tag: number, type: string, value: unknown): Buffer {
  if (isMessage(type)) return withLength(tag, encodeProtobuf(type, value as MessageObject))
  if (isEnum(type)) {
    const numbers: { readonly [name: string]: number } = ENUMS[type]
    return Buffer.concat([prefix(tag, VARINT), encodeVarint(numbers[String(value)] ?? Number(value))])
  }
  const scalar = asScalar(type)
  switch (scalar) {
    case 'string':
      return withLength(tag, Buffer.from(String(value)))
    case 'json':
      return withLength(tag, Buffer.from(JSON.stringify(value)))
    case 'bytes':
      return withLength(tag, Buffer.from(String(value), 'base64'))
    case 'bool':
    case 'uint32':
      return Buffer.concat([prefix(tag, VARINT), encodeVarint(Number(value))])
    case 'int64':
      return Buffer.concat([prefix(tag, VARINT), encodeVarint64(BigInt(String(value)))])
    case 'fixed32': {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32LE(Number(value))
      return Buffer.concat([prefix(tag, FIXED32), bytes])
    }
    case 'fixed64': {
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64LE(BigInt(String(value)))
      return Buffer.concat([prefix(tag, FIXED64), bytes])
    }
    case 'double': {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleLE(Number(value))
      return Buffer.concat([prefix(tag, FIXED64), bytes])
    }
  }
}

function withLength(tag: number, bytes: Buffer): Buffer {
  return Buffer.concat([prefix(tag, BYTES), encodeVarint(bytes.length), bytes])
}

function prefix(tag: number, wireType: number): Buffer {
  return encodeVarint(tag * 8 + wireType)
}

function encodeVarint(value: number): Buffer {
  return encodeVarint64(BigInt(value))
}

function encodeVarint64(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}
