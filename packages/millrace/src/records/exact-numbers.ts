/**
 * Numbers of JSON whose digits say more than a double: `1.234567890123456789`, `9007199254740993`, `2.0`, `1e400`, `-0`.
 * `JSON.parse` makes doubles of them, and what is written of a document must have the digits that came in (I7).
 */
import { EncodeError } from '../errors/index.ts'

/** What `JSON.rawJSON` makes: written as it is. */
export interface ExactNumber {
  readonly rawJSON: string
}
/** What a reviver is passed of a value that is no object. ES2025 has it, and `rawJSON`; TypeScript's library does not know yet. */
interface Source {
  readonly source?: string
}
const EXACT = JSON as unknown as { rawJSON(text: string): ExactNumber; isRawJSON(value: unknown): value is ExactNumber }

export function isExact(value: unknown): value is ExactNumber {
  return EXACT.isRawJSON(value)
}

const QUOTE = 0x22
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const LARGE_E = 0x45
const BACKSLASH = 0x5c
const SMALL_E = 0x65
/** Doubles hold that many digits, whatever they are. */
const SAFE_DIGITS = 15

/**
 * Whether JSON in UTF-8 may hold numbers whose digits differ from those that JavaScript writes: with an exponent, many digits,
 * zeros behind the point, or a minus before 0. Costs about a nanosecond a byte.
 */
export function mayDifferIn(json: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const first = json[i]!
    if (first === QUOTE) {
      for (i++; i < to && json[i] !== QUOTE; i++) if (json[i] === BACKSLASH) i++
    } else if (first <= NINE && (first >= ZERO || first === MINUS)) {
      const start = i
      let point = -1
      let code = first
      for (i++; i < to; i++) {
        code = json[i]!
        if (code > NINE || code < ZERO) {
          if (code !== POINT) break
          point = i
        }
      }
      const digits = i - start - (first === MINUS ? 1 : 0) - (point < 0 ? 0 : 1)
      if (digits > SAFE_DIGITS || code === SMALL_E || code === LARGE_E) return true
      if (json[i - 1] === ZERO && (point >= 0 || (first === MINUS && digits === 1))) return true
    }
  }
  return false
}

/** Bytes of a schema id: a zero, which no JSON begins with, and a number. */
const SCHEMA_ID_BYTES = 5

/** The JSON of a value as it is stored, which may have a schema id in front. */
function jsonOf(value: Buffer): Buffer {
  return value[0] === 0 ? value.subarray(SCHEMA_ID_BYTES) : value
}

/** The same of a value as it is stored: JSON, maybe with a schema id in front. */
export function mayDifferInValue(value: Buffer): boolean {
  return mayDifferIn(value, value[0] === 0 ? SCHEMA_ID_BYTES : 0, value.length)
}

/** Whether a value may hold numbers that are others as doubles: with an exponent or many digits. */
function mayRound(value: Buffer): boolean {
  return mayDifferInValue(value) && LONG.test(jsonOf(value).toString('latin1'))
}

const LONG = /[\d.]{16}|\d[eE]/

/** The same of text. */
export function mayDiffer(json: string): boolean {
  const bytes = Buffer.from(json)
  return mayDifferIn(bytes, 0, bytes.length)
}

/**
 * Parses JSON, in which numbers that a double does not write with the same digits become what `JSON.stringify` does.
 * @throws {SyntaxError}
 */
export function parseExactly(text: string): unknown {
  return mayDiffer(text) ? reviveExactly(text) : JSON.parse(text)
}

function reviveExactly(text: string): unknown {
  const revive = (_: string, value: unknown, { source }: Source): unknown =>
    typeof value === 'number' && source !== undefined && source !== String(value) ? EXACT.rawJSON(source) : value
  return JSON.parse(text, revive as never)
}

/** Parses JSON for programs: whole numbers that no double holds are BigInt. @throws {SyntaxError} */
export function parseForProgram(text: string): unknown {
  if (!mayDiffer(text)) return JSON.parse(text)
  const revive = (_: string, value: unknown, { source }: Source): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && INTEGER.test(source)
      ? BigInt(source)
      : value
  return JSON.parse(text, revive as never)
}

/** The text of a value that may have BigInts, which are whole numbers in JSON. @throws {TypeError} for what JSON cannot hold */
export function stringifyForProgram(value: unknown): string {
  return (
    JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? EXACT.rawJSON(String(one)) : one)) ?? 'null'
  )
}

