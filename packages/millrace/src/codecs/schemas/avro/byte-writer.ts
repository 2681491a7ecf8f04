/** A buffer that grows, with the primitives of Avro's binary encoding. */
const FIRST_BYTES = 1024

export class ByteWriter {
  /** Bytes that are written; may be set back. */
  length = 0
  #buffer = Buffer.allocUnsafe(FIRST_BYTES)

  byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.length++] = value
  }

  /** A zigzag varint of 32 bits. */
  int(value: number): void {
    this.#reserve(5)
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    for (; rest >= 0x80; rest >>>= 7) this.#buffer[this.length++] = (rest & 0x7f) | 0x80
    this.#buffer[this.length++] = rest
  }

  /** The same of 64 bits. */
  long(value: bigint): void {
    this.#reserve(10)
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    for (; rest >= 0x80n; rest >>= 7n) this.#buffer[this.length++] = Number(rest & 0x7fn) | 0x80
    this.#buffer[this.length++] = Number(rest)
  }

  float(value: number): void {
    this.#reserve(4)
    this.length = this.#buffer.writeFloatLE(value, this.length)
  }

  double(value: number): void {
    this.#reserve(8)
    this.length = this.#buffer.writeDoubleLE(value, this.length)
  }

  /** UTF-8, its length first. */
  text(value: string): void {
    const size = Buffer.byteLength(value)
    this.int(size)
    this.#reserve(size)
    this.length += this.#buffer.write(value, this.length, size, 'utf8')
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.length)
    this.length += value.length
  }

  /** A copy of what is written, behind some bytes that are left free. The next value starts at the beginning again. */
  take(before: number): Buffer {
    const bytes = Buffer.allocUnsafe(before + this.length)
    this.#buffer.copy(bytes, before, 0, this.length)
    this.length = 0
    return bytes
  }

  #reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.length)
    this.#buffer = larger
  }
}
