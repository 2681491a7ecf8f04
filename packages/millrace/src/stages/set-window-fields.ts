/**
 * `$setWindowFields` as the host understands it: without a window an accumulator sees everything up to its document,
 * `$shift` by 1 looks back one document, and `unit` means nothing where the documents are ordered by a number.
 */
import { AggregateStage } from './aggregate.ts'
import { isDocument, readField, type Document } from './field-path.ts'

/** Functions that have no window, or one of their own. */
const WITHOUT_WINDOW: ReadonlySet<string> = new Set([
  '$rank',
  '$denseRank',
  '$documentNumber',
  '$shift',
  '$expMovingAvg',
  '$locf',
  '$linearFill',
])

export function createWindowStage(spec: Document): AggregateStage {
  const dated = withHostRules(spec, true)
  const numbered = withHostRules(spec, false)
  const sortBy = Object.keys((spec['sortBy'] as Document | undefined) ?? {})[0]?.split('.')
  const isNumbered = (documents: readonly Document[]): boolean =>
    sortBy !== undefined && documents.some((document) => typeof readField(document, sortBy) === 'number')
  return new AggregateStage('$setWindowFields', dated, (documents) => (isNumbered(documents) ? numbered : dated))
}

function withHostRules(spec: Document, keepsUnit: boolean): Document {
  const output = Object.fromEntries(
    Object.entries(spec['output'] as Document).map(([name, field]) => [name, fieldRules(field as Document, keepsUnit)]),
  )
  return { ...spec, output }
}

function fieldRules(field: Document, keepsUnit: boolean): Document {
  const [operator, argument] = Object.entries(field).find(([name]) => name !== 'window') ?? []
  if (operator === undefined) return field
  if (operator === '$shift' && isDocument(argument)) {
    const by = argument['by']
    return { ...field, [operator]: typeof by === 'number' ? { ...argument, by: -by } : argument }
  }
  const isWindowed = 'window' in field || WITHOUT_WINDOW.has(operator)
  const plain =
    !keepsUnit && isDocument(argument) && 'unit' in argument ? { ...field, [operator]: withoutUnit(argument) } : field
  return isWindowed ? plain : { ...plain, window: { documents: ['unbounded', 'current'] } }
}

function withoutUnit(argument: Document): Document {
  return Object.fromEntries(Object.entries(argument).filter(([name]) => name !== 'unit'))
}
