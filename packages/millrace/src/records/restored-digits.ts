/**
 * Puts the digits of numbers back into documents. Documents have doubles, with which stages compare and calculate; what is written
 * of a number that no stage changed has the digits that came in (I7). They come from the exact value: what was read, once more, with
 * numbers that keep their digits.
 *
 * A number that is where it was has its digits. One that was moved has them if it can be told which it was: by what stages are known
 * to have copied, by its name unless a stage computed it, or as the only one that is this double. Computed numbers are written as JavaScript does.
 */
import { EncodeError } from '../errors/index.ts'
import { originOf, type MovedFields } from './moved-fields.ts'
import { decimalOf, exactNumber, hasOwnJson, isExact, isHeld } from './exact-numbers.ts'

/**
 * A copy of a document with the digits of an exact value.
 *
 * @param wrapper field of the document that holds the value, where that is not an object
 * @param moved what stages copied in between
 * @throws {EncodeError} when digits would be lost, as it is unknown which of several numbers was moved
 */
export function withDigits(
  document: unknown,
  exact: unknown,
  wrapper: string,
  moved: readonly MovedFields[] | undefined,
): unknown {
  const isWhole = typeof exact === 'object' && exact !== null && !isExact(exact) && !Array.isArray(exact)
  const before = isWhole ? exact : { [wrapper]: exact }
  const restorer = new Restorer(before)
  return moved === undefined ? restorer.restore(document, before, '') : restorer.restoreMoved(document, [], moved)
}

/** A part of a document with the digits of an exact value, by the same rules. @param path where it is in the document */
export function partWithDigits(
  part: unknown,
  path: readonly string[],
  exact: unknown,
  wrapper: string,
  moved: readonly MovedFields[] | undefined,
): unknown {
  const document = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), part)
  return path.reduce(fieldOf, withDigits(document, exact, wrapper, moved))
}

/** Finds the digits of numbers in what they came from. */
class Restorer {
  readonly #before: unknown
  #found: Digits | undefined
  /** Doubles of the numbers whose digits say more: no other number needs a closer look. */
  readonly #exact: number[] = []

  constructor(before: unknown) {
    this.#before = before
    collectExact(before, this.#exact)
  }

  /** A copy of a value with the digits that came in. @param before what was in its place */
  restore(value: unknown, before: unknown, name: string): unknown {
    if (typeof value === 'number') {
      if (!this.#exact.includes(value)) return value
      if (Object.is(value, isExact(before) ? Number(before.rawJSON) : before)) return before
      return this.#moved(value, name, name)
    }
    if (typeof value !== 'object' || value === null || isExact(value) || hasOwnJson(value)) return value
    if (Array.isArray(value)) return value.map((element, i) => this.restore(element, fieldOf(before, i), name))
    return Object.fromEntries(
      Object.entries(value).map(([key, field]) => [key, this.restore(field, fieldOf(before, key), key)]),
    )
  }

  /** The same of a value of which stages copied parts. @param path where it is now; changed and put back */
  restoreMoved(value: unknown, path: string[], moved: readonly MovedFields[]): unknown {
    if (typeof value === 'number') {
      if (!this.#exact.includes(value)) return value
      const origin = originOf(path, moved)
      const before = origin?.reduce(fieldOf, this.#before)
      if (Object.is(value, isExact(before) ? Number(before.rawJSON) : before)) return before
      return this.#moved(value, nameIn(path), origin && nameIn(origin))
    }
    if (typeof value !== 'object' || value === null || isExact(value) || hasOwnJson(value)) return value
    const within = (name: string, inner: unknown): unknown => {
      path.push(name)
      const restored = this.restoreMoved(inner, path, moved)
      path.pop()
      return restored
    }
    if (Array.isArray(value)) return value.map((element, i) => within(String(i), element))
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, within(key, field)]))
  }

  /** @param before its name before it was moved; undefined where it was computed, so that the name says nothing */
  #moved(value: number, name: string, before: string | undefined): unknown {
    // Infinity that was computed is no number that came in.
    if (!Number.isFinite(value) && before === undefined) return value
    const { byName, byNumber } = (this.#found ??= digitsIn(this.#before))
    const named = before === undefined ? undefined : byName.get(`${value} ${before}`)
    if (named !== undefined && named !== '' && Object.is(Number(named), value)) return numberWith(value, named)
    const [source, ...others] = byNumber.get(value) ?? []
    if (source === undefined) return value
    const number = decimalOf(source)
    if (others.some((other) => decimalOf(other) !== number))
      throw new EncodeError(
        `Cannot write field "${name}" exactly as two numbers of the record are both ${value} when rounded to a double`,
      )
    // 2.0 that is elsewhere now is as good as 2.
    return number === decimalOf(String(value)) && isHeld(value) ? value : exactNumber(source)
  }
}

/** The name of a field, also of an element of its list. */
function nameIn(path: readonly string[]): string {
  return path.findLast((name) => !/^\d+$/.test(name)) ?? ''
}

function numberWith(value: number, digits: string): unknown {
  return digits === String(value) && isHeld(value) ? value : exactNumber(digits)
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

  /** @param values exact ones */
  static of(values: readonly unknown[]): NumbersOfSeveral {
    const sources = new Map<number, string[]>()
    for (const value of values) {
      for (const [number, digits] of digitsIn(value).byNumber) {
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
    // Infinity may be a sum.
    if (digits === undefined || !Number.isFinite(value)) return value
    const number = decimalOf(digits)
    if (others.every((other) => decimalOf(other) === number))
      return number === decimalOf(String(value)) && isHeld(value) ? value : exactNumber(digits)
    if (!Number.isInteger(value)) return value
    throw new EncodeError(
      `Cannot write ${value} exactly as it may be one of several numbers of the records that it was made of: ${[digits, ...others].slice(0, 3).join(', ')}; write such numbers as text`,
    )
  }
}

function collectExact(value: unknown, found: number[]): void {
  if (typeof value !== 'object' || value === null) return
  if (isExact(value)) found.push(Number(value.rawJSON))
  else if (Array.isArray(value)) for (const element of value) collectExact(element, found)
  else for (const name in value) collectExact((value as { readonly [name: string]: unknown })[name], found)
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
    } else if (Array.isArray(one)) for (const element of one) visit(element, name)
    else if (typeof one === 'object' && one !== null) for (const [key, field] of Object.entries(one)) visit(field, key)
  }
  visit(value, '')
  return digits
}
