/**
 * `$densify` over dates. JSON has none, so they come as `{"$date": ...}` or as text; the engine wants real ones, and what it
 * adds is written as those that were there.
 */
import { AggregateStage } from './aggregate.ts'
import { isDocument, readField, withField, type Document } from './field-path.ts'

export function createDensify(spec: Document): AggregateStage {
  const range = spec['range'] as Document
  if (range['unit'] === undefined) return new AggregateStage('$densify', spec)
  const path = String(spec['field']).split('.')
  const { bounds } = range
  const own = Array.isArray(bounds) ? { ...spec, range: { ...range, bounds: bounds.map(dateOf) } } : spec
  return new AggregateStage('$densify', own, undefined, (documents, densify) => {
    /** As they were, by their time. */
    const originals = new Map<number, unknown>()
    const dated = documents.map((document) => {
      const value = readField(document, path)
      if (value === undefined || value === null) return document
      const date = dateOf(value)
      originals.set(date.getTime(), value)
      return withField(document, path, date) as Document
    })
    const [example] = originals.values()
    return densify(dated).map((document) => {
      const date = readField(document, path)
      if (!(date instanceof Date)) return document
      return withField(document, path, originals.get(date.getTime()) ?? like(example, date)) as Document
    })
  })
}

/** @throws {Error} when a value is no date */
function dateOf(value: unknown): Date {
  const inner = isDocument(value) && '$date' in value ? value['$date'] : value
  const date = inner instanceof Date ? inner : new Date(typeof inner === 'number' ? inner : zoned(String(inner)))
  if (Number.isNaN(date.getTime()))
    throw new Error(`$densify with a unit requires dates: found ${JSON.stringify(value)}`)
  return date
}

/** Text without a zone is UTC, wherever this runs. */
function zoned(text: string): string {
  return /T[\d:.]+$/.test(text) ? `${text}Z` : text
}

/** A date in the form of another one: in a wrapper or not, as text or milliseconds, with a time and zone or without. */
function like(example: unknown, date: Date): unknown {
  if (isDocument(example) && '$date' in example) return { $date: like(example['$date'], date) }
  if (typeof example === 'number') return date.getTime()
  if (typeof example !== 'string') return date
  const text = date.toISOString().replace('.000Z', 'Z')
  if (/^\d{4}-\d\d-\d\d$/.test(example) && text.endsWith('T00:00:00Z')) return text.slice(0, 10)
  return /T[\d:.]+$/.test(example) ? text.slice(0, -1) : text
}
