/**
 * Integers beyond 2^53 in documents that were parsed from JSON: `JSON.parse` rounds them to doubles, and what is written of a
 * document is to have the digits that came in.
 */
import { EncodeError } from '../errors/index.ts'

/** What `JSON.rawJSON` makes: written as it is. */
export interface ExactNumber {
  readonly rawJSON: string
}
/** What a reviver is told of a value that is no object. ES2025 has it, and `rawJSON`; TypeScript's library does not know yet. */
interface Source {
  readonly source?: string
}
const EXACT = JSON as unknown as { rawJSON(text: string): ExactNumber; isRawJSON(value: unknown): value is ExactNumber }

export function isExact(value: unknown): value is ExactNumber {
  return EXACT.isRawJSON(value)
}

/** Whether JSON may hold integers that a double does not. */
export function mayRound(text: string): boolean {
  return /\d{16}/.test(text)
}

/**
 * Parses JSON, in which integers beyond 2^53 become what `JSON.stringify` writes with the same digits.
 * @throws {SyntaxError}
 */
export function parseExactly(text: string): unknown {
  if (!mayRound(text)) return JSON.parse(text)
  const revive = (_: string, value: unknown, { source }: Source): unknown =>
    source !== undefined && isRounded(value, source) ? EXACT.rawJSON(source) : value
  return JSON.parse(text, revive as never)
}

const INTEGER = /^-?\d+$/

function isRounded(value: unknown, source: string): value is number {
  return typeof value === 'number' && !Number.isSafeInteger(value) && INTEGER.test(source)
}

/** @returns the text of a value that `parseExactly` gave, or that was made of parts of one; `null` for what JSON has no word for */
export function stringifyExactly(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** Whether two values are the same as far as a reader of JSON can tell. */
export function equalsText(value: unknown, text: string): boolean {
  return value === text || (isExact(value) && value.rawJSON === text)
}

/**
 * Writes a document of which nothing was changed: the fields of the value, and perhaps some more.
 *
 * @param written what `JSON.stringify` made of the document
 * @param original the value, an object
 */
export function unchangedWithExactIntegers(document: object, written: string, original: Buffer): string {
  if (!hasLargeNumber(document)) return written
  const exact = parseExactly(original.toString()) as { readonly [name: string]: unknown }
  const fields = Object.entries(document).map(([name, value]: [string, unknown]) => {
    const mayDiffer = typeof value === 'object' || (typeof value === 'number' && !Number.isSafeInteger(value))
    return [name, mayDiffer && Object.hasOwn(exact, name) ? exact[name] : value]
  })
  return JSON.stringify(Object.fromEntries(fields))
}

/** Whether a number beyond 2^53 is anywhere in a document. */
function hasLargeNumber(value: object): boolean {
  for (const name in value) {
    const field = (value as { [name: string]: unknown })[name]
    if (typeof field === 'number') {
      if (field > Number.MAX_SAFE_INTEGER || field < Number.MIN_SAFE_INTEGER) return true
    } else if (typeof field === 'object' && field !== null && hasLargeNumber(field)) return true
  }
  return false
}

/**
 * Writes integers beyond 2^53 as the digits that came in. Parsing rounds them to doubles, so a 64-bit id would be
 * written back as another one when some field beside it changes (I7).
 *
 * @param written what `encode` made of the document
 * @param original the value from which the document was made
 * @throws {EncodeError} when two different integers of the value round to the same double and it is unknown which is meant
 */
export function withExactIntegers(document: unknown, written: string, original: Buffer): string {
  if (!hasLargeNumber(document as object)) return written
  const byName = new Map<string, string>()
  const byNumber = new Map<number, string | null>()
  const revive = (name: string, value: unknown, context: Source): unknown => {
    const { source } = context
    if (source !== undefined && isRounded(value, source)) {
      const known = byNumber.get(value)
      byNumber.set(value, known === undefined || known === source ? source : null)
      const nameAndNumber = `${value} ${name}`
      const knownByName = byName.get(nameAndNumber)
      byName.set(nameAndNumber, knownByName === undefined || knownByName === source ? source : '')
    }
    return value
  }
  try {
    JSON.parse(original.toString(), revive as never)
  } catch {
    return written // what is not JSON has no integers that could have been rounded
  }
  if (byNumber.size === 0) return written
  return JSON.stringify(document, (name, value: unknown) => {
    if (typeof value !== 'number' || !byNumber.has(value)) return value
    const source = byName.get(`${value} ${name}`) || byNumber.get(value)
    if (!source)
      throw new EncodeError(
        `Cannot write field "${name}" exactly as two integers of the record are both ${value} when rounded to a double`,
      )
    return EXACT.rawJSON(source)
  })
}
