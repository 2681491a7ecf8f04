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
    const text = readFileSync(file, 'utf8')
    if (text.trimStart().startsWith('[')) return JSON.parse(text) as unknown[]
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as unknown)
  } catch (cause) {
    throw unreadable(`the collection "${file}"`, cause)
  }
}
