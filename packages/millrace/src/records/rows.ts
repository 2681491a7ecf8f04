/** Lists by row. */

/** The numbers from `start` to `end`, exclusive. */
export function numbersFrom(start: number, end: number): Int32Array {
  const numbers = new Int32Array(end - start)
  for (let i = 0; i < numbers.length; i++) numbers[i] = start + i
  return numbers
}

/** The first `count` of some places of a list. */
export function pickFrom<T>(list: readonly T[] | undefined, kept: ArrayLike<number>, count: number): T[] | undefined {
  if (list === undefined) return undefined
  const picked: T[] = []
  for (let i = 0; i < count; i++) picked.push(list[kept[i]!]!)
  return picked
}
