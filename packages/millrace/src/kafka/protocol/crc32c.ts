/**
 * CRC-32C (Castagnoli), the checksum of a record batch.
 *
 * Native where `@node-rs/crc32` is installed (an optional dependency), else in TypeScript, eight bytes at a time by tables
 * ("slicing by 8").
 */
import { createRequire } from 'node:module'

type Checksum = (bytes: Uint8Array) => number

/** The native library takes 7 MB and some milliseconds, so it is loaded with the first checksum. */
let checksum: Checksum = (bytes) => {
  checksum = loadNative() ?? portable
  return checksum(bytes)
}

/** Whether the native implementation serves; for tests. */
export function isCrc32cNative(): boolean {
  return loadNative() !== undefined
}

/**
 * Checksum of `bytes[start, end)` as an unsigned 32-bit number. Does not copy.
 *
 * The range must lie within the bytes: the caller has checked it.
 */
export function crc32c(bytes: Buffer, start: number, end: number): number {
  return start === end ? 0 : checksum(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)) >>> 0
}

/**
 * The checksum of bytes of which only the beginning has changed, without looking at the others: as a CRC is linear, what the change
 * contributes is the difference of the checksums of the beginnings, followed by as many zeros as there are other bytes.
 *
 * @param whole checksum of all bytes before
 * @param before checksum of their beginning before
 * @param after that of their beginning now, which is as long
 * @param others number of bytes that follow it
 */
export function changedCrc32c(whole: number, before: number, after: number, others: number): number {
  return (whole ^ times(before ^ after, zerosOf(others))) >>> 0
}

/** The polynomial of Castagnoli with its bits in reverse. */
const POLYNOMIAL = 0x82f63b78

let tables: Uint32Array[] | undefined

/** Table k: what a byte contributes that is followed by k others. */
function makeTables(): Uint32Array[] {
  const made = Array.from({ length: 8 }, () => new Uint32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    made[0]![byte] = crc
  }
  for (let k = 1; k < 8; k++)
    for (let byte = 0; byte < 256; byte++) {
      const before = made[k - 1]![byte]!
      made[k]![byte] = (before >>> 8) ^ made[0]![before & 255]!
    }
  return made
}

/** x^(8 * 2^k) modulo the polynomial: what 2^k bytes of zeros multiply a checksum by. */
let powers: Uint32Array | undefined

function zerosOf(bytes: number): number {
  if (powers === undefined) {
    powers = new Uint32Array(32)
    powers[0] = 0x00800000 // x^8; the bits are in reverse
    for (let k = 1; k < powers.length; k++) powers[k] = times(powers[k - 1]!, powers[k - 1]!)
  }
  let product = 0x80000000 // 1
  for (let k = 0, rest = bytes; rest > 0; k++, rest >>>= 1) if ((rest & 1) === 1) product = times(product, powers[k]!)
  return product
}

/** Product of two polynomials modulo that of Castagnoli, bits in reverse. */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = a | 0; bit !== 0; bit <<= 1) {
    if (bit < 0) product ^= b
    b = (b & 1) === 1 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1
  }
  return product
}

/** The checksum without native code. */
export function portable(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = (tables ??= makeTables()) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ]
  const end = bytes.length
  let crc = -1
  let at = 0
  for (const whole = end - 7; at < whole; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      t7[low & 255]! ^
      t6[(low >>> 8) & 255]! ^
      t5[(low >>> 16) & 255]! ^
      t4[low >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 255]!
  return ~crc >>> 0
}

function loadNative(): Checksum | undefined {
  try {
    return (createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Checksum }).crc32c
  } catch {
    // No binary for this platform, or installed without optional dependencies.
    return undefined
  }
}
