/**
 * Packed tuples, in the encoding of FoundationDB, as Flow uses it for keys and values.
 *
 * | first byte | element |
 * |---|---|
 * | `00` | null |
 * | `01` | object or array, as JSON text; ends with `00`, a `00` in it is followed by `FF` |
 * | `02` | string, in the same way |
 * | `14` | 0 |
 * | `15` to `1C` | positive integer, 1 to 8 bytes, big-endian |
 * | `13` to `0C` | negative integer, the ones' complement of 1 to 8 bytes |
 * | `21` | double, big-endian, its bits changed so that bytes sort as numbers do |
 * | `26`, `27` | false, true |
 *
 * @see https://github.com/apple/foundationdb/blob/main/design/tuple.md
 */
import { ProtocolViolationError } from '../../errors/index.ts'

export const TUPLE_NULL = 0x00
export const TUPLE_JSON = 0x01
export const TUPLE_STRING = 0x02
export const TUPLE_ZERO = 0x14
export const TUPLE_INTEGER_MIN = 0x0c
export const TUPLE_INTEGER_MAX = 0x1c
export const TUPLE_DOUBLE = 0x21
export const TUPLE_FALSE = 0x26
export const TUPLE_TRUE = 0x27

/** In the place of the `00` that ends a string. */
export const ESCAPED_ZERO = 0xff

/** The position behind the element that begins here. @throws {ProtocolViolationError} */
export function tupleElementEnd(bytes: Uint8Array, start: number, end: number): number {
  const type = bytes[start]!
  let next = start + 1
  if (type === TUPLE_STRING || type === TUPLE_JSON) {
    for (;;) {
      while (next < end && bytes[next] !== 0) next++
      if (next >= end) throw truncated()
      next++
      if (next >= end || bytes[next] !== ESCAPED_ZERO) return next
      next++
    }
  }
  if (type >= TUPLE_INTEGER_MIN && type <= TUPLE_INTEGER_MAX) next += Math.abs(type - TUPLE_ZERO)
  else if (type === TUPLE_DOUBLE) next += 8
  else if (type !== TUPLE_NULL && type !== TUPLE_FALSE && type !== TUPLE_TRUE)
    throw new ProtocolViolationError(
      `Cannot decode a packed tuple as it has an element of unknown type 0x${type.toString(16).padStart(2, '0')}`,
    )
  if (next > end) throw truncated()
  return next
}

function truncated(): ProtocolViolationError {
  return new ProtocolViolationError('Cannot decode a packed tuple as it is truncated')
}

const doubleBytes = new Uint8Array(8)
const doubleView = new DataView(doubleBytes.buffer)

/** The double whose 8 bytes begin at `start`. */
export function tupleDouble(bytes: Uint8Array, start: number): number {
  const isPositive = (bytes[start]! & 0x80) !== 0
  for (let i = 0; i < 8; i++) doubleBytes[i] = isPositive ? bytes[start + i]! : ~bytes[start + i]!
  if (isPositive) doubleBytes[0] = bytes[start]! ^ 0x80
  return doubleView.getFloat64(0)
}

const limbs = new Uint16Array(4)
const CHUNK = 1_000_000

/**
 * The digits of an integer, with a minus where it is negative.
 *
 * Up to 6 bytes are exact as a double. More are divided by a million, 16 bits at a time, so that no BigInt is made.
 */
export function tupleInteger(bytes: Uint8Array, start: number): string {
  const size = bytes[start]! - TUPLE_ZERO
  const length = Math.abs(size)
  const flip = size < 0 ? 0xff : 0
  const sign = size < 0 ? '-' : ''
  if (length <= 6) {
    let value = 0
    for (let i = 1; i <= length; i++) value = value * 256 + (bytes[start + i]! ^ flip)
    return sign + value
  }
  limbs.fill(0)
  for (let i = 1; i <= length; i++) {
    const shift = length - i
    limbs[3 - (shift >> 1)]! += (bytes[start + i]! ^ flip) << (8 * (shift & 1))
  }
  let digits = ''
  for (;;) {
    let rest = 0
    let isZero = true
    for (let i = 0; i < 4; i++) {
      const value = rest * 65_536 + limbs[i]!
      const quotient = Math.floor(value / CHUNK)
      limbs[i] = quotient
      rest = value - quotient * CHUNK
      if (quotient !== 0) isZero = false
    }
    if (isZero) return sign + rest + digits
    digits = String(rest).padStart(6, '0') + digits
  }
}
