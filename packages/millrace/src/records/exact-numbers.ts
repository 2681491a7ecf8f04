/**
 * Numbers whose digits say more than a double: `1.234567890123456789`, `9007199254740993`, `2.0`, `1e400`, `-0`.
 * Documents have doubles in their place; `restored-digits.ts` puts the digits that came in into what is written (I7).
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
export function mayDifferInValue(value: Buffer, from = 0, to = value.length): boolean {
  return mayDifferIn(value, from + (value[from] === 0 ? SCHEMA_ID_BYTES : 0), to)
}

/** Whether a value may hold numbers that are others as doubles: with an exponent or many digits. */
export function mayRoundInValue(value: Buffer): boolean {
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

/** All of a value of JSON as it is stored, with the digits that came in. @throws {SyntaxError} where it is not JSON */
export function exactValue(value: Buffer): unknown {
  return reviveExactly(jsonOf(value).toString())
}

function reviveExactly(text: string): unknown {
  const revive = (_: string, value: unknown, { source }: Source): unknown =>
    typeof value === 'number' && source !== undefined && (source !== String(value) || !isHeld(value))
      ? EXACT.rawJSON(source)
      : value
  return JSON.parse(text, revive as never)
}

/** A number that `JSON.stringify` writes with these digits. */
export function exactNumber(digits: string): ExactNumber {
  return EXACT.rawJSON(digits)
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

/**
 * @returns the text of a value that `parseExactly` gave, or that was made of parts of one; `null` for what JSON has no word for
 * @throws {EncodeError} as `jsonTextOf`
 */
export function stringifyExactly(value: unknown): string {
  return jsonTextOf(value) ?? 'null'
}

/**
 * What `JSON.stringify` makes of a value, which writes null for Infinity and NaN.
 * @throws {EncodeError} for such a number, with its place
 */
export function jsonTextOf(value: unknown): string | undefined {
  const text = JSON.stringify(value) as string | undefined
  // Few texts have a null, and only these are looked at more closely.
  if (text?.includes('null') === true && mayHaveInfinite(value)) refuseInfinite(value, '')
  return text
}

/** Without a look at what values write in their own way. */
function mayHaveInfinite(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(mayHaveInfinite)
  for (const name in value) if (mayHaveInfinite((value as { readonly [name: string]: unknown })[name])) return true
  return false
}

function refuseInfinite(value: unknown, path: string): void {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return
    const place = path === '' ? 'the value' : `field "${path}"`
    throw new EncodeError(`Cannot write ${place} as JSON as it is ${value}, which is no number in JSON`)
  }
  if (typeof value !== 'object' || value === null || isExact(value) || hasOwnJson(value)) return
  const above = path === '' ? '' : `${path}.`
  for (const [name, inner] of Object.entries(value)) refuseInfinite(inner, `${above}${name}`)
}

const INTEGER = /^-?\d+$/
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/

/** Whether a double is a number of its own: one beyond 2^53 may be another integer that was rounded. */
export function isHeld(number: number): boolean {
  return Number.isSafeInteger(number) || !Number.isInteger(number)
}

/** A number of these decimal digits: a double where that holds it, else what `JSON.stringify` writes as it is. */
export function numberOf(digits: string): number | ExactNumber {
  const number = Number(digits)
  if (!isHeld(number)) return EXACT.rawJSON(digits)
  const text = String(number)
  if (text === digits || decimalOf(text) === decimalOf(digits)) return number
  return EXACT.rawJSON(digits)
}

/** A value in which numbers are doubles where these hold them, and have their digits otherwise: 2.0 is 2. */
export function plain(value: unknown): unknown {
  return mapExact(value, numberOf)
}

/** A value that is written the same as all others with equal numbers. */
export function comparable(value: unknown): unknown {
  return mapExact(value, (digits) => {
    const number = numberOf(digits)
    return typeof number === 'number' ? number : EXACT.rawJSON(String(wholeOf(digits) ?? decimalOf(digits)))
  })
}

function mapExact(value: unknown, change: (digits: string) => unknown): unknown {
  if (typeof value !== 'object' || value === null || hasOwnJson(value)) return value
  if (isExact(value)) return change(value.rawJSON)
  if (Array.isArray(value)) return value.map((element) => mapExact(element, change))
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, mapExact(field, change)]))
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

/** Such as a date. */
export function hasOwnJson(value: object): boolean {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === 'function'
}

/** A number in a form that is the same for all its spellings: sign, digits without zeros around them, exponent. */
export function decimalOf(source: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(source) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  if (whole === '') return source
  return kept === '' ? '0' : `${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`
}
