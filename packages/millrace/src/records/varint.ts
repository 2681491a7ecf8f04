/**
 * Variable-length numbers, as records hold them: 7 bits per byte, least first, zigzag for the sign. Hot loops read the
 * usual one or two bytes on their own; these are for the rest.
 *
 * @see https://protobuf.dev/programming-guides/encoding/#varints
 */

/** Most bytes of a 32-bit number. */
export const VARINT_BYTES = 5
/** Most bytes of a 64-bit number. */
export const VARLONG_BYTES = 10

/** Position after the number at `position`; -1 when it is longer than `maxBytes` or reaches beyond `end`. */
export function endOfVarint(bytes: Buffer, position: number, end: number, maxBytes: number): number {
  const limit = Math.min(end, position + maxBytes)
  while (position < limit) {
    if (bytes[position++]! < 128) return position
  }
  return -1
}

/** The bits of the 32-bit number at `position`, still zigzag, whose end has been checked with `endOfVarint`. */
export function zigzagAt(bytes: Buffer, position: number): number {
  let byte = bytes[position++]!
  let bits = byte & 127
  for (let shift = 7; byte > 127; shift += 7) {
    byte = bytes[position++]!
    bits |= (byte & 127) << shift
  }
  return bits
}

/** The 32-bit number at `position`, whose end has been checked with `endOfVarint`. */
export function varintAt(bytes: Buffer, position: number): number {
  const bits = zigzagAt(bytes, position)
  return (bits >>> 1) ^ -(bits & 1)
}

/** Reads 32-bit numbers one after the other, whose ends have been checked with `endOfVarint`. */
export class VarintReader {
  /** Of the next number; to be moved over what lies between two numbers. */
  position: number
  readonly #bytes: Buffer

  constructor(bytes: Buffer, position: number) {
    this.#bytes = bytes
    this.position = position
  }

  next(): number {
    const value = varintAt(this.#bytes, this.position)
    while (this.#bytes[this.position++]! > 127);
    return value
  }
}

/**
 * The 64-bit number at `position` as a double, whose end has been checked with `endOfVarint`. Exact up to 2^53: the four
 * lowest bytes, which hold the sign, are kept apart from the others.
 */
export function varlongAt(bytes: Buffer, position: number): number {
  let low = 0
  let high = 0
  for (let i = 0; ; i++) {
    const byte = bytes[position + i]!
    if (i < 4) low |= (byte & 127) << (7 * i)
    else high += (byte & 127) * 2 ** (7 * (i - 4))
    if (byte < 128) break
  }
  const half = high * 2 ** 27 + (low >>> 1)
  return (low & 1) === 0 ? half : -half - 1
}

/** Bytes of a zigzag varint of -1 or more. */
export function sizeOfVarint(value: number): number {
  if (value < 64) return 1
  if (value < 8192) return 2
  if (value < 1_048_576) return 3
  return value < 134_217_728 ? 4 : 5
}

/** Writes a zigzag varint of -1 or more. */
export function putVarint(bytes: Buffer, at: number, value: number): number {
  let rest = value < 0 ? 1 : (value << 1) >>> 0
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

const INT_DELTA = 2 ** 30

/** Bytes of a zigzag varint of up to 64 bits. */
export function sizeOfVarlong(value: number): number {
  if (value >= 0 && value < 64) return 1
  let size = 1
  let rest = value >= 0 ? value : -1 - value
  while (rest >= 64) {
    rest = Math.floor(rest / 128)
    size++
  }
  return size
}

/** Writes a zigzag varint of up to 64 bits. */
export function putVarlong(bytes: Buffer, at: number, value: number): number {
  if (value > -INT_DELTA && value < INT_DELTA) {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128
      rest >>>= 7
    }
    bytes[at++] = rest
    return at
  }
  // More than twelve days apart.
  let rest = BigInt.asUintN(64, value < 0 ? (-BigInt(value) << 1n) - 1n : BigInt(value) << 1n)
  while (rest > 127n) {
    bytes[at++] = Number(rest & 127n) | 128
    rest >>= 7n
  }
  bytes[at++] = Number(rest)
  return at
}
