/**
 * How a source or a sink is defined: options, documentation, examples and factory together. Parsing, lint, JSON Schema and
 * reference pages are derived from it.
 *
 * The other files of this folder are the contracts between the engine and the components, one a file. May import `records/`,
 * `options/` and `errors/` only.
 */
import type { Fields, Options, OptionRule } from '../options/declaration.ts'
import type { ComponentContext } from './context.ts'
import type { Sink } from './sink.ts'
import type { Source } from './source.ts'

export interface Documented<F extends Fields> {
  /** Name under which pipeline files ask for it. */
  readonly name: string
  /** One sentence in the third person. */
  readonly summary: string
  readonly options: F
  readonly rules?: readonly OptionRule<F>[]
  readonly examples?: readonly { readonly title: string; readonly options: { readonly [name: string]: unknown } }[]
}

export interface SourceDefinition<F extends Fields = Fields> extends Documented<F> {
  readonly kind: 'source'
  create(options: Options<F>, context: ComponentContext): Promise<Source> | Source
}

export interface SinkDefinition<F extends Fields = Fields> extends Documented<F> {
  readonly kind: 'sink'
  create(options: Options<F>, context: ComponentContext): Promise<Sink> | Sink
}

/** Defines a source; infers the type of its options. */
export function defineSource<const F extends Fields>(
  definition: Omit<SourceDefinition<F>, 'kind'>,
): SourceDefinition<F> {
  return { ...definition, kind: 'source' }
}

/** Defines a sink; infers the type of its options. */
export function defineSink<const F extends Fields>(definition: Omit<SinkDefinition<F>, 'kind'>): SinkDefinition<F> {
  return { ...definition, kind: 'sink' }
}
