/**
 * Which fields stages copied from where, so that a number that is elsewhere now gets its own digits back, also where another number of
 * the record is the same as a double. Known from what stages are told to do: nothing is kept per row. May import nothing of ours.
 */

/** A field that a stage wrote. */
export interface MovedField {
  readonly to: readonly string[]
  /** Where its value was before the stage; undefined where it was computed. */
  readonly from: readonly string[] | undefined
}

/** What one stage wrote, in its order. All other fields are where they were. */
export type MovedFields = readonly MovedField[]

/** Where what is at a path now was before some stages; undefined for what one of them computed. */
export function originOf(path: readonly string[], stages: readonly MovedFields[]): readonly string[] | undefined {
  let origin = path
  for (let i = stages.length - 1; i >= 0; i--) {
    const at = origin
    const written = stages[i]!.findLast(({ to }) => endOf(to, at) >= 0)
    if (written === undefined) continue
    if (written.from === undefined) return undefined
    origin = [...written.from, ...at.slice(endOf(written.to, at))]
  }
  return origin
}

const INDEX = /^\d+$/

/** How many names of a path lead to a field, or into it; -1 where they do not. Stages write into all elements of a list. */
function endOf(field: readonly string[], path: readonly string[]): number {
  let at = 0
  for (const name of field) {
    if (!INDEX.test(name)) while (INDEX.test(path[at] ?? '')) at++
    if (path[at++] !== name) return -1
  }
  return at
}
