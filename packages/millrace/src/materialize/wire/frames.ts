/**
 * Cuts standard input into messages, whichever way it arrives.
 *
 * The codec is given, or found by the first byte: `{` begins JSON, because `{"sp` read as a length would be 1.8 GB.
 *
 * | codec | a message is |
 * |---|---|
 * | `proto` | a length of 4 bytes, little-endian, and as many bytes of protobuf |
 * | `json` | a line of JSON; empty lines are skipped |
 */
import { ProtocolViolationError } from '../../errors/index.ts'

export type Codec = 'proto' | 'json'

/** Largest message: a document of 64 MiB, the most that Flow allows, twice and with room. */
export const MAX_MESSAGE_BYTES: number = 160 << 20
const INITIAL_BYTES = 256 << 10
/** A buffer that grew for one large message is not kept. */
const KEPT_BYTES = 4 << 20
const FRAME_BYTES = 4
/** A line feed behind what was read, so that the search for one ends there. */
const SENTINEL_BYTES = 1
const LF = 0x0a
const CR = 0x0d
const OPEN_OBJECT = 0x7b

export class Frames {
  /** What `start` and `end` point into; valid until the next `push`. */
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  start = 0
  end = 0
  codec: Codec | undefined
  /** Where the next message begins. */
  #from = 0
  #filled = 0
  /** Where the search for the end of the line continues. */
  #searched = 0

  constructor(codec: Codec | undefined) {
    this.codec = codec
  }

  /** Adds what was read. */
  push(chunk: Uint8Array): void {
    const rest = this.#filled - this.#from
    const needed = rest + chunk.length + SENTINEL_BYTES
    if (needed > this.bytes.length || (rest < KEPT_BYTES && this.bytes.length > KEPT_BYTES)) {
      const larger = Buffer.allocUnsafeSlow(Math.max(INITIAL_BYTES, needed > this.bytes.length ? needed * 2 : needed))
      this.bytes.copy(larger, 0, this.#from, this.#filled)
      this.bytes = larger
      this.#rewind(rest)
    } else if (this.#filled + chunk.length + SENTINEL_BYTES > this.bytes.length) {
      this.bytes.copyWithin(0, this.#from, this.#filled)
      this.#rewind(rest)
    }
    this.bytes.set(chunk, this.#filled)
    this.#filled += chunk.length
    this.bytes[this.#filled] = LF
  }

  #rewind(rest: number): void {
    this.#searched -= this.#from
    this.#from = 0
    this.#filled = rest
  }

  /**
   * Moves `start` and `end` to the next message.
   * @returns false when it has not arrived as a whole
   * @throws {ProtocolViolationError} for one that is too large
   */
  next(): boolean {
    if (this.codec === undefined) {
      if (this.#filled === this.#from) return false
      this.codec = this.bytes[this.#from] === OPEN_OBJECT ? 'json' : 'proto'
    }
    return this.codec === 'proto' ? this.#nextFrame() : this.#nextLine()
  }

  #nextFrame(): boolean {
    const available = this.#filled - this.#from
    if (available < FRAME_BYTES) return false
    const length = this.bytes.readUInt32LE(this.#from)
    if (length > MAX_MESSAGE_BYTES) throw tooLarge(length)
    if (available - FRAME_BYTES < length) return false
    this.start = this.#from + FRAME_BYTES
    this.end = this.start + length
    this.#from = this.end
    return true
  }

  #nextLine(): boolean {
    for (;;) {
      const from = Math.max(this.#searched, this.#from)
      const found = this.bytes.indexOf(LF, from)
      if (found === this.#filled) {
        this.#searched = this.#filled
        if (this.#filled - this.#from > MAX_MESSAGE_BYTES) throw tooLarge(this.#filled - this.#from)
        return false
      }
      this.start = this.#from
      this.end = found > this.start && this.bytes[found - 1] === CR ? found - 1 : found
      this.#from = found + 1
      if (this.end > this.start) return true
    }
  }

  /**
   * The last line of JSON may lack its line feed. Call it at the end of input.
   * @returns false when there is no complete message left: a partial one counts as the end of input
   */
  last(): boolean {
    if (this.codec !== 'json' || this.#filled === this.#from) return false
    this.start = this.#from
    this.end = this.#filled
    this.#from = this.#filled
    try {
      JSON.parse(this.bytes.toString('utf8', this.start, this.end))
      return true
    } catch {
      return false
    }
  }
}

function tooLarge(length: number): ProtocolViolationError {
  return new ProtocolViolationError(
    `Cannot read a message of ${length} bytes as at most ${MAX_MESSAGE_BYTES} are allowed: is the input in the codec of FLOW_RUNTIME_CODEC?`,
  )
}
