/** What an expression operator is: one entry in the table of its subject, with its spelling, its arguments, and what it does. */
import type { Options } from 'mingo/types'

/** Returns the value of an operator for a document; evaluates its argument itself. */
export type Evaluation = (document: unknown, argument: unknown, options: Options) => unknown

/** What the query engine offers operators. It is passed in, so that lint can read the tables without loading it. */
export interface Engine {
  readonly evaluate: (document: unknown, expression: unknown, options: Options) => unknown
  /** The engine's own operator of a name. */
  readonly operator: (name: string) => Evaluation
  /** The engine's own accumulator of a name, over a list of values. */
  readonly accumulator: (name: string) => Evaluation
}

export interface Operator {
  /** How many elements its list of arguments must have. Any number when omitted. */
  readonly arity?: readonly [from: number, to: number]
  /** Its arguments, when they have names; `!` marks those that are required. */
  readonly named?: string
  /** It has one argument, which may be in a list of its own: `{$size: ["$items"]}` is `{$size: "$items"}`. */
  readonly unary?: true
  /** What it does; by default what the engine's own operator does. */
  readonly run?: (engine: Engine) => Evaluation
}

export type Operators = { readonly [name: `$${string}`]: Operator }

/** The engine's own, with any number of arguments. */
export const ANY: Operator = {}
/** The engine's own, with one argument. */
export const ONE: Operator = { unary: true }
/** The engine's own, with two arguments. */
export const TWO: Operator = { arity: [2, 2] }

export function isMissing(value: unknown): value is null | undefined {
  return value === undefined || value === null
}
