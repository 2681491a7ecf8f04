/**
 * Checks the operators in the specification of a stage whose shape is right: names that do not exist, and what stands where
 * one operator must stand. The engine would say so for the first one only, or when a record comes.
 */
import type { ConfigProblem } from '../../errors/index.ts'
import { didYouMean } from '../../options/suggest.ts'
import { isDocument, type Document } from '../field-path.ts'
import { functionProblems } from '../expressions/function-source.ts'
import { argumentProblems, patternProblems, SYSTEM_VARIABLES, variableProblems, variablesIn } from './arguments.ts'
import { ACCUMULATORS, EXPRESSION_OPERATORS, QUERY_OPERATORS, WINDOW_OPERATORS } from '../expressions/operators.ts'

const EXPRESSIONS: ReadonlySet<string> = new Set([...EXPRESSION_OPERATORS.keys(), ...ACCUMULATORS])
const WINDOWED: ReadonlySet<string> = new Set([...ACCUMULATORS, ...WINDOW_OPERATORS])
/** `$options` goes with `$regex`. */
const CONDITIONS: ReadonlySet<string> = new Set([...QUERY_OPERATORS, '$options'])

/** A condition: fields with values or operators, and operators that hold conditions. */
export function conditionProblems(condition: unknown, path: string): ConfigProblem[] {
  if (!isDocument(condition)) return []
  return Object.entries(condition).flatMap(([name, value]) => {
    const place = `${path}.${name}`
    if (!name.startsWith('$')) return isOperators(value) ? conditionProblems(value, place) : []
    if (!CONDITIONS.has(name)) return [unknown('query operator', name, place, CONDITIONS)]
    const instead = REFUSED_CONDITIONS.get(name)
    if (instead !== undefined)
      return [{ path: place, message: `Operator "${name}" is not available`, suggestion: `use ${instead}` }]
    if (name === '$expr') return expressionProblems(value, place)
    if (name === '$regex') return patternProblems(value, condition['$options'], place)
    if (name === '$mod' && !isDivision(value))
      return [
        { path: place, message: '$mod must be a list of a divisor and a remainder', suggestion: 'for example [2, 0]' },
      ]
    if (LISTS.has(name) && !Array.isArray(value)) return [{ path: place, message: `${name} must be a list` }]
    if (!HOLD_CONDITIONS.has(name)) return []
    return Array.isArray(value)
      ? value.flatMap((one, i) => conditionProblems(one, `${place}.${i}`))
      : conditionProblems(value, place)
  })
}

const REFUSED_CONDITIONS: ReadonlyMap<string, string> = new Map([
  ['$where', '$expr, with $function for code'],
  ['$jsonSchema', 'the stage validate.schema'],
])

function isDivision(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === 'number')
}

const LISTS: ReadonlySet<string> = new Set(['$in', '$nin', '$and', '$or', '$nor', '$all'])
const HOLD_CONDITIONS: ReadonlySet<string> = new Set(['$and', '$or', '$nor', '$all', '$not', '$elemMatch'])

/** Whether an object is operators, and not a document to compare with. */
function isOperators(value: unknown): boolean {
  return isDocument(value) && Object.keys(value).some((name) => name.startsWith('$'))
}

export function expressionProblems(expression: unknown, path: string, known = SYSTEM_VARIABLES): ConfigProblem[] {
  if (typeof expression === 'string') return variableProblems(expression, known, path)
  if (Array.isArray(expression))
    return expression.flatMap((element, i) => expressionProblems(element, `${path}.${i}`, known))
  if (!isDocument(expression) || expression.constructor !== Object) return []
  const entries = Object.entries(expression)
  const [first] = entries
  if (first?.[0].startsWith('$') !== true)
    return entries.flatMap(([name, value]) => expressionProblems(value, `${path}.${name}`, known))
  const [operator, argument] = first
  if (entries.length > 1)
    return [
      {
        path,
        message: `An expression must have one operator, not ${entries.map(([name]) => `"${name}"`).join(' and ')}`,
      },
    ]
  const place = `${path}.${operator}`
  if (!EXPRESSIONS.has(operator)) return [unknown('expression operator', operator, place, EXPRESSIONS)]
  if (operator === '$function') {
    const args = isDocument(argument) ? expressionProblems(argument['args'], `${place}.args`, known) : []
    return [...functionProblems(argument, place), ...args]
  }
  // What $literal holds is data, and the branches of $switch are plain objects that are walked like any other.
  if (operator === '$literal') return []
  const inside = variablesIn(operator, argument, known)
  return [...argumentProblems(operator, argument, place), ...expressionProblems(argument, place, inside)]
}

/** Computed fields; `$slice` and `$elemMatch` mean something of their own here, and 1 or 0 are no expressions. */
export function projectionProblems(spec: unknown, path: string): ConfigProblem[] {
  const leaves = leavesOf(spec as Document).filter(([name]) => name !== '_id')
  const left = leaves.find(([, value]) => value === 0 || value === false)
  const kept = leaves.find(([, value]) => value !== 0 && value !== false && !isProjectionOnly(value))
  const mixed =
    left === undefined || kept === undefined
      ? []
      : [
          {
            path: `${path}.${left[0]}`,
            message: `Cannot exclude "${left[0]}" and include "${kept[0]}", as $project does either one or the other`,
            suggestion: `delete "${left[0]}", or use $unset for it`,
          },
        ]
  const inFields = Object.entries(spec as Document).flatMap(([name, value]) =>
    isProjectionOnly(value) ? [] : expressionProblems(value, `${path}.${name}`),
  )
  return [...mixed, ...inFields]
}

/** The fields of a projection, with dots where they lie in objects. */
function leavesOf(spec: Document, prefix = ''): (readonly [string, unknown])[] {
  return Object.entries(spec).flatMap(([name, value]) =>
    isDocument(value) && !isOperators(value)
      ? leavesOf(value, `${prefix}${name}.`)
      : [[`${prefix}${name}`, value] as const],
  )
}

function isProjectionOnly(value: unknown): boolean {
  return isDocument(value) && ('$slice' in value || '$elemMatch' in value)
}

/** Fields of the result, each with an accumulator. */
export function outputProblems(output: unknown, path: string): ConfigProblem[] {
  if (!isDocument(output)) return []
  return Object.entries(output).flatMap(([field, value]) => {
    const [name, ...more] = isDocument(value) ? Object.keys(value) : []
    const place = `${path}.${field}`
    if (name === undefined || more.length > 0)
      return [
        { path: place, message: 'A field must have one accumulator', suggestion: 'for example {$sum: "$amount"}' },
      ]
    if (!WINDOWED.has(name)) return [unknown('accumulator', name, `${place}.${name}`, WINDOWED)]
    return expressionProblems((value as Document)[name], `${place}.${name}`)
  })
}

function unknown(kind: string, name: string, path: string, known: ReadonlySet<string>): ConfigProblem {
  const suggestion = didYouMean(name, known)
  return { path, message: `Unknown ${kind} "${name}"`, ...(suggestion === undefined ? {} : { suggestion }) }
}
