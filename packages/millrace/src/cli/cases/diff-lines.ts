/** Lines that differ, with a few that do not around them. */
import { diff, isDeepStrictEqual } from 'node:util'

const CONTEXT = 2

/** @returns nothing when both are equal; `-` stands before what was expected, `+` before what was found */
export function diffLines(expected: readonly string[], found: readonly string[]): string[] {
  if (isDeepStrictEqual(expected, found)) return []
  const changes = diff([...expected], [...found])
  const isNear = (i: number): boolean =>
    changes.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(([operation]) => operation !== 0)
  return changes.flatMap(([operation, line], i) => {
    if (operation !== 0) return [`${operation === 1 ? '-' : '+'} ${line}`]
    if (isNear(i)) return [`  ${line}`]
    return isNear(i - 1) ? ['  ...'] : []
  })
}