/** @returns the text of a value that `parseExactly` gave, or that was made of parts of one; `null` for what JSON has no word for */
export function stringifyExactly(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

const INTEGER = /^-?\d+$/
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/

/** A number of these decimal digits: a double where that is the same number, else what `JSON.stringify` writes as it is. */
export function numberOf(digits: string): number | ExactNumber {
  const number = Number(digits)
  const text = String(number)
  if (text === digits || decimalOf(text) === decimalOf(digits)) return number
  areInDocuments = true
  return EXACT.rawJSON(digits)
}

/** Whether any document has ever been given a number that no double holds: those of JSON have none. */
let areInDocuments = false

/** A value as comparisons and calculations see it: its numbers are doubles. Itself where it has no others. */
export function withDoubles(value: unknown): unknown {
  return areInDocuments ? doublesIn(value) : value
}

function doublesIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || hasOwnJson(value)) return value
  if (isExact(value)) return Number(value.rawJSON)
  if (Array.isArray(value)) {
    const doubles = value.map(doublesIn)
    return doubles.some((one, i) => one !== value[i]) ? doubles : value
  }
  let copy: { [name: string]: unknown } | undefined
  for (const [name, field] of Object.entries(value)) {
    const double = doublesIn(field)
    if (double !== field) (copy ??= { ...value })[name] = double
  }
  return copy ?? value
}

/** The same for programs, which have a BigInt for a whole number that no double holds; other digits stay text. */
export function programNumberOf(digits: string): number | bigint | string {
  const number = numberOf(digits)
  if (typeof number === 'number') return number
  return INTEGER.test(digits) ? BigInt(digits) : digits
}

/** The decimal digits of a number in any of the forms that documents and programs have; undefined for what is no finite number. */
export function digitsOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  if (typeof value === 'bigint') return String(value)
  const text = isExact(value) ? value.rawJSON : value
  return typeof text === 'string' && DECIMAL.test(text) ? text : undefined
}

/** The whole number that decimal digits are, whatever their form: `5`, `5.0`, `5e2`; undefined where they have a fraction. */
export function wholeOf(digits: string): bigint | undefined {
  return scaledOf(digits, 0)
}

/** Decimal digits times ten to the power of `scale`; undefined where that leaves a fraction, or is longer than any number is. */
export function scaledOf(digits: string, scale: number): bigint | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(digits) ?? []
  if (whole === '') return undefined
  const shift = Number(exponent) - fraction.length + scale
  const all = BigInt(`${whole}${fraction}`)
  if (all === 0n) return 0n
  if (Math.abs(shift) > MOST_DIGITS) return undefined
  const power = 10n ** BigInt(Math.abs(shift))
  if (shift < 0 && all % power !== 0n) return undefined
  const scaled = shift < 0 ? all / power : all * power
  return sign === '-' ? -scaled : scaled
}

const MOST_DIGITS = 2000

/** Whether a value is a text, or an integer of these digits that a double does not hold. */
export function equalsText(value: unknown, text: string): boolean {
  return value === text || (isExact(value) && value.rawJSON === text && INTEGER.test(text))
}

/**
 * Writes the numbers of a document with the digits that came in, as far as stages left them alone. A number that is where it
 * was has its digits. One that was moved has them if it can be told which it was: by its name, or as the only one that is this
 * double. Computed numbers are written as JavaScript does.
 *
 * @param written what `JSON.stringify` made of the document
 * @param original the value from which the document was made
 * @param wrapper field of the document that holds the value, where that is not an object
 * @throws {EncodeError} when digits would be lost, as it is unknown which of several numbers was moved
 */
export function withExactNumbers(document: unknown, written: string, original: Buffer, wrapper = 'value'): string {
  if (!mayDifferInValue(original)) return written
  const exact = exactDocument(document, original, wrapper)
  return exact === document ? written : stringifyExactly(exact)
}

/** A copy of a document whose numbers have the digits that came in, by the same rules; itself where what came in is not JSON. */
export function exactDocument(document: unknown, original: Buffer, wrapper = 'value'): unknown {
  let exact: unknown
  try {
    exact = reviveExactly(jsonOf(original).toString())
  } catch {
    return document // what is not JSON has no numbers
  }
  const isWhole = typeof exact === 'object' && exact !== null && !isExact(exact) && !Array.isArray(exact)
  const before = isWhole ? exact : { [wrapper]: exact }
  return new Restorer(before).restore(document, before, '')
}

/**
 * A part of a document with the digits that came in, by the same rules. @param path where it is in the document
 * @throws {EncodeError} when digits would be lost
 */
export function exactPart(part: unknown, path: readonly string[], original: Buffer): unknown {
  if (!mayDifferInValue(original)) return part
  const document = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), part)
  return path.reduce(fieldOf, exactDocument(document, original))
}

/** All of a value, with the digits that came in. @throws {SyntaxError} where it is not JSON */
export function exactValue(original: Buffer): unknown {
  return reviveExactly(jsonOf(original).toString())
}

/** Finds the digits of numbers in what they came from. */
class Restorer {
  readonly #before: unknown
  #found: Digits | undefined

  constructor(before: unknown) {
    this.#before = before
  }

