/**
 * The records of CSV: of a file as fast as it can be read, of a stream as soon as the line of each has ended. The parser
 * itself holds the last line back until more follows it, which may take hours.
 */
import type { Readable } from 'node:stream'

export interface CsvRecord {
  readonly cells: readonly string[]
  /** Whether no other one is there yet. */
  readonly isLast: boolean
}

const QUOTE = 0x22
const LF = 0x0a

function parserOptions(delimiter: string): object {
  return { delimiter, skip_empty_lines: true, relax_column_count_less: true }
}

export async function* recordsOf(stream: Readable, delimiter: string): AsyncGenerator<CsvRecord, void, undefined> {
  const { parse } = await import('csv-parse')
  const parser = stream.pipe(parse({ bom: true, ...parserOptions(delimiter) }))
  stream.on('error', (error) => parser.destroy(error))
  for await (const cells of parser as AsyncIterable<string[]>) yield { cells, isLast: parser.readableLength === 0 }
}

export async function* arrivingRecordsOf(
  stream: Readable,
  delimiter: string,
): AsyncGenerator<CsvRecord, void, undefined> {
  const { parse } = await import('csv-parse/sync')
  let linesBefore = 0
  /** The parser takes the number of cells and the end of lines from the first record, so each text begins with one like it. */
  let first = ''
  const recordsIn = (text: Buffer): CsvRecord[] => {
    const own = text.toString().replace(linesBefore === 0 ? /^\uFEFF/ : '', '')
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
  let unfinished: Buffer[] = []
  let isQuoted = false
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let end = 0
    for (let at = 0; at < chunk.length; at++) {
      if (chunk[at] === QUOTE) isQuoted = !isQuoted
      else if (chunk[at] === LF && !isQuoted) end = at + 1
    }
    if (end > 0) {
      yield* recordsIn(Buffer.concat([...unfinished, chunk.subarray(0, end)]))
      unfinished = []
    }
    if (end < chunk.length) unfinished.push(chunk.subarray(end))
  }
  if (unfinished.length > 0) yield* recordsIn(Buffer.concat(unfinished))
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
