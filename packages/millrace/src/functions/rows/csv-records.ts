/**
 * The records of CSV: of a file as fast as it can be read, of a stream as soon as the line of each has ended. The parser
 * itself holds the last line back until more follows it, which may take hours.
 */
import { Readable } from 'node:stream'

export interface CsvRecord {
  readonly cells: readonly string[]
  /** Whether no other one is there yet. */
  readonly isLast: boolean
}

function parserOptions(delimiter: string): object {
  return { delimiter, skip_empty_lines: true, relax_column_count_less: true }
}

export async function* recordsOf(
  text: AsyncIterable<string>,
  delimiter: string,
): AsyncGenerator<CsvRecord, void, undefined> {
  const { parse } = await import('csv-parse')
  const stream = Readable.from(text)
  const parser = stream.pipe(parse({ bom: true, ...parserOptions(delimiter) }))
  // Also where what is read is closed before its end, as the parser would wait for more.
  stream.on('error', (error) => parser.destroy(error))
  for await (const cells of parser as AsyncIterable<string[]>) yield { cells, isLast: parser.readableLength === 0 }
}

export async function* arrivingRecordsOf(
  pieces: AsyncIterable<string>,
  delimiter: string,
): AsyncGenerator<CsvRecord, void, undefined> {
  const { parse } = await import('csv-parse/sync')
  let linesBefore = 0
  /** The parser takes the number of cells and the end of lines from the first record, so each text begins with one like it. */
  let first = ''
  const recordsIn = (text: string): CsvRecord[] => {
    const own = text.replace(linesBefore === 0 ? /^\uFEFF/ : '', '')
    let records: string[][]
    try {
      records = parse(first + own, parserOptions(delimiter))
    } catch (error) {
      throw atLine(error as Error, linesBefore - linesOf(first))
    }
    linesBefore += linesOf(own)
    if (first !== '') records.shift()
    else if (records[0] !== undefined)
      first = `${records[0].map(() => 'x').join(delimiter)}${/\r?\n/.exec(own)?.[0] ?? '\n'}`
    return records.map((cells, i) => ({ cells, isLast: i === records.length - 1 }))
  }
  let unfinished = ''
  let isQuoted = false
  for await (const piece of pieces) {
    let end = 0
    for (let at = 0; at < piece.length; at++) {
      if (piece[at] === '"') isQuoted = !isQuoted
      else if (piece[at] === '\n' && !isQuoted) end = at + 1
    }
    const text = unfinished + piece.slice(0, end)
    unfinished = end === 0 ? unfinished + piece : piece.slice(end)
    if (end > 0) yield* recordsIn(text)
  }
  if (unfinished !== '') yield* recordsIn(unfinished)
}

function linesOf(text: string): number {
  return text.split('\n').length - 1
}

/** The same error with the line of the stream, where it names one. */
function atLine(error: Error, before: number): Error {
  return new Error(
    error.message.replace(/\bline (\d+)/, (_, line: string) => `line ${Number(line) + before}`),
    { cause: error },
  )
}
