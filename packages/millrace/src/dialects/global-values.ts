/**
 * Values of `globals`. Those of the file are values and nothing else; those of an entry of `$subPipeline` may be expressions,
 * such as `{$multiply: ['$$GLOBALS.size', 2]}`, which take the place of `$$GLOBALS.name` where it is used.
 */
import { isObject } from '../options/values.ts'

/** An expression among values. */
export class Expression {
  readonly expression: unknown
  constructor(expression: unknown) {
    this.expression = expression
  }
}

/** Finds the expressions in the globals of an entry: operators, and texts that begin with a dollar sign. */
export function expressionsIn(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('$') ? new Expression(value) : value
  if (!isObject(value)) return value
  const names = Object.keys(value)
  if (names.length === 1 && names[0]!.startsWith('$')) return new Expression(value)
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, expressionsIn(item)]))
}

/** What a value is in an expression, safe from being read as one where it is none. */
export function valueAsExpression(value: unknown): unknown {
  if (value instanceof Expression) return value.expression
  const isPlain =
    typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && !value.startsWith('$'))
  if (isPlain) return value
  return isObject(value) && hasExpression(value)
    ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, valueAsExpression(item)]))
    : { $literal: value }
}

/** The first field of a document that an expression looks at. */
export function fieldIn(value: unknown): string | undefined {
  if (value instanceof Expression) return fieldIn(value.expression)
  if (typeof value === 'string') return /^\$(?:[^$]|\$(?:ROOT|CURRENT)\b)/.test(value) ? value : undefined
  if (typeof value !== 'object' || value === null || '$literal' in value) return undefined
  for (const item of Object.values(value)) {
    const found = fieldIn(item)
    if (found !== undefined) return found
  }
  return undefined
}

function hasExpression(value: object): boolean {
  return Object.values(value).some((item) => item instanceof Expression || (isObject(item) && hasExpression(item)))
}
