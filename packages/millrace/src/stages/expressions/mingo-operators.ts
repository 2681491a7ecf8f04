/** The engine's own expression operators, by name, and what those of ours share. */
import * as expressions from 'mingo/operators/expression'
import type { Options } from 'mingo/types'

/** Gives the value of an operator for a document; evaluates its argument itself. */
export type Operator = (document: unknown, argument: unknown, options: Options) => unknown
export type Operators = { readonly [name: `$${string}`]: Operator }

const ENGINE = new Map<string, unknown>(Object.entries(expressions))

export function engineOperator(name: string): Operator {
  return ENGINE.get(name) as Operator
}

export function isMissing(value: unknown): value is null | undefined {
  return value === undefined || value === null
}
