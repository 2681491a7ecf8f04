import { ProtocolError } from '../errors/index.ts'

/** Bytes of at least this size are sent as they are instead of being copied into the message. */
const COPY_BELOW = 4096

const FIRST_CHUNK = 512
const MAX_INT64 = 2 ** 63
const UUID = /^[\w-]{22}$/

/**
 * Writes a message: a buffer that grows, and between its pieces the large `records`, which are never copied.
 *
 * 64-bit numbers are doubles, as `Reader` gives them; 2^63 is written as the largest number, so that it survives.
 */
export class Writer {
  /** Finished pieces. */
  readonly #pieces: Buffer[] = []
  #finishedBytes = 0
  #chunk: Buffer
  /** Position in `#chunk`. */
  #at = 0
  /** Where the part of `#chunk` that no finished piece holds begins. */
  #from = 0

  constructor(capacity: number = FIRST_CHUNK) {
    this.#chunk = Buffer.allocUnsafe(capacity)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#finishedBytes + this.#at - this.#from
  }

  /** What was written, in pieces to be sent one after the other; the writer must not be used afterwards. */
  finish(): Buffer[] {
    this.#cut()
    return this.#pieces
  }

  #cut(): void {
    if (this.#at === this.#from) return
    this.#pieces.push(this.#chunk.subarray(this.#from, this.#at))
    this.#finishedBytes += this.#at - this.#from
    this.#from = this.#at
  }

  /** Makes room for `size` bytes. @returns where they go in `#chunk` */
  #room(size: number): number {
    const at = this.#at
    if (at + size > this.#chunk.length) return this.#grow(size)
    this.#at = at + size
    return at
  }

  #grow(size: number): number {
    const kept = this.#at - this.#from
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#chunk.length, kept + size))
    this.#chunk.copy(larger, 0, this.#from, this.#at)
    this.#chunk = larger
    this.#from = 0
    this.#at = kept + size
    return kept
  }

  bool(value: boolean): void {
    const at = this.#room(1)
    this.#chunk[at] = value ? 1 : 0
  }
  int8(value: number): void {
    const at = this.#room(1)
    this.#chunk.writeInt8(value, at)
  }
  int16(value: number): void {
    const at = this.#room(2)
    this.#chunk.writeInt16BE(value, at)
  }
  uint16(value: number): void {
    const at = this.#room(2)
    this.#chunk.writeUInt16BE(value, at)
  }
  int32(value: number): void {
    const at = this.#room(4)
    this.#chunk.writeInt32BE(value, at)
  }
  uint32(value: number): void {
    const at = this.#room(4)
    this.#chunk.writeUInt32BE(value, at)
  }
  int64(value: number): void {
    if (!Number.isInteger(value)) throw new ProtocolError(`Cannot write ${value} as a 64-bit number`)
    const at = this.#room(8)
    const high = value >= MAX_INT64 ? 0x7fffffff : Math.floor(value / 2 ** 32)
    this.#chunk.writeInt32BE(high, at)
    this.#chunk.writeUInt32BE(value >= MAX_INT64 ? 0xffffffff : value - high * 2 ** 32, at + 4)
  }
  float64(value: number): void {
    const at = this.#room(8)
    this.#chunk.writeDoubleBE(value, at)
  }

  /** A UUID as base64url of 22 characters. */
  uuid(value: string): void {
    if (!UUID.test(value))
      throw new ProtocolError(`Cannot write "${value}" as a UUID: it needs 22 base64url characters`)
    const at = this.#room(16)
    this.#chunk.write(value, at, 'base64url')
  }

  /** An unsigned varint of at most 32 bits. */
  varint(value: number): void {
    let rest = value >>> 0
    while (rest > 127) {
      const at = this.#room(1)
      this.#chunk[at] = (rest & 127) | 128
      rest >>>= 7
    }
    const at = this.#room(1)
    this.#chunk[at] = rest
  }

  /** Text whose length in UTF-8 is known. */
  utf8(value: string, size: number): void {
    const at = this.#room(size)
    this.#chunk.write(value, at, size, 'utf8')
  }

  /** Bytes without a length. Large ones become a piece of their own and must not change before they are sent. */
  raw(value: Uint8Array): void {
    if (value.length < COPY_BELOW) {
      const at = this.#room(value.length)
      this.#chunk.set(value, at)
      return
    }
    this.#cut()
    this.#pieces.push(Buffer.from(value.buffer, value.byteOffset, value.length))
    this.#finishedBytes += value.length
  }
}

/** The pieces as one buffer; without a copy when there is only one. */
export function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}
