/**
 * The only file that knows mingo, the query and expression engine behind the stages. Loading it costs some 80 ms, so
 * lint stays away from it. Stages that look at one document are ours, because mingo's change documents in place or drop
 * what they cannot place; those that look at several run on copies (`aggregate.ts`).
 */
import { Aggregator } from 'mingo/aggregator'
import { Context, evalExpr, OpType } from 'mingo/core'
import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import * as pipelines from 'mingo/operators/pipeline'
import * as projections from 'mingo/operators/projection'
import * as queries from 'mingo/operators/query'
import * as windows from 'mingo/operators/window'
import { Query } from 'mingo/query'
import { compare, resolve } from 'mingo/util'
import type { Options } from 'mingo/types'
import { $bucket } from './bucket.ts'
import type { Document } from '../field-path.ts'
import { onlyElement } from './list-operators.ts'
import type { Engine, Evaluation } from './operator.ts'
import { EXPRESSION_OPERATORS } from './operators.ts'

const ENGINE: Engine = {
  evaluate: evalExpr,
  operator: (name) => (expressions as { readonly [name: string]: unknown })[name] as Evaluation,
  accumulator: (name) => (accumulators as { readonly [name: string]: unknown })[name] as Evaluation,
}

/** The operators of the table that are not simply the engine's own. */
const OWN_OPERATORS = Object.fromEntries(
  [...EXPRESSION_OPERATORS].flatMap(([name, { unary, run }]) => {
    if (run === undefined && unary === undefined) return []
    const evaluation = run?.(ENGINE) ?? ENGINE.operator(name)
    return [[name, unary === undefined ? evaluation : unwrapping(evaluation)]]
  }),
)

function unwrapping(evaluation: Evaluation): Evaluation {
  return (document, argument, options) => evaluation(document, onlyElement(argument), options)
}

/** `$mod` of conditions: as everywhere, values of other types never compare. The engine's takes null, false and "4" for numbers. */
function $mod(selector: string, [divisor, remainder]: readonly [number, number]): (document: Document) => boolean {
  const isWanted = (value: unknown): boolean => typeof value === 'number' && value % divisor === remainder
  return (document) => {
    const value: unknown = resolve(document, selector, { unwrapArray: true })
    return Array.isArray(value) ? value.some(isWanted) : isWanted(value)
  }
}

const CONTEXT = Context.init({
  accumulator: accumulators,
  expression: { ...expressions, ...OWN_OPERATORS },
  pipeline: { ...pipelines, $bucket },
  projection: projections,
  query: { ...queries, $mod: $mod as never },
  window: windows,
})

// Code of a pipeline file is text in `$function`, which is an operator of ours; mingo's own need functions.
const OPTIONS = {
  context: CONTEXT,
  scriptEnabled: false,
  variables: {
    /** There is no cluster whose time it could be. */
    get CLUSTER_TIME() {
      return new Date()
    },
  },
}
const CAPTURING = {
  ...OPTIONS,
  context: Context.from(CONTEXT).addExpressionOps({
    $capturedOptions: (_document: unknown, _argument: unknown, options: Options) => options,
  }),
} as unknown as Options

/** The order of values of all types: negative when `a` comes first. */
export const compareValues: (a: unknown, b: unknown) => number = compare

/** A predicate over documents in MongoDB's query language. @throws {Error} when the query is not valid */
export function createQuery(condition: Document): (document: Document) => boolean {
  const query = new Query(condition, OPTIONS)
  return (document) => query.test(document)
}

/**
 * Evaluates expressions, one document at a time; missing fields give `undefined`. `$$NOW` is the time of the call.
 *
 * An evaluation with plain options would copy the tables of all operators first, some 20 microseconds. So the options as
 * the engine computes them are taken from within one evaluation, and given to every other with its own root.
 */
export function createEvaluator(list: readonly unknown[]): (document: Document) => readonly unknown[] {
  const options = evalExpr({}, { $capturedOptions: 1 }, CAPTURING) as Options & {
    local: { root?: unknown; timestamp?: number | undefined }
  }
  const makesDates = MAKES_DATES.test(JSON.stringify(list) ?? '')
  return (document) => {
    options.local.root = document
    options.local.timestamp = undefined
    const results = evalExpr(document, list, options) as unknown[]
    return makesDates ? (withPlainDates(results) as unknown[]) : results
  }
}

/**
 * Projects documents with mingo's `$project`.
 *
 * @returns starts a batch; what it gives projects one document. The projection is one lazy stream that is fed a document
 *   at a time, so that a failure is known to belong to it. `$$NOW` is the time of the first document of a batch
 * @throws {Error} when the specification is not valid
 */
export function createProjection(spec: Document): () => (document: Document) => Document {
  const makesDates = MAKES_DATES.test(JSON.stringify(spec))
  const aggregator = new Aggregator([{ $project: spec }], OPTIONS)
  aggregator.stream([])
  return () => {
    const step: { value: unknown; done: boolean } = { value: undefined, done: false }
    const stream = aggregator.stream({ next: () => step })
    return (document) => {
      step.value = document
      const { value } = stream.next()
      return (makesDates ? withPlainDates(value) : value) as Document
    }
  }
}

/** Runs some of mingo's own stages over a list of documents, which they may change. @throws {Error} when they are not valid */
export function createAggregation(stages: readonly Document[]): (documents: readonly Document[]) => Document[] {
  const makesDates = MAKES_DATES.test(JSON.stringify(stages))
  // Some of the stages use functions of their own; a file cannot give any, as YAML and JSON have none.
  const aggregator = new Aggregator(stages as Document[], { ...OPTIONS, scriptEnabled: true })
  return (documents) => {
    // What `$redact` prunes comes out as a hole.
    const results = (aggregator.run([...documents]) as (Document | undefined)[]).filter(
      (document) => document !== undefined,
    )
    return makesDates ? (withPlainDates(results) as Document[]) : results
  }
}

/** Whether `$project` gives an operator a meaning of its own, as it does with `$slice`. */
export function isProjectionOperator(name: string): boolean {
  return CONTEXT.getOperator(OpType.PROJECTION, name) !== null
}

const MAKES_DATES = /\$\$NOW|\$\$CLUSTER_TIME|\$toDate|\$convert|\$date[A-Z]|\$function|\$add|\$subtract/

/**
 * A date that is written as `java.time.Instant` writes it, which is how the host prints dates: without a fraction when
 * the milliseconds are zero. Everywhere else it is a `Date`.
 */
class PlainDate extends Date {
  override toJSON(): string {
    return this.toISOString().replace('.000Z', 'Z')
  }
}
// mingo takes two values for equal only when their constructors are the same.
Object.defineProperty(PlainDate.prototype, 'constructor', { value: Date })

function withPlainDates(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return value instanceof PlainDate ? value : new PlainDate(value)
  if (Array.isArray(value)) return value.map(withPlainDates)
  if (value.constructor !== Object) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withPlainDates(field)]))
}
