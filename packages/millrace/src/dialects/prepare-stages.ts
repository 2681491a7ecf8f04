/**
 * What the file says beside its stages and the stages refer to: `globals` (`$$GLOBALS.rate`), `collections` (`$lookup`) and
 * `pipelines` (`$subPipeline`). All of it is put into the stages here, so that nothing behind knows of them.
 */
import { resolve } from 'node:path'
import type { ConfigProblem } from '../errors/index.ts'
import { didYouMean } from '../options/suggest.ts'
import { describeValue, isObject } from '../options/values.ts'
import { lintStages } from '../stages/lint/index.ts'
import { readNamedPipelines, referenceOf, type NamedPipeline, type NamedPipelines } from './named-pipelines.ts'

const GLOBAL = /^\$\$GLOBALS(?:\.(.+))?$/

/** @param directory against which files of collections are resolved */
export interface StageSurroundings {
  readonly globals: unknown
  /** Where these stand in the file; `globals` when omitted. */
  readonly globalsIn?: string
  readonly collections: unknown
  readonly pipelines?: unknown
  readonly directory: string
}

/** What holds at some place among the stages. */
interface Scope {
  /** Undefined where they are not known yet. */
  readonly globals: unknown
  /** The named pipelines around it. */
  readonly within: readonly NamedPipeline[]
  /** Whether values are constants here, such as in a `$match`, and are taken for no expressions. */
  readonly areConstants?: boolean
}

/** What takes constants, and no expressions. */
const TAKES_CONSTANTS: ReadonlySet<string> = new Set([
  '$match',
  '$sort',
  '$limit',
  '$skip',
  '$count',
  '$unset',
  '$unwind',
  '$sampleRate',
  '$densify',
  'boundaries',
])

/** Within the value of this name. */
function scopeOf(name: string, scope: Scope): Scope {
  const areConstants = TAKES_CONSTANTS.has(name) || (name !== '$expr' && scope.areConstants === true)
  return areConstants === (scope.areConstants === true) ? scope : { ...scope, areConstants }
}

/** Stages with everything put in that they refer to. @param path where they stand */
export type PrepareStages = (stages: unknown, path: string) => unknown

export function preparation(
  { globals, globalsIn = 'globals', collections, pipelines, directory }: StageSurroundings,
  problems: ConfigProblem[],
): PrepareStages {
  if (globals !== undefined && globals !== null && !isObject(globals))
    problems.push({
      path: 'globals',
      message: `Cannot read globals as it must be an object: found ${describeValue(globals)}`,
    })
  const known = readCollections(collections, directory, problems)
  const named = readNamedPipelines(pipelines, problems)
  const preparer = new Preparer(known, named, globalsIn, problems)
  preparer.checkNamed()
  // Where they cannot be read, no name in them is missing.
  const all = globals ?? {}
  return (stages, path) => preparer.prepare(stages, path, { globals: isObject(all) ? all : undefined, within: [] })
}

// Values of `globals`: those of the file are values and nothing else; those of an entry of `$subPipeline` may be expressions, such as
// `{$multiply: ['$$GLOBALS.size', 2]}`, which take the place of `$$GLOBALS.name` where it is used.

/** An expression among values. */
class Expression {
  readonly expression: unknown
  constructor(expression: unknown) {
    this.expression = expression
  }
}

/** A value that has a problem of its own. */
const UNKNOWN = Symbol('unknown')

/**
 * Leaves out what only follows from a global whose value is not known, because it is missing, wrong, or set where a named pipeline is
 * used: its name is still in the place of the value, where it may be no list or number.
 *
 * @param value what was checked, prepared @param path where it stands
 */
export function withoutUnknownGlobals(
  problems: readonly ConfigProblem[],
  value: unknown,
  path: string,
): readonly ConfigProblem[] {
  return problems.filter((problem) => !hasGlobals(valueAt(value, problem.path.slice(path.length + 1))))
}

function hasGlobals(value: unknown): boolean {
  if (typeof value === 'string') return GLOBAL.test(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasGlobals)
}

/** What stands under a dotted path, or the closest thing above it. Names may have dots. */
function valueAt(value: unknown, path: string): unknown {
  if (path === '' || typeof value !== 'object' || value === null) return value
  const name = Object.keys(value).find((key) => path === key || path.startsWith(`${key}.`))
  if (name === undefined) return value
  return valueAt((value as { readonly [name: string]: unknown })[name], path.slice(name.length + 1))
}

