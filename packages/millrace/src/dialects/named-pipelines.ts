/**
 * Lists of stages with a name, which `$subPipeline` runs:
 *
 * ```yaml
 * pipelines:
 *   - { name: clean, version: 1.2.0, stages: [...] }     # or a map: { clean: [...], trim@2: {stages: [...]} }
 * stages:
 *   - $subPipeline: [clean@1.2.0, { pipeline: trim, globals: { size: 10 }, input: $order, onError: skip }]
 * ```
 *
 * A name without a version means the highest one.
 */
import type { ConfigProblem } from '../errors/index.ts'
import { field } from '../options/fields.ts'
import { parseOptions } from '../options/parse.ts'
import { didYouMean } from '../options/suggest.ts'
import { describeValue, isObject, isScalar } from '../options/values.ts'
import { toConfigProblem } from './problems.ts'

export interface NamedPipeline {
  readonly name: string
  readonly version: string | undefined
  readonly stages: unknown
  /** Where its stages stand. */
  readonly path: string
}

/** Options of an entry of the section. */
export const namedPipelineFields = {
  name: field.string().doc('Name by which `$subPipeline` refers to it.').example('clean'),
  version: field
    .scalar()
    .optional()
    .doc('Version, such as `1.2.0`. A `$subPipeline` without a version takes the highest one.')
    .example('1.2.0'),
  stages: field
    .any()
    .aliases('pipeline')
    .doc('Its stages.')
    .example([{ $unset: 'draft' }]),
}

export class NamedPipelines {
  readonly #list: readonly NamedPipeline[]

  constructor(list: readonly NamedPipeline[]) {
    this.#list = list
  }

  [Symbol.iterator](): Iterator<NamedPipeline> {
    return this.#list[Symbol.iterator]()
  }

  /** The one of a reference, `name` or `name@version`; else why there is none. */
  find(reference: string): NamedPipeline | { readonly message: string; readonly suggestion: string } {
    const [name, version] = nameAndVersion(reference)
    const versions = this.#list.filter((one) => one.name === name)
    const found =
      version === undefined
        ? versions.toSorted((a, b) => compareVersions(b.version, a.version))[0]
        : versions.find((one) => one.version === version)
    if (found !== undefined) return found
    if (versions.length > 0)
      return {
        message: `Unknown version "${version}" of pipeline "${name}"`,
        suggestion: `there are ${versions.map((one) => `"${one.version ?? 'without a version'}"`).join(', ')}`,
      }
    const names = this.#list.map((one) => one.name)
    return {
      message: `Unknown pipeline "${name}"`,
      suggestion: didYouMean(name, names) ?? 'add it under pipelines, or write its stages here: {pipeline: [...]}',
    }
  }
}

export function readNamedPipelines(value: unknown, problems: ConfigProblem[]): NamedPipelines {
  const list: NamedPipeline[] = []
  const add = (entry: unknown, place: readonly (string | number)[], inside: string): void => {
    const { options, problems: found } = parseOptions({ options: namedPipelineFields }, entry, place)
    problems.push(...found.map(toConfigProblem))
    if (found.length > 0) return
    const [name, ofName] = nameAndVersion(options.name)
    const version = options.version === undefined ? ofName : String(options.version)
    if (list.some((one) => one.name === name && one.version === version))
      problems.push({
        path: place.join('.'),
        message: `There are two pipelines "${name}"${version === undefined ? '' : ` of version "${version}"`}`,
        suggestion: 'give each a version of its own',
      })
    else
      list.push({
        name,
        version,
        stages: options.stages,
        path: [...place, ...(inside === '' ? [] : [inside])].join('.'),
      })
  }
  if (value === undefined || value === null) return new NamedPipelines(list)
  if (Array.isArray(value)) value.forEach((entry: unknown, i) => add(entry, ['pipelines', i], stagesKey(entry)))
  else if (isObject(value)) {
    for (const [name, entry] of Object.entries(value)) {
      if (Array.isArray(entry)) add({ name, stages: entry as unknown[] }, ['pipelines', name], '')
      else add(isObject(entry) ? { name, ...entry } : entry, ['pipelines', name], stagesKey(entry))
    }
  } else
    problems.push({
      path: 'pipelines',
      message: `Cannot read pipelines as it must be a list or an object: found ${describeValue(value)}`,
      suggestion: 'write - {name: clean, stages: [...]}',
    })
  return new NamedPipelines(list)
}

function stagesKey(entry: unknown): string {
  return isObject(entry) && !('stages' in entry) && 'pipeline' in entry ? 'pipeline' : 'stages'
}

/** How a pipeline is asked for, when its version stands beside its name. */
export function referenceOf(name: string, version: unknown): string {
  if (version === undefined || version === null) return name
  return `${name}@${isScalar(version) ? String(version) : describeValue(version)}`
}

function nameAndVersion(reference: string): [name: string, version: string | undefined] {
  const at = reference.lastIndexOf('@')
  return at <= 0 ? [reference, undefined] : [reference.slice(0, at), reference.slice(at + 1)]
}

/** By their numbers from left to right; a pre-release (`1.0.0-beta`) comes before its release, and no version before all. */
export function compareVersions(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1)
  const [ours, theirs] = [partsOf(a), partsOf(b)]
  for (let i = 0; i < Math.max(ours.numbers.length, theirs.numbers.length); i++) {
    const difference = (ours.numbers[i] ?? 0) - (theirs.numbers[i] ?? 0)
    if (difference !== 0 && !Number.isNaN(difference)) return difference
  }
  if (ours.preRelease === '' || theirs.preRelease === '')
    return (ours.preRelease === '' ? 1 : 0) - (theirs.preRelease === '' ? 1 : 0)
  return ours.preRelease.localeCompare(theirs.preRelease, 'en', { numeric: true })
}

function partsOf(version: string): { readonly numbers: readonly number[]; readonly preRelease: string } {
  const [numbers, ...rest] = version.replace(/^v/, '').split('-')
  return { numbers: numbers!.split('.').map(Number), preRelease: rest.join('-') }
}
