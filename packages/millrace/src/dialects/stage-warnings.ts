/**
 * What stages ask for that has no effect, or can't be true: things that are allowed and hardly meant.
 */
import type { PlannedComponent, PlannedStage } from '../engine/plan.ts'
import type { ConfigProblem } from '../errors/index.ts'
import { isObject } from '../options/values.ts'
import type { SourceDocument } from './document.ts'

/** @param sinks for which the stages work */
export function stageWarnings(
  stages: readonly PlannedStage[],
  sinks: readonly Pick<PlannedComponent, 'options'>[],
): ConfigProblem[] {
  const isMetaWritten = sinks.some(({ options }) => options['includeMeta'] === true)
  return stages.flatMap((stage, i) => [
    ...(stage.name === '$match' ? conditionWarnings(stage.spec, stage.path) : []),
    ...(isMetaWritten || isMetaReadLater(stages.slice(i + 1)) ? [] : metaInVain(stage)),
    ...keyInVain(stages, i),
  ])
}

/** A key that a stage sets where `_meta` is no longer there, or that is lost with it in a stage behind. */
function keyInVain(stages: readonly PlannedStage[], at: number): ConfigProblem[] {
  const { name, spec, path } = stages[at]!
  if (!SETS_FIELDS.has(name) || !isObject(spec)) return []
  if (isPlainObject(spec['_meta']) && 'key' in spec['_meta'])
    return [
      {
        path: `${path}._meta`,
        message: `${name} of the whole "_meta" sets a field of the value and no key`,
        suggestion: 'write "_meta.key" with quotes',
      },
    ]
  const key = Object.keys(spec).find(isKey)
  if (key === undefined) return []
  const lost = stages.slice(at + 1).find(leavesMetaOut)
  const gone = stages.slice(0, at).find(leavesMetaOut)
  if (lost === undefined && gone === undefined) return []
  const { path: where, name: what } = (gone ?? lost)!
  const message =
    gone === undefined
      ? `The key that ${name} sets is lost, as ${what} at ${where} makes documents without _meta`
      : `${name} of "${key}" sets a field of the value and no key, as ${what} at ${where} makes documents without _meta`
  return [{ path: `${path}.${key}`, message, suggestion: 'set keyField of the sink instead' }]
}

const SETS_FIELDS: ReadonlySet<unknown> = new Set(['$set', '$addFields'])

function isKey(field: string): boolean {
  return field === '_meta.key' || field.startsWith('_meta.key.')
}

/** Whether the documents that a stage makes no longer have the `_meta` that was attached. */
function leavesMetaOut({ name, spec }: PlannedStage): boolean {
  if (name === '$unset') return [spec].flat().includes('_meta')
  if (name === '$project') return isObject(spec) && (keepsFields(spec) || '_meta' in spec)
  return (name === '$replaceRoot' || name === '$replaceWith') && !/\$\$(?:ROOT|CURRENT)\b/.test(JSON.stringify(spec))
}

/** Whether a `$project` names what it keeps, not only what it leaves out. */
function keepsFields(spec: { readonly [field: string]: unknown }): boolean {
  return Object.values(spec).some((value) =>
    isObject(value) && !Object.keys(value).some((name) => name.startsWith('$'))
      ? keepsFields(value)
      : value !== 0 && value !== false,
  )
}

/** A part of `_meta` other than the key, which neither a later stage nor the sink looks at. */
function metaInVain({ name, spec, path }: PlannedStage): ConfigProblem[] {
  if (!SETS_FIELDS.has(name) || !isObject(spec)) return []
  return Object.keys(spec)
    .filter((field) => field.startsWith('_meta.') && !isKey(field))
    .map((field) => ({
      path: `${path}.${field}`,
      message: `${name} of "${field}" has no effect on what is written: of _meta, only _meta.key can be changed`,
      suggestion: 'set a field of the value instead',
    }))
}

function isMetaReadLater(stages: readonly PlannedStage[]): boolean {
  return JSON.stringify(stages.map(({ spec }) => spec)).includes('_meta')
}

