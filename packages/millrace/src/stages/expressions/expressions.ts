/**
 * Compiles expressions. Constants and plain field paths are answered here, everything else by the engine, in one call
 * per document.
 */
import { plainPath, readField, THROUGH_ARRAY, type Document } from '../field-path.ts'
import { createEvaluator } from './mingo.ts'

/** Values of the expressions for one document, in their order; `undefined` for what is missing or `$$REMOVE`. */
export type Expressions = (document: Document) => readonly unknown[]

export function compileExpressions(list: readonly unknown[]): Expressions {
  const readers = list.map(compileSimple)
  const difficult = list.filter((_, i) => readers[i] === undefined)
  if (difficult.length > 0) {
    const evaluate = createEvaluator(list)
    if (difficult.length === list.length) return evaluate
    const evaluateDifficult = createEvaluator(difficult)
    return (document) => {
      const results = evaluateDifficult(document)
      let next = 0
      const values = readers.map((read) => (read === undefined ? results[next++] : read(document)))
      return values.includes(THROUGH_ARRAY) ? evaluate(document) : values
    }
  }
  // Made when the first array is met, which for most pipelines is never.
  let evaluate: Expressions | undefined
  return (document) => {
    const values: unknown[] = []
    for (let i = 0; i < readers.length; i++) {
      const value = readers[i]!(document)
      if (value === THROUGH_ARRAY) return (evaluate ??= createEvaluator(list))(document)
      values.push(value)
    }
    return values
  }
}

function compileSimple(expression: unknown): ((document: Document) => unknown) | undefined {
  if (typeof expression === 'object' && expression !== null) return undefined
  if (typeof expression !== 'string' || !expression.startsWith('$')) return () => expression
  if (expression === '$$ROOT') return (document) => document
  if (expression === '$$REMOVE') return () => undefined
  const path = expression.startsWith('$$') ? undefined : plainPath(expression.slice(1))
  if (path === undefined) return undefined
  const [name] = path
  return path.length === 1 ? (document) => document[name!] : (document) => readField(document, path)
}
