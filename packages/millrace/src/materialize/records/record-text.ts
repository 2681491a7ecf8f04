/**
 * Writes the text of records: values of JSON and elements of packed tuples in one spelling.
 *
 * No blanks, names of objects sorted by their bytes at every level, floats with `.0` or an exponent, and no escapes but those that
 * JSON requires. Values that have this spelling already, which is what a runtime sends, are copied in one pass; anything
 * else takes a slower way to the same text.
 */
import { isUtf8 } from 'node:buffer'
import { EncodeError } from '../../errors/index.ts'
import { isExact, parseExactly } from '../../records/exact-numbers.ts'
import {
  BACKSLASH,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  JsonScanner,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
} from '../wire/json-scanner.ts'
import {
  ESCAPED_ZERO,
  TUPLE_DOUBLE,
  TUPLE_FALSE,
  TUPLE_JSON,
  TUPLE_NULL,
  TUPLE_STRING,
  TUPLE_TRUE,
  tupleDouble,
  tupleInteger,
} from '../wire/tuple.ts'
import { floatText, numberText } from './numbers.ts'

const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
/** A double holds so many digits whatever they are. */
const EXACT_DIGITS = 15
const LONGEST_ESCAPE = 6
const MAX_DEPTH = 127
/** Instead of a position: the names of some object do not ascend. */
const UNSORTED = -1

const NULL = Buffer.from('null')
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

/** The letter behind the backslash, for control characters that have one. */
const SHORT_ESCAPES = new Uint8Array(0x20)
for (const [letter, code] of [
  ['b', 8],
  ['t', 9],
  ['n', 10],
  ['f', 12],
  ['r', 13],
] as const)
  SHORT_ESCAPES[code] = letter.charCodeAt(0)
const HEX_DIGITS = Buffer.from('0123456789abcdef')

/** Letters behind a backslash that a string may keep: those of `"`, `\`, and the control characters with a letter. */
const KEPT_ESCAPES = new Uint8Array(256)
for (const letter of '"\\btnfr') KEPT_ESCAPES[letter.charCodeAt(0)] = 1

