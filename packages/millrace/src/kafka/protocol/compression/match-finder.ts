/**
 * What LZ4 and Snappy have in common: both write literals and copies of bytes that came before, found by a table of where
 * four bytes were seen last. May import nothing of ours.
 */

/** Shortest copy that is worth its bytes. */
export const MIN_MATCH = 4
const HASH_BITS = 13

/** Positions by the hash of the four bytes there; of the block that is being compressed, else out of date. */
const table = new Int32Array(1 << HASH_BITS)

/** Takes literals `[start, end)` and, when `length` is above 0, the copy that comes after them. */
export interface Emit {
  (start: number, end: number, distance: number, length: number): void
}

/**
 * Finds what of `bytes[start, end)` is a copy of what came before in this range. Greedy, and faster where it finds nothing.
 * @param tail bytes at the end that must be literals
 */
export function findMatches(bytes: Uint8Array, start: number, end: number, tail: number, emit: Emit): void {
  const lastStart = end - Math.max(tail, MIN_MATCH)
  const matchEnd = end - tail
  let literals = start
  let at = start
  let misses = 0
  table.fill(-1)
  while (at < lastStart) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    const hash = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS)
    const from = table[hash]!
    table[hash] = at
    if (from < 0 || !isSame(bytes, from, at)) {
      // In bytes that do not repeat, look at fewer and fewer places.
      at += 1 + (misses++ >> 6)
      continue
    }
    let length = MIN_MATCH
    while (at + length < matchEnd && bytes[from + length] === bytes[at + length]) length++
    emit(literals, at, at - from, length)
    at += length
    literals = at
    misses = 0
  }
  emit(literals, end, 0, 0)
}

function isSame(bytes: Uint8Array, a: number, b: number): boolean {
  return (
    bytes[a] === bytes[b] &&
    bytes[a + 1] === bytes[b + 1] &&
    bytes[a + 2] === bytes[b + 2] &&
    bytes[a + 3] === bytes[b + 3]
  )
}
