/** Which fields stages copy, by their specifications; see `records/moved-fields.ts`. */
import type { MovedField, MovedFields } from '../../records/moved-fields.ts'
import { isDocument, plainPath, type Document } from '../field-path.ts'

/** Of fields with expressions. */
export function movedByFields(fields: Document): MovedFields {
  return Object.entries(fields).flatMap(([name, expression]) => movedBy(expression, name.split('.')))
}

/** Of a projection: 1 and true keep a field where it is. */
export function movedByProjection(spec: Document, above: readonly string[] = []): MovedFields {
  return Object.entries(spec).flatMap(([name, value]) => {
    const to = [...above, ...name.split('.')]
    if (typeof value === 'number' || typeof value === 'boolean') return []
    return isDocument(value) && !isOperator(value) ? movedByProjection(value, to) : movedBy(value, to)
  })
}

/** Of an expression, whose value is written to a path. */
export function movedBy(expression: unknown, to: readonly string[]): MovedFields {
  const from = pathOf(expression)
  if (from !== undefined) return [{ to, from }]
  const whole: MovedField = { to, from: undefined }
  if (Array.isArray(expression)) return [whole, ...expression.flatMap((one, i) => movedBy(one, [...to, String(i)]))]
  if (!isDocument(expression) || isOperator(expression)) return [whole]
  return [whole, ...Object.entries(expression).flatMap(([name, value]) => movedBy(value, [...to, name]))]
}

/** Where an expression finds its value in a document; undefined if it makes one. */
export function pathOf(expression: unknown): readonly string[] | undefined {
  if (typeof expression !== 'string' || !expression.startsWith('$')) return undefined
  if (expression === '$$ROOT' || expression === '$$CURRENT') return []
  const path = expression.replace(/^\$\$(?:ROOT|CURRENT)\./, '$').slice(1)
  return path.startsWith('$') ? undefined : plainPath(path)
}

function isOperator(value: Document): boolean {
  return Object.keys(value).some((name) => name.startsWith('$'))
}
