/**
 * All expression operators: those of MongoDB that the query engine has, and those of Fluxion that it does not have or
 * understands differently. An operator is one entry: lint reads its name and arguments, and the engine runs it.
 */
import { isDocument, type Document } from '../field-path.ts'
import { CONVERSION_OPERATORS } from './conversion-operators.ts'
import { DATE_OPERATORS } from './date-operators.ts'
import { callFunction } from './function-source.ts'
import { LIST_OPERATORS } from './list-operators.ts'
import { NUMBER_OPERATORS } from './number-operators.ts'
import { ANY, isMissing, ONE, TWO, type Operator, type Operators } from './operator.ts'
import { TEXT_OPERATORS } from './text-operators.ts'

const LOGIC_OPERATORS: Operators = {
  $and: ANY,
  $cmp: TWO,
  /** The first value that is there and not null. */
  $coalesce: { arity: [2, Infinity], run: (engine) => engine.operator('$ifNull') },
  /** A list of three, or `{if, then, else}`. */
  $cond: { arity: [3, 3], named: 'if! then! else' },
  $eq: TWO,
  $gt: TWO,
  $gte: TWO,
  $ifNull: { arity: [2, Infinity] },
  $lt: TWO,
  $lte: TWO,
  $ne: TWO,
  $not: ANY,
  $or: ANY,
  /** Null when no branch applies and there is no default. */
  $switch: {
    named: 'branches! default',
    run: (engine) => (document, argument, options) =>
      engine.operator('$switch')(document, { default: null, ...(argument as Document) }, options),
  },
}

const OBJECT_OPERATORS: Operators = {
  /** Code of the pipeline file; the engine itself uses it with functions. */
  $function: {
    run: (engine) => (document, argument, options) => {
      const { body, args = [] } = argument as { readonly body: unknown; readonly args?: unknown }
      if (typeof body !== 'string') return engine.operator('$function')(document, argument, options)
      const { root = document } = (options as { readonly local?: { readonly root?: unknown } }).local ?? {}
      return callFunction(body, engine.evaluate(document, args, options) as unknown[], root)
    },
  },
  $getField: ANY,
  $let: { named: 'vars! in!' },
  $literal: ANY,
  /** Null when one of them is no object. Where the engine groups, they are the values of a group. */
  $mergeObjects: {
    run: (engine) => (document, argument, options) => {
      const value = engine.evaluate(document, argument, options)
      const objects = (Array.isArray(value) ? value : [value]).filter((one) => !isMissing(one))
      return objects.every(isDocument) ? merged(objects) : null
    },
  },
  $objectToArray: ONE,
  $setField: { named: 'field! input! value!' },
  $unsetField: { named: 'field! input!' },
}

/** Spreading keeps a key `__proto__`, which the engine's own loses. */
function merged(objects: readonly Document[]): Document {
  return objects.reduce<Document>((all, one) => ({ ...all, ...one }), {})
}

export const EXPRESSION_OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...LOGIC_OPERATORS,
    ...NUMBER_OPERATORS,
    ...TEXT_OPERATORS,
    ...DATE_OPERATORS,
    ...CONVERSION_OPERATORS,
    ...LIST_OPERATORS,
    ...OBJECT_OPERATORS,
  }),
)

/** The engine's own operators of other kinds, by name. Of the fields of `$group` and the like; on a list they are expressions, too. */
export const ACCUMULATORS = names(`
  accumulator addToSet avg bottom bottomN count covariancePop covarianceSamp first firstN last lastN max maxN
  median mergeObjects min minN percentile push stdDevPop stdDevSamp sum top topN
`)

/** Of the fields of `$setWindowFields`, beside accumulators. */
export const WINDOW_OPERATORS = names(`
  denseRank derivative documentNumber expMovingAvg integral linearFill locf minMaxScaler rank shift
`)

/** Of conditions. */
export const QUERY_OPERATORS = names(`
  all and bitsAllClear bitsAllSet bitsAnyClear bitsAnySet elemMatch eq exists expr gt gte in jsonSchema lt lte
  mod ne nin nor not or regex size type where
`)

function names(words: string): readonly string[] {
  return words
    .trim()
    .split(/\s+/)
    .map((word) => `$${word}`)
}