/** Comparison operators as other languages write them, the longest first. */
const WRITTEN_OPERATORS: { readonly [sign: string]: string } = {
  '>=': '$gte',
  '<=': '$lte',
  '!=': '$ne',
  '==': '$eq',
  '>': '$gt',
  '<': '$lt',
  '=': '$eq',
}
const COMPARISON = /^\s*([\w.$]+)\s*(>=|<=|!=|==|>|<|=)\s*(.*)$/
const NUMBER = /^[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/
const ORDERINGS = ['$gt', '$gte', '$lt', '$lte']

/** Operators whose operands are values, of which an object is one. */
const WITH_VALUES = ['$eq', '$ne', '$in', '$nin', '$all']

/**
 * What a `$match` can't mean.
 * @param isValue whether it is an operand that is compared as it is
 */
export function conditionWarnings(condition: unknown, path: string, isValue = false): ConfigProblem[] {
  if (condition instanceof Date) return [asDate(condition, path)]
  if (Array.isArray(condition)) return condition.flatMap((part, i) => conditionWarnings(part, `${path}.${i}`, isValue))
  if (!isObject(condition)) return []
  return Object.entries(condition).flatMap(([name, inner]) => {
    const place = `${path}.${name}`
    if (ORDERINGS.includes(name) && !(inner instanceof Date))
      return typeof inner === 'string' && NUMBER.test(inner) ? [asText(name, inner, place)] : []
    // Expressions have rules of their own.
    if (name === '$expr') return []
    if (isValue || name.startsWith('$')) return conditionWarnings(inner, place, isValue || WITH_VALUES.includes(name))
    const field = isPlainObject(inner) ? Object.keys(inner)[0] : undefined
    const inObject = field === undefined ? [] : [asObject(name, field, place)]
    return [...nameWarnings(name, place), ...inObject, ...conditionWarnings(inner, place, field !== undefined)]
  })
}

/** Whether it is an object without operators, so that it is a value. */
function isPlainObject(value: unknown): value is { readonly [field: string]: unknown } {
  return isObject(value) && !(value instanceof Date) && !Object.keys(value).some((name) => name.startsWith('$'))
}

/** `{a: {b: 1}}`, which `a.b = 1` is in TOML, too. */
function asObject(name: string, field: string, path: string): ConfigProblem {
  return {
    path,
    message: `"${name}" is compared with a whole object, so only documents match whose "${name}" has these fields and no others`,
    suggestion: `write "${name}.${field}" with quotes for a field of it, or $eq with the object`,
  }
}

function asText(operator: string, value: string, path: string): ConfigProblem {
  return {
    path,
    message: `${operator} with the text "${value}" is true for text only, and for no number`,
    suggestion: `write ${value} without quotes for numbers`,
  }
}

/** TOML has dates, JSON has none. */
function asDate(date: Date, path: string): ConfigProblem {
  const text = date.toISOString()
  return {
    path,
    message: `The date ${text} matches no text, and JSON holds dates as text`,
    suggestion: `write "${text}" with quotes`,
  }
}

/** `{amount > 100}` is a field of that name in YAML, which no document has. */
function nameWarnings(name: string, path: string): ConfigProblem[] {
  const [, field, sign, value] = COMPARISON.exec(name) ?? []
  if (sign !== undefined)
    return [
      {
        path,
        message: `Field "${name}" is a name, not a comparison`,
        suggestion: `write ${field}: {${WRITTEN_OPERATORS[sign]}: ${value || '...'}}`,
      },
    ]
  return /\s/.test(name)
    ? [
        {
          path,
          message: `Field "${name}" has a blank in its name`,
          suggestion: 'check that it is meant as the name of a field',
        },
      ]
    : []
}

/**
 * A warning for each key of a TOML file that is not in quotes, though it names a field that is set: `a.b = 1` makes an object, which
 * replaces the whole field.
 */
export function dottedKeyWarnings({ dottedKeys = [], value }: SourceDocument): ConfigProblem[] {
  return dottedKeys.flatMap(({ above, names }) => {
    const [first, ...rest] = names
    const isWithin = SETS_FIELDS.has(first) && rest.length > 1
    const path = isWithin ? `${above}.${first}` : above
    const field = isWithin ? rest : names
    if (!isWithin && !SETS_FIELDS.has(above.slice(above.lastIndexOf('.') + 1)) && !isConfigOf(above, value)) return []
    // A warning of its own says more.
    if (field[0] === '_meta' && field[1] === 'key') return []
    return {
      path: `${path}.${field[0]}`,
      message: `In TOML, ${field.join('.')} is "${field[0]}" with an object, which replaces all of its fields`,
      suggestion: `write "${field.join('.')}" with quotes to set one field of it, or ${field[0]} = { ${field.slice(1).join('.')} = ... }`,
    }
  })
}

/** `function = "$set"` of a stage graph with its `config`. */
function isConfigOf(path: string, value: unknown): boolean {
  const [, index] = /^stages\.(\d+)\.config$/.exec(path) ?? []
  if (index === undefined || !isObject(value) || !Array.isArray(value['stages'])) return false
  const stage: unknown = value['stages'][Number(index)]
  return isObject(stage) && SETS_FIELDS.has(stage['function'])
}
