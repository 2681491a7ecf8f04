/** The digits that the numbers of a row came in with, also of rows that `$group` and `chunk.apply` make of several records. */
import type { Batch, Sources } from '../records/batch.ts'
import { exactPart, NumbersOfSeveral } from '../records/exact-numbers.ts'

const known = new WeakMap<Sources, NumbersOfSeveral | undefined>()

/**
 * Puts the digits that came in into a document.
 * @returns undefined for rows of a batch that are a record each, whose numbers are those of its value
 */
export function restorerOfMadeRows({ sources }: Batch): ((document: unknown) => unknown) | undefined {
  if (sources?.values === undefined) return undefined
  let numbers = known.get(sources)
  if (!known.has(sources)) known.set(sources, (numbers = NumbersOfSeveral.of(sources.values())))
  return (document) => numbers?.restore(document) ?? document
}

/** A part of the document of a row with the digits that came in. @throws {EncodeError} where it cannot be told which they are */
export function exactIn(value: unknown, path: readonly string[], batch: Batch, row: number): unknown {
  if (typeof value !== 'number' && typeof value !== 'object') return value
  const restore = restorerOfMadeRows(batch)
  if (restore !== undefined) return restore(value)
  const original = batch.value(row)
  return original === null ? value : exactPart(value, path, original)
}
