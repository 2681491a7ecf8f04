/**
 * The source and sink blocks of linear files: `type`, and its options under `options` or beside it.
 */
import type { CatalogEntry } from '../../catalog.ts'
import { planned, SINKS, SOURCES } from '../../catalog.ts'
import type { PlannedComponent } from '../../engine/plan.ts'
import type { OptionProblem } from '../../options/declaration.ts'
import { parseOptions } from '../../options/parse.ts'
import { pickUnwritten, writtenName } from '../../options/spellings.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue, isObject } from '../../options/values.ts'
import type { ReportProblem } from '../problems.ts'
import { withConnection, type Connection } from './connections.ts'

/** Keys that stand beside `type` and are no options. */
export const BESIDE_TYPE = ['type', 'options', 'connectionRef', 'connectionScope']

/** A block, and where it stands. */
export interface Block {
  readonly value: unknown
  /** Path in the file. */
  readonly place: readonly (string | number)[]
}

/** What a block may refer to, and what it takes over where it says nothing. */
export interface BlockSurroundings {
  readonly connections: readonly Connection[]
  readonly defaults?: { readonly [option: string]: unknown }
}

/** @returns undefined when the block names no component */
export function readBlock(
  kind: 'source' | 'sink',
  { value, place }: Block,
  { connections, defaults = {} }: BlockSurroundings,
  reportHere: ReportProblem,
): PlannedComponent | undefined {
  const entries: readonly CatalogEntry<unknown>[] = kind === 'source' ? SOURCES : SINKS
  const names = entries.map(({ name }) => name)
  if (value === undefined || value === null) {
    reportHere({
      path: value === undefined ? place.slice(0, -1) : place,
      message: `Missing ${kind}`,
      suggestion: `for example ${kind}: {type: ${names[0]!}, options: {...}}`,
    })
    return undefined
  }
  if (!isObject(value)) {
    reportHere({
      path: place,
      message: `Cannot read ${kind} as it must be an object with type and options: found ${describeValue(value)}`,
    })
    return undefined
  }
  const connected = withConnection(value, place, connections, reportHere)
  if (connected === undefined) return undefined
  const { type, options, ...flat } = connected.block
  // What a connection says is wrong there.
  const report: ReportProblem = (problem) => {
    const [name, ...rest] = problem.path.slice(place.length + (problem.path[place.length] === 'options' ? 1 : 0))
    const origin = name === undefined ? undefined : connected.placeOf(String(name))
    reportHere(origin === undefined ? problem : { ...problem, path: [...origin, ...rest] })
  }
  const entry = entries.find(({ name }) => name === type)
  if (entry === undefined) {
    report({
      path: type === undefined ? place : [...place, 'type'],
      message: type === undefined ? `Missing type of the ${kind}` : `Unknown ${kind} type ${describeValue(type)}`,
      suggestion: (typeof type === 'string' ? didYouMean(type, names) : undefined) ?? `there are ${names.join(', ')}`,
    })
    return undefined
  }
  const isNested = options !== undefined && options !== null
  if (isNested) {
    for (const name of Object.keys(flat)) {
      const suggestion = name in entry.options ? undefined : didYouMean(name, BESIDE_TYPE)
      report({
        path: [...place, name],
        message: `Unknown option "${name}" beside "options"`,
        suggestion: suggestion ?? 'move it into options',
      })
    }
  }
  const written = isNested ? options : flat
  const input = isObject(written) ? { ...pickUnwritten(defaults, entry.options, written), ...written } : written
  const parsed = parseOptions(entry, input, isNested ? [...place, 'options'] : place)
  for (const problem of [...parsed.problems, ...parsed.warnings]) report(problem)
  return planned(entry, parsed.options)
}

/**
 * Finds the place of an option, under `options` or beside `type`, and as it is spelled.
 * @param problem its path begins with `source` or `sink`, and then names the option
 */
export function placeProblem(
  problem: OptionProblem,
  { value, place }: Block,
  { component }: PlannedComponent,
): OptionProblem {
  const [kind, name] = problem.path as [string, string]
  const entries: readonly CatalogEntry<unknown>[] = kind === 'source' ? SOURCES : SINKS
  const field = entries.find((entry) => entry.name === component)?.options[name]
  if (field === undefined || !isObject(value)) return { ...problem, path: [...place, ...problem.path.slice(1)] }
  const nested = isObject(value['options']) ? value['options'] : undefined
  const spelling = writtenName(name, field, nested ?? value)
  return {
    ...problem,
    path: [...place, ...(nested === undefined ? [] : ['options']), ...(spelling === undefined ? [] : [spelling])],
  }
}
