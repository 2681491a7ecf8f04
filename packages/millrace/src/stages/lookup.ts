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
      return (JSON.parse(text) as unknown[]).map((item, i) => document(item, `item ${i + 1}`))
    return text
      .split('\n')
      .flatMap((line, i) => (line.trim() === '' ? [] : [document(parsed(line, i + 1), `line ${i + 1}`)]))
  } catch (cause) {
    throw unreadable(`the collection "${file}"`, cause)
  }
}

function parsed(line: string, number: number): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new Error(`line ${number} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

function document(value: unknown, place: string): Document {
  if (!isDocument(value)) throw new Error(`${place} is no object`)
  return value
}