  /** A copy of a value with the digits that came in. @param before what was in its place */
  restore(value: unknown, before: unknown, name: string): unknown {
    if (typeof value === 'number') {
      if (Object.is(value, isExact(before) ? Number(before.rawJSON) : before)) return before
      return this.#moved(value, name)
    }
    if (typeof value !== 'object' || value === null || isExact(value) || hasOwnJson(value)) return value
    if (Array.isArray(value)) return value.map((element, i) => this.restore(element, fieldOf(before, i), String(i)))
    return Object.fromEntries(
      Object.entries(value).map(([key, field]) => [key, this.restore(field, fieldOf(before, key), key)]),
    )
  }

  #moved(value: number, name: string): unknown {
    const { byName, byNumber } = (this.#found ??= digitsIn(this.#before))
    const named = byName.get(`${value} ${name}`)
    if (named !== undefined && named !== '' && Object.is(Number(named), value)) return EXACT.rawJSON(named)
    const sources = byNumber.get(value)
    // 2.0 that is elsewhere now is as good as 2.
    if (sources === undefined || !sources.some((source) => decimalOf(source) !== decimalOf(String(value)))) return value
    if (sources.some((source) => decimalOf(source) !== decimalOf(sources[0]!)))
      throw new EncodeError(
        `Cannot write field "${name}" exactly as two numbers of the record are both ${value} when rounded to a double`,
      )
    return EXACT.rawJSON(sources[0]!)
  }
}

/**
 * The numbers of several values, of which documents were made: a list of them, the first or the largest of a group. Numbers that a
 * double rounds get their digits back where it can be told which they are.
 */
export class NumbersOfSeveral {
  readonly #sources: ReadonlyMap<number, readonly string[]>

  private constructor(sources: ReadonlyMap<number, readonly string[]>) {
    this.#sources = sources
  }

  /** @param values in UTF-8 @returns undefined where none of them has a number that a double rounds */
  static of(values: readonly Buffer[]): NumbersOfSeveral | undefined {
    if (!values.some(mayRound)) return undefined
    const sources = new Map<number, string[]>()
    for (const value of values) {
      let parsed: unknown
      try {
        parsed = reviveExactly(jsonOf(value).toString())
      } catch {
        continue // what is not JSON has no numbers
      }
      for (const [number, digits] of digitsIn(parsed).byNumber) {
        const known = sources.get(number)
        if (known === undefined) sources.set(number, [...digits])
        else known.push(...digits.filter((one) => !known.includes(one)))
      }
    }
    return new NumbersOfSeveral(sources)
  }

  /**
   * A copy of a document with the digits that came in.
   * @throws {EncodeError} for a whole number, such as an id, that may be one of two
   */
  restore(value: unknown): unknown {
    if (typeof value === 'number') return this.#restored(value)
    if (typeof value !== 'object' || value === null || isExact(value) || hasOwnJson(value)) return value
    if (Array.isArray(value)) return value.map((element) => this.restore(element))
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, this.restore(field)]))
  }

  #restored(value: number): unknown {
    const [digits, ...others] = this.#sources.get(value) ?? []
    if (digits === undefined) return value
    const number = decimalOf(digits)
    if (others.every((other) => decimalOf(other) === number))
      return number === decimalOf(String(value)) ? value : EXACT.rawJSON(digits)
    if (!Number.isInteger(value)) return value
    throw new EncodeError(
      `Cannot write ${value} exactly as it may be one of several numbers of the records that it was made of: ${[digits, ...others].slice(0, 3).join(', ')}; write such numbers as text`,
    )
  }
}

/** Such as a date. */
function hasOwnJson(value: object): boolean {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === 'function'
}

function fieldOf(value: unknown, name: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [name: string | number]: unknown })[name]
    : undefined
}

/** The digits of the numbers of a value: by name, empty where several differ, and by double. */
interface Digits {
  readonly byName: Map<string, string>
  readonly byNumber: Map<number, string[]>
}

function digitsIn(value: unknown): Digits {
  const digits: Digits = { byName: new Map(), byNumber: new Map() }
  const visit = (one: unknown, name: string): void => {
    if (typeof one === 'number' || isExact(one)) {
      const source = isExact(one) ? one.rawJSON : String(one)
      const key = `${Number(source)} ${name}`
      const known = digits.byName.get(key)
      digits.byName.set(key, known === undefined || known === source ? source : '')
      const sources = digits.byNumber.get(Number(source))
      if (sources === undefined) digits.byNumber.set(Number(source), [source])
      else if (!sources.includes(source)) sources.push(source)
    } else if (typeof one === 'object' && one !== null)
      for (const [key, field] of Object.entries(one)) visit(field, key)
  }
  visit(value, '')
  return digits
}

/** A number in a form that is the same for all its spellings: sign, digits without zeros around them, exponent. */
function decimalOf(source: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(source) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  if (whole === '') return source
  return kept === '' ? '0' : `${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`
}