class Preparer {
  readonly #collections: ReadonlyMap<string, unknown>
  readonly #named: NamedPipelines
  readonly #globalsIn: string
  readonly #problems: ConfigProblem[]
  /** Those with problems, which have been told. */
  readonly #broken = new Set<NamedPipeline>()

  constructor(
    collections: ReadonlyMap<string, unknown>,
    named: NamedPipelines,
    globalsIn: string,
    problems: ConfigProblem[],
  ) {
    this.#globalsIn = globalsIn
    this.#collections = collections
    this.#named = named
    this.#problems = problems
  }

  /** Finds the problems of all named pipelines where they stand, used or not. */
  checkNamed(): void {
    for (const pipeline of this.#named) {
      const before = this.#problems.length
      const stages = this.prepare(pipeline.stages, pipeline.path, { globals: undefined, within: [pipeline] })
      const found = lintStages(stages, pipeline.path)
      for (const problem of withoutUnknownGlobals(found, stages, pipeline.path)) this.#add(problem)
      if (this.#problems.length > before) this.#broken.add(pipeline)
    }
  }

  prepare(value: unknown, place: string, scope: Scope): unknown {
    if (typeof value === 'string') return this.#globalOf(value, place, scope)
    if (Array.isArray(value)) return value.map((item, i) => this.prepare(item, `${place}.${i}`, scope))
    if (!isObject(value)) return value
    const { $subPipeline: entries } = value
    if (Array.isArray(entries) && Object.keys(value).length === 1)
      return { $subPipeline: this.#entries(entries, `${place}.$subPipeline`, scope) }
    const copy = Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, this.prepare(item, `${place}.${name}`, scopeOf(name, scope))]),
    )
    const { $lookup: lookup } = copy
    if (isObject(lookup) && typeof lookup['from'] === 'string' && this.#collections.has(lookup['from']))
      return { ...copy, $lookup: { ...lookup, from: this.#collections.get(lookup['from']) } }
    return copy
  }

  #entries(entries: readonly unknown[], place: string, scope: Scope): unknown[] {
    return entries.map((entry, i) => this.#entry(entry, `${place}.${i}`, scope))
  }

  /** An entry of `$subPipeline` with the stages of the pipelines that it names. */
  #entry(entry: unknown, place: string, scope: Scope): unknown {
    if (typeof entry === 'string') return { pipeline: this.#stagesOf(entry, place, scope) }
    if (!isObject(entry)) return entry
    const { globals, input, ...rest } = entry
    const own: { [name: string]: unknown } = rest
    if (typeof own['ref'] === 'string' && own['pipeline'] === undefined) {
      own['pipeline'] = own['ref']
      delete own['ref']
    }
    const inner = { ...scope, globals: this.#globalsOf(globals, `${place}.globals`, scope) }
    const { pipeline, parallel, version } = own
    if (typeof pipeline === 'string') {
      delete own['version']
      own['pipeline'] = this.#stagesOf(referenceOf(pipeline, version), `${place}.pipeline`, inner)
    } else if (pipeline !== undefined) own['pipeline'] = this.prepare(pipeline, `${place}.pipeline`, inner)
    if (Array.isArray(parallel)) own['parallel'] = this.#entries(parallel, `${place}.parallel`, inner)
    if (input === undefined) return own
    // What a failure in here leaves is what came in, so `onError` is about this first stage, too.
    const begin = { $replaceWith: this.prepare(input, `${place}.input`, scope) }
    const { onError, ...work } = own
    return { pipeline: [begin, { $subPipeline: [work] }], ...(onError === undefined ? {} : { onError }) }
  }

  /** The stages of a named pipeline; none when there is a problem, which is told. */
  #stagesOf(reference: string, place: string, scope: Scope): unknown {
    const found = this.#named.find(reference)
    if ('message' in found) {
      this.#add({ path: place, ...found })
      return []
    }
    if (scope.within.includes(found)) {
      const circle = [...scope.within.slice(scope.within.indexOf(found)), found].map(({ name }) => name)
      this.#add({
        path: place,
        message: `Pipeline "${found.name}" would run itself: ${circle.join(' -> ')}`,
        suggestion: 'take one of them out',
      })
      return []
    }
    if (this.#broken.has(found)) return []
    return this.prepare(found.stages, found.path, { ...scope, within: [...scope.within, found] })
  }

  /** The globals of an entry beside those around it. */
  #globalsOf(globals: unknown, place: string, scope: Scope): unknown {
    if (globals === undefined || globals === null) return scope.globals
    if (!isObject(globals)) {
      this.#add({ path: place, message: `globals must be an object: found ${describeValue(globals)}` })
      return undefined
    }
    // Where those around are not known, nothing can be said about a name that is missing.
    const own = Object.entries(globals).map(([name, value]) => {
      const path = `${place}.${name}`
      const prepared = expressionsIn(this.prepare(value, path, scope))
      const field = fieldIn(prepared)
      if (field === undefined) return [name, prepared] as const
      this.#add({
        path,
        message: `Cannot use ${field} in globals of an entry, as they are the same for all documents`,
        suggestion: 'write the expression where it is needed, or put its value into a field with $set before',
      })
      return [name, UNKNOWN] as const
    })
    return isObject(scope.globals) ? { ...scope.globals, ...Object.fromEntries(own) } : undefined
  }

  /** The value that `$$GLOBALS.a.b` stands for, safe from being read as an expression; the text itself where that is not known. */
  #globalOf(text: string, path: string, { globals, areConstants }: Scope): unknown {
    const match = GLOBAL.exec(text)
    if (match === null || globals === undefined) return text
    let value: unknown = globals
    for (const name of match[1]?.split('.') ?? []) {
      if (value === UNKNOWN) return text
      const names = isObject(value) && !(value instanceof Expression) ? Object.keys(value) : []
      if (!isObject(value) || value instanceof Expression || !Object.hasOwn(value, name)) {
        this.#add({
          path,
          message: `Unknown name "${name}" in ${this.#globalsIn}, which ${text} needs`,
          suggestion: didYouMean(name, names) ?? `add it to ${this.#globalsIn}`,
        })
        return text
      }
      value = value[name]
    }
    if (value === UNKNOWN) return text
    if (areConstants !== true) return valueAsExpression(value)
    if (!(value instanceof Expression || (isObject(value) && hasExpression(value)))) return value
    this.#add({
      path,
      message: `Cannot use ${text} here, as its value is an expression and this takes constants`,
      suggestion: 'use it in an expression, in $match within $expr',
    })
    return text
  }

  /** Tells a problem once, however often the pipeline in which it stands is used. */
  #add(problem: ConfigProblem): void {
    const isTold = this.#problems.some(({ path, message }) => path === problem.path && message === problem.message)
    if (!isTold) this.#problems.push(problem)
  }
}

