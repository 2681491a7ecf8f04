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

/** What is read is in another encoding, or no text at all. */
export class NotUtf8 extends Error {
  constructor(cause: unknown) {
    super('it is not UTF-8 text', { cause })
  }
}

/** The text of bytes, without a byte order mark. @throws {NotUtf8} instead of other characters for what cannot be read */
export async function* textIn(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true })
    } catch (cause) {
      throw new NotUtf8(cause)
    }
  }
  for await (const chunk of chunks) yield typeof chunk === 'string' ? chunk : decode(chunk)
  yield decode()
}
