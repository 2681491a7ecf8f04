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

/** Records whose offset lies before an end; offsets must be in order. */
export function rowsBefore(offsets: Float64Array, end: number): Int32Array {
  let count = 0
  while (count < offsets.length && offsets[count]! < end) count++
  return numbersFrom(0, count)
}
