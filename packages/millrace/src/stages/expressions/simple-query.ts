/**
 * A fast path for the queries that most pipelines have: fields compared with scalars, and `$and` and `$or` of those.
 *
 * It answers exactly as the query language does, or not at all: when a path leads through an array, or a list of
 * operands holds anything but scalars, it says `UNSURE` and the full engine decides. A property test holds it to that.
 */
import { isDocument, plainPath, readField, THROUGH_ARRAY, type Document } from '../field-path.ts'

export const NO = 0
export const YES = 1
export const UNSURE = 2

/** Answers `YES`, `NO`, or `UNSURE` when the full engine has to be asked. */
export type SimpleQuery = (document: Document) => 0 | 1 | 2

type Scalar = string | number | boolean | null
/** Looks at a value that is not an array. */
type Comparison = (value: unknown) => boolean

/** Compiles a condition, or gives undefined when it holds anything that is not simple. */
export function compileSimpleQuery(condition: Document): SimpleQuery | undefined {
  const parts: SimpleQuery[] = []
  for (const [name, operand] of Object.entries(condition)) {
    const part = name === '$and' || name === '$or' ? compileList(name, operand) : compileField(name, operand)
    if (part === undefined) return undefined
    parts.push(part)
  }
  return parts.length === 1 ? parts[0]! : all(parts)
}

function compileList(name: '$and' | '$or', operand: unknown): SimpleQuery | undefined {
  if (!Array.isArray(operand) || operand.length === 0) return undefined
  const parts = operand.map((part: unknown) => (isDocument(part) ? compileSimpleQuery(part) : undefined))
  if (!parts.every((part) => part !== undefined)) return undefined
  return name === '$and' ? all(parts) : any(parts)
}

function compileField(path: string, operand: unknown): SimpleQuery | undefined {
  const names = path.startsWith('$') ? undefined : plainPath(path)
  if (names === undefined) return undefined
  if (!isDocument(operand)) return isScalar(operand) ? test(names, equals(operand)) : undefined
  const operators = Object.entries(operand)
  if (operators.length === 0) return undefined
  const parts: SimpleQuery[] = []
  for (const [operator, argument] of operators) {
    const comparison = COMPARISONS[operator]?.(argument)
    if (comparison === undefined) return undefined
    parts.push(test(names, comparison))
  }
  return parts.length === 1 ? parts[0]! : all(parts)
}

/** Each gives a comparison, or undefined when the operand is not simple. */
const COMPARISONS: { readonly [operator: string]: ((operand: unknown) => Comparison | undefined) | undefined } = {
  __proto__: null as never,
  $eq: (operand) => (isScalar(operand) ? equals(operand) : undefined),
  $ne: (operand) => (isScalar(operand) ? not(equals(operand)) : undefined),
  $in: (operand) => (isScalars(operand) ? within(operand) : undefined),
  $nin: (operand) => (isScalars(operand) ? not(within(operand)) : undefined),
  $exists: (operand) => (operand ? (value) => value !== undefined : (value) => value === undefined),
  // Values of different types never compare, so `$gte: 100` is false for "100". Written with the opposite sign, because
  // the engine orders NaN, which arithmetic may give, as equal to every number.
  $gt: (operand) =>
    ordered(operand, (bound) => (value) => typeof value === typeof bound && (value as typeof bound) > bound),
  $gte: (operand) =>
    ordered(operand, (bound) => (value) => typeof value === typeof bound && !((value as typeof bound) < bound)),
  $lt: (operand) =>
    ordered(operand, (bound) => (value) => typeof value === typeof bound && (value as typeof bound) < bound),
  $lte: (operand) =>
    ordered(operand, (bound) => (value) => typeof value === typeof bound && !((value as typeof bound) > bound)),
}

function equals(operand: Scalar): Comparison {
  return operand === null ? (value) => value === null || value === undefined : (value) => value === operand
}

function within(operands: readonly Scalar[]): Comparison {
  const set = new Set<unknown>(operands)
  return set.has(null) ? (value) => value === undefined || set.has(value) : (value) => set.has(value)
}

function not(comparison: Comparison): Comparison {
  return (value) => !comparison(value)
}

function ordered(operand: unknown, make: (bound: string | number | boolean) => Comparison): Comparison | undefined {
  return isScalar(operand) && operand !== null ? make(operand) : undefined
}

function test(names: readonly string[], comparison: Comparison): SimpleQuery {
  const [name] = names
  if (names.length === 1) {
    return (document) => {
      const value = document[name!]
      if (typeof value === 'object' && Array.isArray(value)) return UNSURE
      return comparison(value) ? YES : NO
    }
  }
  return (document) => {
    const value = readField(document, names)
    if (value === THROUGH_ARRAY || Array.isArray(value)) return UNSURE
    return comparison(value) ? YES : NO
  }
}

/** `NO` outweighs `UNSURE`, which outweighs `YES`. */
function all(parts: readonly SimpleQuery[]): SimpleQuery {
  return (document) => {
    let answer: 0 | 1 | 2 = YES
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!(document)
      if (part === NO) return NO
      if (part === UNSURE) answer = UNSURE
    }
    return answer
  }
}

/** `YES` outweighs `UNSURE`, which outweighs `NO`. */
function any(parts: readonly SimpleQuery[]): SimpleQuery {
  return (document) => {
    let answer: 0 | 1 | 2 = NO
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!(document)
      if (part === YES) return YES
      if (part === UNSURE) answer = UNSURE
    }
    return answer
  }
}

function isScalar(value: unknown): value is Scalar {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && !Number.isNaN(value))
  )
}

function isScalars(value: unknown): value is readonly Scalar[] {
  return Array.isArray(value) && value.every(isScalar)
}
