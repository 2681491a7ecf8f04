/** The digits of numbers in rows that were made of several records, as `$group` and `chunk.apply` make them. */
import type { Batch, Sources } from '../records/batch.ts'
import { NumbersOfSeveral } from '../records/exact-numbers.ts'

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