export class RecordText {
  /** What was written lies before `position`. */
  bytes: Buffer
  position = 0
  readonly #scanner = new JsonScanner()

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** Makes room for so many more bytes. */
  reserve(count: number): void {
    if (this.position + count <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.position + count))
    this.bytes.copy(larger, 0, 0, this.position)
    this.bytes = larger
  }

  raw(text: Uint8Array): void {
    this.reserve(text.length)
    this.bytes.set(text, this.position)
    this.position += text.length
  }

  byte(byte: number): void {
    this.reserve(1)
    this.bytes[this.position++] = byte
  }

  ascii(text: string): void {
    this.reserve(text.length)
    for (let i = 0; i < text.length; i++) this.bytes[this.position++] = text.charCodeAt(i)
  }

  /** UTF-8 as a JSON string. @throws {EncodeError} for malformed UTF-8 */
  string(from: Buffer, start: number, end: number): void {
    this.reserve(2 * (end - start) + 2)
    this.bytes[this.position++] = QUOTE
    this.#escaped(from, start, end)
    this.byte(QUOTE)
  }

  /** Escapes what must be. There is room for two bytes for each. In a packed tuple, a zero byte is followed by `FF`. */
  #escaped(from: Buffer, start: number, end: number): void {
    const written = this.position
    let to = this.bytes
    let position = written
    let highest = 0
    for (let at = start; at < end; at++) {
      const byte = from[at]!
      if (byte >= 0x20) {
        if (byte === QUOTE || byte === BACKSLASH) to[position++] = BACKSLASH
        to[position++] = byte
        highest |= byte
      } else {
        this.position = position
        this.#controlCharacter(byte)
        if (byte === 0 && from[at + 1] === ESCAPED_ZERO) at++
        this.reserve(2 * (end - at))
        to = this.bytes
        position = this.position
      }
    }
    this.position = position
    if (highest > 0x7f && !isUtf8(to.subarray(written, position))) throw notUtf8()
  }

  #controlCharacter(byte: number): void {
    this.reserve(LONGEST_ESCAPE)
    const letter = SHORT_ESCAPES[byte]!
    if (letter !== 0) {
      this.bytes[this.position++] = BACKSLASH
      this.bytes[this.position++] = letter
      return
    }
    this.ascii('\\u00')
    this.bytes[this.position++] = HEX_DIGITS[byte >> 4]!
    this.bytes[this.position++] = HEX_DIGITS[byte & 15]!
  }

  /** An element of a packed tuple, whose end is known. @throws {EncodeError} {ProtocolViolationError} */
  tupleElement(from: Buffer, start: number, end: number): void {
    const type = from[start]!
    switch (type) {
      case TUPLE_STRING:
        return this.string(from, start + 1, end - 1)
      case TUPLE_JSON:
        return this.json(from, start + 1, end - 1)
      case TUPLE_DOUBLE:
        return this.ascii(floatText(tupleDouble(from, start + 1)))
      case TUPLE_NULL:
        return this.raw(NULL)
      case TUPLE_TRUE:
        return this.raw(TRUE)
      case TUPLE_FALSE:
        return this.raw(FALSE)
      default:
        return this.ascii(tupleInteger(from, start))
    }
  }

  /** A whole value of JSON. @throws {EncodeError} {ProtocolViolationError} when it is none */
  json(from: Buffer, start: number, end: number): void {
    const scanner = this.#scanner
    const rewind = this.position
    scanner.reset(from, end)
    const first = scanner.blanks(start)
    let after = this.#value(first, 0)
    if (after === UNSORTED) {
      after = scanner.value(first)
      this.position = rewind
      this.tree(parseExactly(from.toString('utf8', first, after)))
    }
    const rest = scanner.blanks(after)
    if (rest !== end) throw scanner.unexpected(rest)
  }

  /** Writes the value that begins here. @returns the position behind it, or `UNSORTED` */
  #value(at: number, depth: number): number {
    const scanner = this.#scanner
    if (depth > MAX_DEPTH) throw scanner.tooDeep()
    if (at >= scanner.end) throw scanner.unexpected(at)
    const first = scanner.bytes[at]!
    if (first === QUOTE) return this.#jsonString(at)
    if (first === OPEN_OBJECT) return this.#object(at, depth + 1)
    if (first === OPEN_LIST) return this.#list(at, depth + 1)
    const end = scanner.scalar(at)
    if (first > NINE || isPlain(scanner.bytes, at, end)) this.#copy(at, end)
    else this.ascii(numberText(scanner.bytes.toString('latin1', at, end)))
    return end
  }

  #copy(start: number, end: number): void {
    const from = this.#scanner.bytes
    this.reserve(end - start)
    const to = this.bytes
    let position = this.position
    for (let at = start; at < end; at++) to[position++] = from[at]!
    this.position = position
  }

  /** Copies a string, escapes included, unless one is spelled in another way than ours. */
  #jsonString(start: number): number {
    const from = this.#scanner.bytes
    const end = this.#scanner.string(start)
    let highest = 0
    for (let at = start + 1; at < end - 1; at++) {
      const byte = from[at]!
      highest |= byte
      if (byte !== BACKSLASH) continue
      at++
      if (KEPT_ESCAPES[from[at]!] !== 1) {
        this.#respelled(start, end)
        return end
      }
    }
    if (highest > 0x7f && !isUtf8(from.subarray(start, end))) throw notUtf8()
    this.#copy(start, end)
    return end
  }

  #respelled(start: number, end: number): void {
    this.#text(JSON.parse(this.#scanner.bytes.toString('utf8', start, end)) as string)
  }

  #list(start: number, depth: number): number {
    const scanner = this.#scanner
    this.byte(OPEN_LIST)
    let at = scanner.blanks(start + 1)
    if (at < scanner.end && scanner.bytes[at] === CLOSE_LIST) {
      this.byte(CLOSE_LIST)
      return at + 1
    }
    for (;;) {
      at = this.#value(at, depth)
      if (at === UNSORTED) return UNSORTED
      at = scanner.blanks(at)
      if (at < scanner.end && scanner.bytes[at] === CLOSE_LIST) {
        this.byte(CLOSE_LIST)
        return at + 1
      }
      at = scanner.expect(at, COMMA)
      this.byte(COMMA)
    }
  }

  /** Writes the members as they come, as long as their names ascend. */
  #object(start: number, depth: number): number {
    const scanner = this.#scanner
    const { bytes } = scanner
    this.byte(OPEN_OBJECT)
    let at = scanner.blanks(start + 1)
    if (at < scanner.end && bytes[at] === CLOSE_OBJECT) {
      this.byte(CLOSE_OBJECT)
      return at + 1
    }
    let lastStart = 0
    let lastEnd = 0
    for (;;) {
      if (at >= scanner.end || bytes[at] !== QUOTE) throw scanner.unexpected(at)
      const nameEnd = scanner.string(at)
      if (!ascends(bytes, lastStart, lastEnd, at + 1, nameEnd - 1)) return UNSORTED
      lastStart = at + 1
      lastEnd = nameEnd - 1
      at = this.#jsonString(at)
      at = scanner.expect(scanner.blanks(at), COLON)
      this.byte(COLON)
      at = this.#value(at, depth)
      if (at === UNSORTED) return UNSORTED
      at = scanner.blanks(at)
      if (at < scanner.end && bytes[at] === CLOSE_OBJECT) {
        this.byte(CLOSE_OBJECT)
        return at + 1
      }
      at = scanner.expect(at, COMMA)
      this.byte(COMMA)
    }
  }

  /** What `parseExactly` made, with sorted names. */
  tree(value: unknown): void {
    if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'number') this.ascii(numberText(String(value)))
    else if (isExact(value)) this.ascii(numberText(value.rawJSON))
    else if (typeof value !== 'object' || value === null) this.ascii(String(value))
    else if (Array.isArray(value)) {
      this.byte(OPEN_LIST)
      for (let i = 0; i < value.length; i++) {
        if (i > 0) this.byte(COMMA)
        this.tree(value[i])
      }
      this.byte(CLOSE_LIST)
    } else this.#members(value)
  }

  #members(object: object): void {
    this.byte(OPEN_OBJECT)
    let isFirst = true
    for (const [name, value] of Object.entries(object).toSorted(([a], [b]) => compareUtf8(a, b))) {
      if (!isFirst) this.byte(COMMA)
      isFirst = false
      this.#text(name)
      this.byte(COLON)
      this.tree(value)
    }
    this.byte(CLOSE_OBJECT)
  }

  #text(text: string): void {
    if (!text.isWellFormed()) throw new EncodeError('Cannot write a string that has half of a surrogate pair')
    this.raw(Buffer.from(JSON.stringify(text)))
  }
}

