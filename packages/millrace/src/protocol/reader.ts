import { ProtocolError } from '../errors/index.ts'

/** The text of a UUID that consists of zeros, which stands for "none" throughout the protocol. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * A cursor over the bytes of a message, with one method for each primitive type of Kafka's protocol.
 *
 * 64-bit numbers are read as doubles: exact up to 2^53, which no offset, timestamp or producer id of a real cluster
 * reaches. `records` and `bytes` are views of the bytes given, never copies.
 *
 * Every length is compared with what is left before anything is allocated.
 *
 * @see https://kafka.apache.org/protocol#protocol_types
 */
export class Reader {
  readonly bytes: Buffer
  /** Of the next byte to read. */
  position: number
  /** Position after the last byte. */
  readonly end: number

  constructor(bytes: Buffer, position = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  /** Bytes that are left. */
  get left(): number {
    return this.end - this.position
  }

  /** Moves over `size` bytes. @returns the position before them */
  skip(size: number): number {
    const start = this.position
    if (size < 0 || size > this.end - start)
      throw new ProtocolError(`Cannot read ${size} bytes at position ${start} as only ${this.end - start} are left`)
    this.position = start + size
    return start
  }

  bool(): boolean {
    return this.bytes[this.skip(1)] !== 0
  }
  int8(): number {
    return this.bytes.readInt8(this.skip(1))
  }
  int16(): number {
    return this.bytes.readInt16BE(this.skip(2))
  }
  uint16(): number {
    return this.bytes.readUInt16BE(this.skip(2))
  }
  int32(): number {
    return this.bytes.readInt32BE(this.skip(4))
  }
  uint32(): number {
    return this.bytes.readUInt32BE(this.skip(4))
  }
  int64(): number {
    const at = this.skip(8)
    return this.bytes.readInt32BE(at) * 2 ** 32 + this.bytes.readUInt32BE(at + 4)
  }
  float64(): number {
    return this.bytes.readDoubleBE(this.skip(8))
  }

  /** A UUID as Kafka prints it: base64url without padding, 22 characters. */
  uuid(): string {
    const at = this.skip(16)
    return this.bytes.toString('base64url', at, at + 16)
  }

  /** An unsigned varint of at most 32 bits. */
  varint(): number {
    const byte = this.bytes[this.skip(1)]!
    if (byte < 128) return byte
    let value = byte & 127
    for (let shift = 7; shift < 35; shift += 7) {
      const next = this.bytes[this.skip(1)]!
      value += (next & 127) * 2 ** shift
      if (next < 128) {
        if (value > 0xffffffff) break
        return value
      }
    }
    throw new ProtocolError(`Cannot read the varint at position ${this.position} as it is longer than 32 bits`)
  }

  utf8(size: number): string {
    const at = this.skip(size)
    return this.bytes.toString('utf8', at, at + size)
  }

  /** The next `size` bytes, as a view. */
  view(size: number): Buffer {
    const at = this.skip(size)
    return this.bytes.subarray(at, at + size)
  }
}
