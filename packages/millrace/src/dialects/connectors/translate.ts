/**
 * From the options of a connector, in the words of Rivven, to those of our component.
 */
import { planned, type CatalogEntry } from '../../catalog.ts'
import type { PlannedComponent } from '../../engine/plan.ts'
import type { Fields, OptionProblem, Options } from '../../options/declaration.ts'
import { parseOptions } from '../../options/parse.ts'
import { writtenName } from '../../options/spellings.ts'
import { SECURITY_NAMES, securityRules } from './security.ts'

export interface Translation<F extends Fields = Fields> {
  readonly fields: F
  /** Name of our option for each of theirs that means the same. */
  readonly names: { readonly [name in keyof F & string]?: string }
  /** Options whose defaults do not hold with the others. */
  withoutDefaults?(config: Options<F>): readonly (keyof F & string)[]
  /** Options that are not just renamed; they win. */
  toOptions(config: Options<F>): { readonly [name: string]: unknown }
}

export type Report = (problem: OptionProblem) => void

type Place = readonly (string | number)[]

/**
 * Reads a `config` and makes our component of it. Problems are told in their words and places.
 * @param more options that do not come from `config`
 * @returns undefined when there are problems
 */
export function translate<F extends Fields>(
  translation: Translation<F>,
  target: CatalogEntry<unknown>,
  config: unknown,
  place: Place,
  report: Report,
  more: { readonly [name: string]: unknown } = {},
): { readonly config: Options<F>; readonly component: PlannedComponent } | undefined {
  const { fields, names } = translation
  const read = parseOptions({ options: fields }, config, place)
  const problems = [...read.problems, ...(read.problems.length === 0 ? securityProblems(read.options, place) : [])]
  for (const problem of [...problems, ...read.warnings]) report(problem)
  if (problems.length > 0) return undefined
  const dropped = (translation.withoutDefaults?.(read.options) ?? []).filter(
    (name) => writtenName(name, fields[name]!, config as { readonly [name: string]: unknown }) === undefined,
  )
  const renamed = Object.entries(names)
    .filter(([theirs]) => !dropped.includes(theirs))
    .map(([theirs, ours]) => [ours as string, read.options[theirs as keyof typeof read.options]])
  const parsed = parseOptions(
    target,
    defined({ ...Object.fromEntries(renamed), ...translation.toOptions(read.options), ...more }),
    place,
  )
  const theirs = new Map(Object.entries(names).map(([name, ours]) => [ours as string, [name]]))
  for (const [ours, name] of Object.entries(SECURITY_NAMES)) theirs.set(ours, ['security', name])
  const located = (problem: OptionProblem): OptionProblem => {
    const [ours, ...rest] = problem.path.slice(place.length)
    const name = theirs.get(String(ours)) ?? (ours === undefined || ours in more ? [] : ['properties', ours])
    return { ...problem, path: [...place, ...name, ...rest] }
  }
  for (const problem of [...parsed.problems, ...parsed.warnings]) report(located(problem))
  if (parsed.problems.length > 0) return undefined
  return { config: read.options, component: planned(target, parsed.options) }
}

/** Rules of the `security` block, which is an object inside the options. */
export function securityProblems(
  options: { readonly [name: string]: unknown },
  place: Place,
): readonly OptionProblem[] {
  const security = options['security']
  if (security === undefined) return []
  return securityRules
    .flatMap((rule) => rule(security as never, () => true) ?? [])
    .map((problem) => ({ ...problem, path: [...place, 'security', ...problem.path] }))
}

function defined(options: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
