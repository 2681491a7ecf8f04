/**
 * Finds out where JSON values end, and checks them as strictly as a parser does, without making values of them.
 */
import { ProtocolViolationError } from '../../errors/index.ts'

export const QUOTE = 0x22
const PLUS = 0x2b
export const COMMA = 0x2c
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
export const COLON = 0x3a
export const OPEN_LIST = 0x5b
export const BACKSLASH = 0x5c
export const CLOSE_LIST = 0x5d
export const OPEN_OBJECT = 0x7b
export const CLOSE_OBJECT = 0x7d

/** As in the original's parser. */
const MAX_DEPTH = 127

/** What may follow a backslash, `u` apart. */
const ESCAPES = new Uint8Array(256)
for (const letter of '"\\/bfnrt') ESCAPES[letter.charCodeAt(0)] = 1
const HEX = new Uint8Array(256)
for (const digit of '0123456789abcdefABCDEF') HEX[digit.charCodeAt(0)] = 1

export class JsonScanner {
  bytes: Buffer = Buffer.alloc(0)
  end = 0

  /** What to look at; positions are in `bytes`, before `end`. */
  reset(bytes: Buffer, end: number): void {
    this.bytes = bytes
    this.end = end
  }

  /** The position of the first byte that is no blank. */
  blanks(position: number): number {
    const { bytes, end } = this
    let at = position
    for (; at < end; at++) {
      const byte = bytes[at]!
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
    }
    return at
  }

  /** The position behind one byte that must be there, and the blanks after it. */
  expect(position: number, byte: number): number {
    if (position >= this.end || this.bytes[position] !== byte) throw this.unexpected(position)
    return this.blanks(position + 1)
  }

  /** The position behind a value that begins here. @throws {ProtocolViolationError} when it is none */
  value(position: number, depth = 0): number {
    const { bytes } = this
    if (position >= this.end) throw this.unexpected(position)
    const first = bytes[position]!
    if (first === QUOTE) return this.string(position)
    if (first === OPEN_OBJECT) return this.#object(position, depth + 1)
    if (first === OPEN_LIST) return this.#list(position, depth + 1)
    return this.scalar(position)
  }

  /** The position behind a string. */
  string(position: number): number {
    const { bytes, end } = this
    for (let at = position + 1; at < end; at++) {
      const byte = bytes[at]!
      if (byte === QUOTE) return at + 1
      if (byte === BACKSLASH) {
        at++
        if (at >= end) break
        if (ESCAPES[bytes[at]!] === 1) continue
        if (bytes[at] !== 0x75 || at + 4 >= end) throw this.unexpected(at)
        for (const last = at + 4; at < last;) if (HEX[bytes[++at]!] === 0) throw this.unexpected(at)
      } else if (byte < 0x20) throw this.unexpected(at)
    }
    throw this.unexpected(end)
  }

  /** The position behind a number, `true`, `false` or `null`. */
  scalar(position: number): number {
    const first = this.bytes[position]!
    if (first === MINUS || (first >= ZERO && first <= NINE)) return this.#number(position)
    if (first === 0x74) return this.#word(position, 'true')
    if (first === 0x66) return this.#word(position, 'false')
    if (first === 0x6e) return this.#word(position, 'null')
    throw this.unexpected(position)
  }

  unexpected(position: number): ProtocolViolationError {
    const what =
      position >= this.end ? 'the end of the message' : `byte 0x${this.bytes[position]!.toString(16).padStart(2, '0')}`
    return new ProtocolViolationError(`Cannot decode a JSON message as ${what} is not expected where it is`)
  }

  tooDeep(): ProtocolViolationError {
    return new ProtocolViolationError(`Cannot decode JSON that is nested more than ${MAX_DEPTH} levels deep`)
  }

  #object(position: number, depth: number): number {
    if (depth > MAX_DEPTH) throw this.tooDeep()
    let at = this.blanks(position + 1)
    if (at < this.end && this.bytes[at] === CLOSE_OBJECT) return at + 1
    for (;;) {
      if (at >= this.end || this.bytes[at] !== QUOTE) throw this.unexpected(at)
      at = this.expect(this.blanks(this.string(at)), COLON)
      at = this.blanks(this.value(at, depth))
      if (at < this.end && this.bytes[at] === CLOSE_OBJECT) return at + 1
      at = this.expect(at, COMMA)
    }
  }

  #list(position: number, depth: number): number {
    if (depth > MAX_DEPTH) throw this.tooDeep()
    let at = this.blanks(position + 1)
    if (at < this.end && this.bytes[at] === CLOSE_LIST) return at + 1
    for (;;) {
      at = this.blanks(this.value(at, depth))
      if (at < this.end && this.bytes[at] === CLOSE_LIST) return at + 1
      at = this.expect(at, COMMA)
    }
  }

  #word(position: number, word: string): number {
    for (let i = 0; i < word.length; i++)
      if (position + i >= this.end || this.bytes[position + i] !== word.charCodeAt(i))
        throw this.unexpected(position + i)
    return position + word.length
  }

  #number(position: number): number {
    const { bytes, end } = this
    let at = bytes[position] === MINUS ? position + 1 : position
    const whole = at
    at = this.#digits(at)
    if (bytes[whole] === ZERO && at > whole + 1) throw this.unexpected(whole + 1)
    if (at < end && bytes[at] === POINT) at = this.#digits(at + 1)
    if (at < end && (bytes[at]! | 0x20) === 0x65) {
      const sign = at + 1
      at = this.#digits(sign < end && (bytes[sign] === MINUS || bytes[sign] === PLUS) ? sign + 1 : sign)
    }
    return at
  }

  /** The position behind at least one digit. */
  #digits(position: number): number {
    const { bytes, end } = this
    let at = position
    while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++
    if (at === position) throw this.unexpected(at)
    return at
  }
}
