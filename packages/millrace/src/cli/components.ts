/**
 * All components as `list`, `info`, `spec` and the reference pages show them; from the catalog, so nothing is named here.
 */
import { SINKS, SOURCES } from '../catalog.ts'
import { ConfigError } from '../errors/index.ts'
import { FUNCTIONS } from '../functions/index.ts'
import type { Fields } from '../options/fields.ts'
import { didYouMean } from '../options/suggest.ts'

/** An example of its options; for some functions with rows that come in and go out. */
export interface ComponentExample {
  readonly title: string
  readonly options: { readonly [name: string]: unknown }
  readonly have?: readonly unknown[]
  readonly want?: readonly unknown[]
}

export interface ListedComponent {
  /** How a file speaks of it: as its source, its sink, or as the function of a stage. */
  readonly kind: 'source' | 'sink' | 'function'
  /** What a function is by nature; there may be two of one name. */
  readonly role: 'source' | 'transform' | 'sink'
  readonly name: string
  readonly summary: string
  readonly options: Fields
  readonly load: () => Promise<{ readonly examples?: readonly ComponentExample[] }>
}

export const COMPONENTS: readonly ListedComponent[] = [
  ...SOURCES.map((entry) => ({ ...entry, kind: 'source' as const, role: 'source' as const })),
  ...SINKS.map((entry) => ({ ...entry, kind: 'sink' as const, role: 'sink' as const })),
  ...FUNCTIONS.map(({ kind: role, name, summary, options, examples = [] }) => ({
    kind: 'function' as const,
    role,
    name,
    summary,
    options,
    load: async () => ({ examples }),
  })),
]

/** Name for people: `source kafka`, and `function kafka (sink)` where there are two. */
export function titleOf({ kind, role, name }: ListedComponent): string {
  const isOne = COMPONENTS.filter((other) => other.kind === kind && other.name === name).length === 1
  return `${kind} ${name}${isOne ? '' : ` (${role})`}`
}

/** How a pipeline file uses it, with some options, in YAML. */
export async function usageOf(
  { kind, role, name }: ListedComponent,
  options: { readonly [name: string]: unknown },
): Promise<string> {
  const { stringify } = await import('yaml')
  if (kind !== 'function') return stringify({ [kind]: { type: name, options } }).trimEnd()
  const inputs = role === 'source' ? {} : { inputs: ['before'] }
  return stringify({
    stages: [{ id: name.replaceAll(/\W/g, '-'), function: name, ...inputs, config: options }],
  }).trimEnd()
}

/**
 * The components that a name may mean: `kafka` is a source and a sink, `sink.kafka` one of them.
 * @throws {ConfigError} when there is none
 */
export function findComponents(text: string): readonly ListedComponent[] {
  const found = COMPONENTS.filter(({ kind, name }) => name === text || `${kind}.${name}` === text)
  if (found.length > 0) return found
  const names = COMPONENTS.flatMap(({ kind, name }) => [name, `${kind}.${name}`])
  throw new ConfigError(`Unknown component "${text}": ${didYouMean(text, names) ?? 'millrace list tells all of them'}`)
}
