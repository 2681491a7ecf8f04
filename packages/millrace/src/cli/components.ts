/**
 * All components as `list`, `info`, `spec` and the reference pages show them; from the catalog, so nothing is named here.
 */
import { SINKS, SOURCES } from '../catalog.ts'
import { ConfigError } from '../errors/index.ts'
import type { Fields } from '../options/fields.ts'
import { didYouMean } from '../options/suggest.ts'

export interface ListedComponent {
  readonly kind: 'source' | 'sink'
  readonly name: string
  readonly summary: string
  readonly options: Fields
  readonly load: () => Promise<{
    readonly examples?: readonly { readonly title: string; readonly options: { readonly [name: string]: unknown } }[]
  }>
}

export const COMPONENTS: readonly ListedComponent[] = [
  ...SOURCES.map((entry) => ({ ...entry, kind: 'source' as const })),
  ...SINKS.map((entry) => ({ ...entry, kind: 'sink' as const })),
]

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