/** Lists as they are, files as `{file}`. */
function readCollections(
  collections: unknown,
  directory: string,
  problems: ConfigProblem[],
): ReadonlyMap<string, unknown> {
  const known = new Map<string, unknown>()
  if (collections === undefined || collections === null) return known
  if (!isObject(collections)) {
    problems.push({
      path: 'collections',
      message: `Cannot read collections as it must be an object: found ${describeValue(collections)}`,
    })
    return known
  }
  for (const [name, value] of Object.entries(collections)) {
    if (Array.isArray(value)) known.set(name, value)
    else if (typeof value === 'string') known.set(name, { file: resolve(directory, value) })
    else
      problems.push({
        path: `collections.${name}`,
        message: `A collection must be a list of documents or the path of a file of them: found ${describeValue(value)}`,
      })
  }
  return known
}

/** Finds the expressions in the globals of an entry: operators, and texts that begin with a dollar sign. */
function expressionsIn(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('$') ? new Expression(value) : value
  if (!isObject(value)) return value
  const names = Object.keys(value)
  if (names.length === 1 && names[0]!.startsWith('$')) return new Expression(value)
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, expressionsIn(item)]))
}

/** What a value is in an expression, safe from being read as one where it is none. */
function valueAsExpression(value: unknown): unknown {
  if (value instanceof Expression) return value.expression
  const isPlain =
    typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && !value.startsWith('$'))
  if (isPlain) return value
  return isObject(value) && hasExpression(value)
    ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, valueAsExpression(item)]))
    : { $literal: value }
}

/** The first field of a document that an expression looks at. */
function fieldIn(value: unknown): string | undefined {
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
