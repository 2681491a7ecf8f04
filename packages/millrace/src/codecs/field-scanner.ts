/**
 * Reads a few fields of a JSON object from its bytes, without making the object.
 *
 * The whole text is checked as strictly as `JSON.parse` does it. What needs more than one pass over plain bytes is left to the
 * parser: a key with an escape, a field that is there twice, nesting beyond 30 levels, a value that is no object. A property
 * test holds both to the same answers.
 */
import { isUtf8 } from 'node:buffer'

const QUOTE = 0x22
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Containers that one number can hold a bit for. */
const MAX_DEPTH = 30
/** Digits that a double holds whatever they are, and the largest power of ten that it holds exactly. */
const EXACT_DIGITS = 15
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))

/** What may follow a backslash in a string, `u` apart. */
const ESCAPES = new Uint8Array(256)
for (const letter of '"\\/bfnrt') ESCAPES[letter.charCodeAt(0)] = 1
const HEX = new Uint8Array(256)
for (const digit of '0123456789abcdefABCDEF') HEX[digit.charCodeAt(0)] = 1

const NO_BYTES = Buffer.alloc(0)

/** How the scan of a part ended, where it is not a position. */
const REFUSED = -1

export class FieldScanner {
  readonly #names: readonly string[]
  readonly #keys: readonly Buffer[]
  /** Where the value of each field begins and ends; -1 for one that is not there. */
  readonly #starts: Int32Array
  readonly #ends: Int32Array
  #bytes: Buffer = NO_BYTES
  #end = 0
  #isAscii = true
  /** A name that an object cannot be given by assignment. */
  readonly #isOdd: boolean

  /** @param names of fields of the outermost object */
  constructor(names: readonly string[]) {
    this.#names = names
    this.#isOdd = names.includes('__proto__')
    this.#keys = names.map((name) => Buffer.from(name))
    this.#starts = new Int32Array(names.length)
    this.#ends = new Int32Array(names.length)
  }

