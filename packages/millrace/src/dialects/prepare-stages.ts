/**
 * What the file says beside its stages and the stages refer to: `globals` (`$$GLOBALS.rate`) and `collections` (`$lookup`).
 * Both are put into the stages here, so that nothing behind knows of them.
 */
import { resolve } from 'node:path'
import type { ConfigProblem } from '../errors/index.ts'
import { didYouMean } from '../options/suggest.ts'
import { describeValue, isObject } from '../options/values.ts'

const GLOBAL = /^\$\$GLOBALS(?:\.(.+))?$/

/** @param directory against which files of collections are resolved */
export interface StageSurroundings {
  readonly globals: unknown
  readonly collections: unknown
  readonly directory: string
}

/** @param path where the stages stand; put before the path of every problem */
export function prepareStages(
  stages: unknown,
  path: string,
  { globals, collections, directory }: StageSurroundings,
): { readonly stages: unknown; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = []
  if (globals !== undefined && globals !== null && !isObject(globals))
    problems.push({
      path: 'globals',
      message: `Cannot read globals as it must be an object: found ${describeValue(globals)}`,
    })
  const known = readCollections(collections, directory, problems)
  const prepare = (value: unknown, place: string): unknown => {
    if (typeof value === 'string') return globalOf(value, globals, place, problems)
    if (Array.isArray(value)) return value.map((item, i) => prepare(item, `${place}.${i}`))
    if (!isObject(value)) return value
    const copy = Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, prepare(item, `${place}.${name}`)]),
    )
    const { $lookup: lookup } = copy
    if (isObject(lookup) && typeof lookup['from'] === 'string' && known.has(lookup['from']))
      return { ...copy, $lookup: { ...lookup, from: known.get(lookup['from']) } }
    return copy
  }
  return { stages: prepare(stages, path), problems }
}

/** The value that `$$GLOBALS.a.b` stands for, safe from being read as an expression. */
function globalOf(text: string, globals: unknown, path: string, problems: ConfigProblem[]): unknown {
  const match = GLOBAL.exec(text)
  if (match === null) return text
  let value: unknown = globals ?? {}
  for (const name of match[1]?.split('.') ?? []) {
    const names = isObject(value) ? Object.keys(value) : []
    if (!isObject(value) || !Object.hasOwn(value, name)) {
      problems.push({
        path,
        message: `There is no "${name}" in globals, which ${text} asks for`,
        suggestion: didYouMean(name, names) ?? 'add it under globals',
      })
      return null
    }
    value = value[name]
  }
  const isPlain =
    typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && !value.startsWith('$'))
  return isPlain ? value : { $literal: value }
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
