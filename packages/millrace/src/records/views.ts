/** Views of bytes as Buffers, and the headers that Kafka stores behind a value. */
import type { Header } from './record.ts'
import { VarintReader } from './varint.ts'

/**
 * The class that Node makes every Buffer of, whose constructor takes its arguments as they are. A subclass of our own
 * would save another 5 ns per view, but `assert.deepStrictEqual` would tell its instances from other Buffers.
 */
const PlainBuffer = (
  Buffer as unknown as {
    readonly [Symbol.species]: new (buffer: ArrayBufferLike, start: number, length: number) => Buffer
  }
)[Symbol.species]

/** A view of some bytes as a Buffer: `buffer.subarray()` without its argument handling. */
export function viewOf(bytes: Buffer, start: number, length: number): Buffer {
  return new PlainBuffer(bytes.buffer, bytes.byteOffset + start, length)
}

/** Reads the headers that begin at a position. The place was checked when the record was located. */
export function readHeaders(bytes: Buffer, start: number): Header[] {
  const reader = new VarintReader(bytes, start)
  const count = reader.next()
  const headers: Header[] = []
  for (let i = 0; i < count; i++) {
    const nameLength = reader.next()
    const name = bytes.toString('utf8', reader.position, reader.position + nameLength)
    reader.position += nameLength
    const valueLength = reader.next()
    headers.push([name, valueLength < 0 ? null : viewOf(bytes, reader.position, valueLength)])
    reader.position += Math.max(0, valueLength)
  }
  return headers
}
