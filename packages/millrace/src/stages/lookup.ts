/**
 * `$lookup`: adds the documents of a collection that go with each document. A collection is a list in the pipeline file, or
 * a file of JSON lines (or one JSON list) that is read when the pipeline begins.
 */
import { readFileSync } from 'node:fs'
import { unreadable } from '../errors/unreadable.ts'
import { AggregateStage } from './aggregate.ts'
import { isDocument, type Document } from './field-path.ts'

/** @throws {FileError} `FILE_UNREADABLE` */
export function createLookup(spec: Document): AggregateStage {
  const { from } = spec
  return new AggregateStage(
    '$lookup',
    isDocument(from) ? { ...spec, from: readCollection(String(from['file'])) } : spec,
  )
}

function readCollection(file: string): unknown[] {
  try {
    const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
    if (text.trimStart().startsWith('['))
      return (parsed(text) as unknown[]).map((item, i) => document(item, `item ${i + 1}`))
    return text
      .split('\n')
      .flatMap((line, i) => (line.trim() === '' ? [] : [document(parsedLine(line, i + 1), `line ${i + 1}`)]))
  } catch (cause) {
    throw unreadable(`the collection "${file}"`, cause)
  }
}

function parsedLine(line: string, number: number): unknown {
  try {
    return parsed(line)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw new Error(`line ${number}: ${(cause as Error).message}`, { cause })
    throw new Error(`line ${number} is not JSON: ${cause.message}`, { cause })
  }
}

/** A number that would be another one is refused, as in the collections of pipeline files: it would be found by the wrong ids. */
function parsed(text: string): unknown {
  return JSON.parse(text, ((_: string, value: unknown, { source = '' }: { readonly source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    if (!Number.isFinite(value)) throw new RangeError(`number ${source} is not one that a double can hold`)
    if (/^-?\d+$/.test(source))
      throw new RangeError(
        `integer ${source} is beyond 2^53 and would be rounded: write it in quotes to keep it as text`,
      )
    return value
  }) as never)
}

function document(value: unknown, place: string): Document {
  if (!isDocument(value)) throw new Error(`${place} is no object`)
  return value
}
