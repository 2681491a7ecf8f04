/**
 * The digits of the numbers of a row: those that came in, which documents have as doubles. Where values are JSON they are read from
 * its bytes again, otherwise by what decoded them (`Batch.digits`); rows that were made of several records have those of all of them.
 * Nothing is kept per row, and nothing is read again of rows that go out as they came, or whose numbers doubles hold.
 */
import type { Batch, Digits, Sources } from './batch.ts'
import { exactValue, mayDifferInValue, mayRoundInValue } from './exact-numbers.ts'
import { NumbersOfSeveral, partWithDigits, withDigits } from './restored-digits.ts'

/** Of values that are JSON, maybe with a schema id in front, or nothing that has numbers. */
export const JSON_DIGITS: Digits = {
  mayDiffer(batch, row) {
    const value = batch.value(row)
    return value !== null && mayDifferInValue(value)
  },
  exact(batch, row) {
    try {
      return exactValue(batch.value(row)!)
    } catch {
      return undefined
    }
  },
}

/** Of values whose numbers doubles hold. */
export const NO_DIGITS: Digits = { mayDiffer: () => false, exact: () => undefined }

const known = new WeakMap<Sources, NumbersOfSeveral | undefined>()

/**
 * Puts the digits that came in into the document of a row that was made of several records, as `$group` does.
 * @returns undefined for rows of a batch that are a record each, whose numbers are those of its value
 */
export function restorerOfMadeRows({ sources }: Batch): ((document: unknown) => unknown) | undefined {
  if (sources?.parts === undefined) return undefined
  const numbers = numbersOf(sources)
  return (document) => numbers?.restore(document) ?? document
}

function numbersOf(sources: Sources): NumbersOfSeveral | undefined {
  if (known.has(sources)) return known.get(sources)
  const parts = sources.parts!()
  const numbers = parts.some(({ batch, row }) => mayRound(batch, row))
    ? NumbersOfSeveral.of(parts.map(({ batch, row }) => digitsOf(batch).exact(batch, row)))
    : undefined
  known.set(sources, numbers)
  return numbers
}

function digitsOf(batch: Batch): Digits {
  return batch.digits ?? JSON_DIGITS
}

/** Digits such as those of 2.0 do not matter here. */
function mayRound(batch: Batch, row: number): boolean {
  if (batch.digits !== undefined) return batch.digits.mayDiffer(batch, row)
  const value = batch.value(row)
  return value !== null && mayRoundInValue(value)
}

/** Whether numbers of a row may have digits that its document does not have. */
export function hasDigits(batch: Batch, row: number): boolean {
  if (batch.sources?.parts !== undefined) return numbersOf(batch.sources) !== undefined
  return digitsOf(batch).mayDiffer(batch, row)
}

/**
 * The document of a row, or what is written of it, with the digits that came in; itself where doubles hold all numbers.
 *
 * @param wrapper field of the document that holds the value, where that is not an object
 * @throws {EncodeError} when digits would be lost, as it is unknown which number was moved
 */
export function exactRow(document: unknown, batch: Batch, row: number, wrapper = 'value'): unknown {
  const restore = restorerOfMadeRows(batch)
  if (restore !== undefined) return restore(document)
  const digits = digitsOf(batch)
  if (!digits.mayDiffer(batch, row)) return document
  const exact = digits.exact(batch, row)
  return exact === undefined ? document : withDigits(document, exact, wrapper, movedIn(batch, row))
}

/** A part of the document of a row with the digits that came in. @param path where it is @throws {EncodeError} as `exactRow` */
export function exactIn(part: unknown, path: readonly string[], batch: Batch, row: number, wrapper = 'value'): unknown {
  if (typeof part !== 'number' && typeof part !== 'object') return part
  const restore = restorerOfMadeRows(batch)
  if (restore !== undefined) return restore(part)
  const digits = digitsOf(batch)
  if (!digits.mayDiffer(batch, row)) return part
  const exact = digits.exact(batch, row)
  return exact === undefined ? part : partWithDigits(part, path, exact, wrapper, movedIn(batch, row))
}

/** What stages copied in a row: nothing in one that all of them have left as it was, also where they may have written the same value. */
function movedIn({ moved, replaced }: Batch, row: number): Batch['moved'] {
  return replaced?.[row] === 1 ? moved : undefined
}
