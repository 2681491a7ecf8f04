/**
 * Text cut into lines, at line feeds and nowhere else: JSON may hold U+2028, at which `node:readline` begins a new line, too.
 *
 * @param pieces decoded text
 * @returns some lines at a time, without their line feeds; the last one only where it is not empty
 * @throws {RangeError} for a line longer than any text may be
 */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<readonly string[], void, undefined> {
  let rest = ''
  for await (const piece of pieces) {
    const end = piece.lastIndexOf('\n')
    if (end < 0) {
      rest += piece
      continue
    }
    yield (rest + piece.slice(0, end)).split('\n')
    rest = piece.slice(end + 1)
  }
  if (rest !== '') yield [rest]
}