/** Order of the UTF-8 bytes of two texts. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Whether a name without escapes comes behind the one before it; the first one comes behind nothing. */
function ascends(bytes: Buffer, lastStart: number, lastEnd: number, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return false
  if (lastStart === 0) return true
  const common = Math.min(lastEnd - lastStart, end - start)
  for (let i = 0; i < common; i++) {
    const difference = bytes[start + i]! - bytes[lastStart + i]!
    if (difference !== 0) return difference > 0
  }
  return end - start > lastEnd - lastStart
}

/**
 * Whether a number is spelled as we would spell it, which is true of nearly all. Not for all of those of which it is true:
 * the others are parsed, and written.
 */
function isPlain(bytes: Buffer, start: number, end: number): boolean {
  let at = bytes[start] === MINUS ? start + 1 : start
  if (end - at > EXACT_DIGITS) return false
  const whole = at
  while (at < end && bytes[at]! >= ZERO) {
    if (bytes[at]! > NINE) return false // an exponent
    at++
  }
  // An integer; -0 is a float.
  if (at === end) return !(bytes[start] === MINUS && bytes[whole] === ZERO)
  if (bytes[at] !== POINT) return false
  const fraction = at + 1
  for (at = fraction; at < end; at++) if (bytes[at]! > NINE) return false
  // 1.0 is plain, 1.10 is not; below 0.1 there may be an exponent.
  if (bytes[end - 1] === ZERO) return end - fraction === 1 && bytes[whole] !== ZERO
  return bytes[whole] !== ZERO || bytes[fraction] !== ZERO
}

function notUtf8(): EncodeError {
  return new EncodeError('Cannot write a string as it is not UTF-8')
}
