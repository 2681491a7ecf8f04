/**
 * The digits of values that are kept of rows that are gone: the columns of a group, its first or largest number. A row that is made
 * of them later is written with these (I7).
 */
import { EncodeError } from '../errors/index.ts'
import type { Batch, Digits } from './batch.ts'
import { exactIn } from './row-digits.ts'

interface Kept {
  /** As stages see it. */
  readonly value: unknown
  /** With its digits, or why they are not known. */
  readonly exact: unknown
}

/** What one row is made of, by its fields. */
export class KeptDigits {
  readonly #byField: Map<string, Kept>

  constructor(byField: ReadonlyMap<string, Kept> = new Map()) {
    this.#byField = new Map(byField)
  }

  copy(): KeptDigits {
    return new KeptDigits(this.#byField)
  }

  /** Whether a value may have digits that its doubles do not hold. */
  static mayRound(value: unknown): boolean {
    return typeof value === 'number' ? !Number.isSafeInteger(value) : typeof value === 'object' && value !== null
  }

  /** Whether this value was kept, or one that is the same as a double. */
  has(field: string, value: unknown): boolean {
    return this.#byField.get(field)?.value === value
  }

  /** @param exact what `exactOrError` returned */
  keep(field: string, value: unknown, exact: unknown): void {
    this.#byField.set(field, { value, exact })
  }

  /** The same of an object that is made of several, of which the latest wins. @param latest as stages see it @param exact with digits */
  merge(field: string, value: unknown, latest: unknown, exact: unknown): void {
    const before = this.#byField.get(field)?.exact
    if (before instanceof EncodeError) return this.keep(field, value, before)
    if (exact instanceof EncodeError) return this.keep(field, value, exact)
    this.keep(field, value, { ...(value as object), ...(before as object), ...((exact ?? latest) as object) })
  }

  /** A row with the digits of what was kept, unless another value has taken its place. @throws {EncodeError} */
  restored(row: object): object {
    return Object.fromEntries(
      Object.entries(row).map(([field, value]: [string, unknown]): readonly [string, unknown] => {
        const kept = this.#byField.get(field)
        if (kept === undefined || kept.value !== value) return [field, value]
        if (kept.exact instanceof EncodeError) throw kept.exact
        return [field, kept.exact]
      }),
    )
  }
}

/** A part of a row with its digits, or why they are not known. @param path where it is in the row */
export function exactOrError(
  value: unknown,
  path: readonly string[],
  batch: Batch,
  row: number,
  wrapper?: string,
): unknown {
  try {
    return exactIn(value, path, batch, row, wrapper)
  } catch (error) {
    if (error instanceof EncodeError) return error
    throw error
  }
}

/** The digits of rows that were just made. @param kept by row; undefined where doubles hold all numbers */
export function digitsOfMade(rows: readonly object[], kept: readonly (KeptDigits | undefined)[]): Digits {
  const exact = rows.map((row, i) => {
    try {
      return kept[i]?.restored(row)
    } catch (error) {
      return error
    }
  })
  return {
    mayDiffer: (batch, row) => exact[batch.recordOf(row)] !== undefined,
    exact(batch, row) {
      const document = exact[batch.recordOf(row)]
      if (document instanceof EncodeError) throw document
      return document
    },
  }
}
