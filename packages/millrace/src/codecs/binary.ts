/**
 * The formats of Kafka's own Java serializers: numbers in big-endian bytes, UUIDs as text, raw bytes, nothing.
 *
 * Each value `x` becomes the document `{value: x}`, and such a document is written back; other fields would be lost, so
 * they are refused (I7). A null value is a tombstone in every format.
 */
import { isUtf8 } from 'node:buffer'
import type { Codec } from '../contracts/codec.ts'
import { DecodeError, EncodeError } from '../errors/index.ts'
import { jsonCodec } from './json.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * `bytes`: JSON as with `json`, any other value as base64 text, `{value: 'AAEC'}`. A document that a stage changed is written
 * as JSON text, as a pipeline with Java's ByteArraySerializer does.
 */
export const bytesCodec: Codec = {
  name: 'bytes',
  digits: jsonCodec.digits,
  decode(value) {
    try {
      return jsonCodec.decode(value)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      return { value: value!.toString('base64') }
    }
  },
  encode: (document) => jsonCodec.encode(document),
}

/** `string`: text in UTF-8, whatever it says: `{value: '{"a":1}'}`. */
export const stringCodec: Codec = {
  name: 'string',
  decode(value) {
    if (value === null) return { value: null }
    if (!isUtf8(value)) throw new DecodeError('value', 'it is not valid UTF-8, which the string codec requires')
    return { value: value.toString() }
  },
  encode(document) {
    const value = onlyValue('string', document)
    if (value === null || typeof value === 'string') return value
    throw new EncodeError(
      `Cannot write field "value" with the string codec: it must be text: current value is ${JSON.stringify(value)}`,
    )
  },
}

export const shortCodec = codec('short', {
  size: 2,
  read: (bytes) => bytes.readInt16BE(),
  write: (value) => written(2, (bytes) => bytes.writeInt16BE(integer(value, -32768, 32767))),
})

export const integerCodec = codec('integer', {
  size: 4,
  read: (bytes) => bytes.readInt32BE(),
  write: (value) => written(4, (bytes) => bytes.writeInt32BE(integer(value, -2147483648, 2147483647))),
})

/** A number where a double holds it exactly, decimal text beyond 2^53. */
export const longCodec = codec('long', {
  size: 8,
  read: (bytes) => {
    const value = bytes.readBigInt64BE()
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  },
  write: (value) => written(8, (bytes) => bytes.writeBigInt64BE(long(value))),
})

export const floatCodec = codec('float', {
  size: 4,
  read: (bytes) => bytes.readFloatBE(),
  write: (value) => written(4, (bytes) => bytes.writeFloatBE(number(value))),
})

export const doubleCodec = codec('double', {
  size: 8,
  read: (bytes) => bytes.readDoubleBE(),
  write: (value) => written(8, (bytes) => bytes.writeDoubleBE(number(value))),
})

export const uuidCodec = codec('uuid', {
  size: 36,
  read: (bytes) => uuid(bytes.toString('latin1')),
  write: uuid,
})

/** Nothing but nulls. */
export const voidCodec: Codec = {
  name: 'void',
  decode(value) {
    if (value !== null)
      throw new DecodeError('value', `it must be null for the void codec: it has ${value.length} bytes`)
    return { value: null }
  },
  encode(document) {
    if (onlyValue('void', document) !== null)
      throw new EncodeError('Cannot write a value with the void codec as it must be null')
    return null
  },
}

interface Format {
  /** Bytes of every value. */
  readonly size: number
  /** @throws {Error} when the bytes are not such a value */
  readonly read: (bytes: Buffer) => unknown
  /** @throws {Error} when the value cannot be written in this format */
  readonly write: (value: unknown) => Buffer | string
}

function codec(name: string, { size, read, write }: Format): Codec {
  return {
    name,
    decode(value) {
      if (value === null) return { value: null }
      if (value.length !== size)
        throw new DecodeError('value', `it must have ${size} bytes for the ${name} codec: it has ${value.length}`)
      try {
        return { value: read(value) }
      } catch (cause) {
        throw new DecodeError('value', (cause as Error).message, { cause })
      }
    },
    encode(document) {
      const value = onlyValue(name, document)
      if (value === null) return null
      try {
        return write(value)
      } catch (cause) {
        throw new EncodeError(`Cannot write field "value" with the ${name} codec: ${(cause as Error).message}`, {
          cause,
        })
      }
    },
  }
}

/** The field `value` of a document that has no other. */
function onlyValue(name: string, document: unknown): unknown {
  const fields = Object.entries(document as { [name: string]: unknown }).filter(([, value]) => value !== undefined)
  const lost = fields.find(([field]) => field !== 'value')
  if (lost !== undefined)
    throw new EncodeError(
      `Cannot write the document with the ${name} codec, which accepts only {value: ...}: it has the field "${lost[0]}"`,
    )
  if (fields.length === 0)
    throw new EncodeError(`Cannot write the document with the ${name} codec as it has no field "value"`)
  return fields[0]![1]
}

function written(size: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  write(bytes)
  return bytes
}

function integer(value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new Error(`it must be a whole number between ${min} and ${max}: current value is ${JSON.stringify(value)}`)
}

function long(value: unknown): bigint {
  const isWhole =
    typeof value === 'number' ? Number.isSafeInteger(value) : typeof value === 'string' && /^-?\d{1,19}$/.test(value)
  const result = isWhole ? BigInt(value as number | string) : undefined
  if (result !== undefined && BigInt.asIntN(64, result) === result) return result
  throw new Error(
    `it must be a whole number of 64 bits, as text beyond 2^53: current value is ${JSON.stringify(value)}`,
  )
}

function number(value: unknown): number {
  if (typeof value === 'number') return value
  throw new Error(`it must be a number: current value is ${JSON.stringify(value)}`)
}

function uuid(value: unknown): string {
  if (typeof value === 'string' && UUID.test(value)) return value
  throw new Error(`it must be a UUID: current value is ${JSON.stringify(value)}`)
}
