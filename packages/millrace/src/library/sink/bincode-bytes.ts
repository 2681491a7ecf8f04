/** The bytes of `bincode.ts`: little endian, a position that moves on. */

export class BincodeWriter {
  #bytes = Buffer.allocUnsafe(256)
  #at = 0

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = value
  }

  /** @param value unsigned, and within the width */
  integer(value: bigint, width: number): void {
    this.#room(width)
    let rest = value
    for (let i = 0; i < width; i++) {
      this.#bytes[this.#at++] = Number(rest & 0xffn)
      rest >>= 8n
    }
  }

  float(value: number): void {
    this.#room(4)
    this.#at = this.#bytes.writeFloatLE(value, this.#at)
  }

  double(value: number): void {
    this.#room(8)
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
  }

  length(count: number): void {
    this.#room(8)
    this.#at = this.#bytes.writeBigUInt64LE(BigInt(count), this.#at)
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** Bytes with their length in front. */
  content(bytes: Uint8Array): void {
    this.length(bytes.length)
    this.raw(bytes)
  }

  take(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

/** All its methods throw {RangeError} where the bytes end too early. */
export class BincodeReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** @throws {RangeError} for another byte than 0 and 1 */
  flag(): boolean {
    const byte = this.#take(1)[0]!
    if (byte > 1) throw new RangeError(`a byte must be 0 or 1: it is ${byte}`)
    return byte === 1
  }

  integer(width: number): bigint {
    let value = 0n
    for (const [i, byte] of this.#take(width).entries()) value |= BigInt(byte) << BigInt(8 * i)
    return value
  }

  float(): number {
    return this.#take(4).readFloatLE(0)
  }

  double(): number {
    return this.#take(8).readDoubleLE(0)
  }

  /** A number of elements or bytes. Elements without bytes (`unit`) are bounded as others are. */
  length(): number {
    const length = this.integer(8)
    if (length > BigInt(this.#bytes.length - this.#at))
      throw new RangeError(
        `a length must be at most what is left of the bytes, ${this.#bytes.length - this.#at}: it is ${length}`,
      )
    return Number(length)
  }

  content(): Buffer {
    return this.#take(this.length())
  }

  character(): string {
    const first = this.#bytes[this.#at] ?? 0
    return this.#take(first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4).toString()
  }

  /** @throws {RangeError} when bytes are left */
  end(): void {
    if (this.#at < this.#bytes.length)
      throw new RangeError(`${this.#bytes.length - this.#at} bytes are left behind the value`)
  }

  #take(count: number): Buffer {
    if (this.#at + count > this.#bytes.length)
      throw new RangeError(`the bytes end after ${this.#bytes.length}, and ${this.#at + count} are needed`)
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }
}