  /**
   * The fields of one object: those of its names that it has.
   * @returns undefined where the parser has to be asked, which may also refuse the text
   */
  read(bytes: Buffer, start: number, end: number): { readonly [name: string]: unknown } | undefined {
    if (this.#isOdd) return undefined
    this.#bytes = bytes
    const fields = this.#read(start, end)
    this.#bytes = NO_BYTES // of a batch that may be gone by the next call
    return fields
  }

  #read(start: number, end: number): { readonly [name: string]: unknown } | undefined {
    this.#end = end
    this.#isAscii = true
    this.#starts.fill(-1)
    if (this.#scan(start) === REFUSED) return undefined
    // Malformed UTF-8 is refused, and that is the parser's to say.
    if (!this.#isAscii && !isUtf8(this.#bytes.subarray(start, end))) return undefined
    const fields: { [name: string]: unknown } = {}
    for (let i = 0; i < this.#names.length; i++) {
      if (this.#starts[i]! >= 0) fields[this.#names[i]!] = this.#value(this.#starts[i]!, this.#ends[i]!)
    }
    return fields
  }

  /** Checks the text and notes where the fields lie. */
  #scan(start: number): number {
    const bytes = this.#bytes
    const end = this.#end
    let position = this.#blanks(start)
    if (bytes[position] !== OPEN_OBJECT || position >= end) return REFUSED
    // Bit 0 tells of the innermost container: 1 for a list.
    let containers = 0
    let depth = 1
    let wanted = -1
    position = this.#blanks(position + 1)
    let isEmpty = bytes[position] === CLOSE_OBJECT
    for (;;) {
      // Here a member or an element begins, unless the container is empty.
      if (!isEmpty) {
        if ((containers & 1) === 0) {
          if (bytes[position] !== QUOTE) return REFUSED
          const key = position + 1
          position = this.#key(key)
          if (position === REFUSED) return REFUSED
          if (depth === 1) wanted = this.#wanted(key, position - 1)
          position = this.#blanks(position)
          if (bytes[position] !== COLON) return REFUSED
          position = this.#blanks(position + 1)
          if (wanted >= 0 && depth === 1) {
            if (this.#starts[wanted]! >= 0) return REFUSED
            this.#starts[wanted] = position
          }
        }
        if (position >= end) return REFUSED
        const first = bytes[position]!
        if (first === OPEN_OBJECT || first === OPEN_LIST) {
          if (depth === MAX_DEPTH) return REFUSED
          depth++
          containers = (containers << 1) | (first === OPEN_LIST ? 1 : 0)
          position = this.#blanks(position + 1)
          isEmpty = bytes[position] === (first === OPEN_LIST ? CLOSE_LIST : CLOSE_OBJECT)
          continue
        }
        position = first === QUOTE ? this.#string(position + 1) : this.#scalar(position, first)
        if (position === REFUSED) return REFUSED
        if (wanted >= 0 && depth === 1) this.#ends[wanted] = position
        position = this.#blanks(position)
      }
      // Here a member or an element has ended.
      for (;;) {
        if (position >= end) return REFUSED
        const next = bytes[position]!
        if (next === COMMA && !isEmpty) {
          position = this.#blanks(position + 1)
          break
        }
        if (next !== ((containers & 1) === 1 ? CLOSE_LIST : CLOSE_OBJECT)) return REFUSED
        isEmpty = false
        position++
        containers >>>= 1
        if (--depth === 0) return this.#blanks(position) === end ? end : REFUSED
        if (wanted >= 0 && depth === 1) this.#ends[wanted] = position
        position = this.#blanks(position)
      }
    }
  }

  #blanks(position: number): number {
    const bytes = this.#bytes
    let at = position
    for (; at < this.#end; at++) {
      const byte = bytes[at]!
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
    }
    return at
  }

  /** The position after a key; one with an escape is refused. */
  #key(start: number): number {
    const bytes = this.#bytes
    for (let at = start; at < this.#end; at++) {
      const byte = bytes[at]!
      if (byte === QUOTE) return at + 1
      if (byte < 0x20 || byte === BACKSLASH) return REFUSED
      if (byte > 0x7e) this.#isAscii = false
    }
    return REFUSED
  }

  /** The position after a string. */
  #string(start: number): number {
    const bytes = this.#bytes
    const end = this.#end
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      if (byte === QUOTE) return at + 1
      if (byte === BACKSLASH) {
        at++
        if (at >= end) return REFUSED
        if (ESCAPES[bytes[at]!] === 1) continue
        if (bytes[at] !== 0x75 || at + 4 >= end) return REFUSED
        for (const last = at + 4; at < last;) if (HEX[bytes[++at]!] === 0) return REFUSED
      } else if (byte < 0x20) return REFUSED
      else if (byte > 0x7e) this.#isAscii = false
    }
    return REFUSED
  }

  /** The position after a number, `true`, `false` or `null`. */
  #scalar(position: number, first: number): number {
    if (first === MINUS || (first >= ZERO && first <= NINE)) return this.#number(position)
    if (first === 0x74) return this.#word(position, TRUE)
    if (first === 0x66) return this.#word(position, FALSE)
    return first === 0x6e ? this.#word(position, NULL) : REFUSED
  }

  #word(position: number, word: Uint8Array): number {
    if (position + word.length > this.#end) return REFUSED
    for (let i = 1; i < word.length; i++) if (this.#bytes[position + i] !== word[i]) return REFUSED
    return position + word.length
  }

  #number(position: number): number {
    const bytes = this.#bytes
    let at = position
    if (bytes[at] === MINUS) at++
    const whole = at
    at = this.#digits(at)
    if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return REFUSED
    if (at < this.#end && bytes[at] === POINT) {
      const fraction = at + 1
      at = this.#digits(fraction)
      if (at === fraction) return REFUSED
    }
    if (at < this.#end && (bytes[at]! | 0x20) === 0x65) {
      let exponent = at + 1
      if (exponent < this.#end && (bytes[exponent] === MINUS || bytes[exponent] === 0x2b)) exponent++
      at = this.#digits(exponent)
      if (at === exponent) return REFUSED
    }
    return at
  }

  #digits(position: number): number {
    const bytes = this.#bytes
    let at = position
    while (at < this.#end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++
    return at
  }

  /** Which of the names a key is; -1 for none. */
  #wanted(start: number, end: number): number {
    const bytes = this.#bytes
    const length = end - start
    next: for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i]!
      if (key.length !== length) continue
      for (let at = 0; at < length; at++) if (bytes[start + at] !== key[at]) continue next
      return i
    }
    return -1
  }

  /** The value between two positions, which was checked. */
  #value(start: number, end: number): unknown {
    const bytes = this.#bytes
    const first = bytes[start]!
    if (first === QUOTE) {
      for (let at = start + 1; at < end - 1; at++)
        if (bytes[at] === BACKSLASH) return JSON.parse(bytes.toString('utf8', start, end))
      return this.#isAscii ? bytes.toString('latin1', start + 1, end - 1) : bytes.toString('utf8', start + 1, end - 1)
    }
    if (first === MINUS || (first >= ZERO && first <= NINE)) return numberOf(bytes, start, end)
    if (first === 0x74) return true
    if (first === 0x66) return false
    return first === 0x6e ? null : JSON.parse(bytes.toString('utf8', start, end))
  }
}

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

/** Up to 15 digits make an exact integer, and its quotient by a power of ten is the double next to the number. */
function numberOf(bytes: Buffer, start: number, end: number): number {
  if (end - start > EXACT_DIGITS + 1) return Number(bytes.toString('latin1', start, end))
  let digits = 0
  let decimals = -1
  for (let at = bytes[start] === MINUS ? start + 1 : start; at < end; at++) {
    const byte = bytes[at]!
    if (byte === POINT) decimals = end - at - 1
    else if (byte > NINE) return Number(bytes.toString('latin1', start, end))
    else digits = digits * 10 + (byte - ZERO)
  }
  const number = decimals < 0 ? digits : digits / POWERS_OF_TEN[decimals]!
  return bytes[start] === MINUS ? -number : number
}
