/**
 * CRC-32C (Castagnoli), the checksum of a record batch.
 *
 * Native where `@node-rs/crc32` is installed (an optional dependency), else the WebAssembly of the protocol library, which
 * takes three times as long because it works on a copy in its own memory.
 */
import { createRequire } from 'node:module'
import { crc32c as portable } from '@platformatic/kafka'

type Checksum = (bytes: Uint8Array) => number

const native = loadNative()
const checksum: Checksum = native ?? portable

/** Whether the native implementation serves; for `--version`, benchmarks and tests. */
export const isCrc32cNative: boolean = native !== undefined

/**
 * Checksum of `bytes[start, end)` as an unsigned 32-bit number. Does not copy.
 *
 * The range must lie within the bytes: the caller has checked it.
 */
export function crc32c(bytes: Buffer, start: number, end: number): number {
  return start === end ? 0 : checksum(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)) >>> 0
}

function loadNative(): Checksum | undefined {
  try {
    return (createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Checksum }).crc32c
  } catch {
    // No binary for this platform, or installed without optional dependencies.
    return undefined
  }
}
