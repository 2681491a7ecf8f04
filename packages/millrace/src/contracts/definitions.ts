/**
 * How a source or a sink is defined: options, documentation, examples and factory together. Parsing, lint, JSON Schema and
 * reference pages are derived from it.
 *
 * The other files of this folder are the contracts between the engine and the components, one a file. May import `records/`,
 * `options/`, `metrics/` and `errors/` only.
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

/** Where a component reads or writes, in a form in which two of them can be compared. */
export interface Endpoints {
  /** Topics that it reads or writes; none where it does not work on a Kafka cluster. */
  readonly topics: readonly string[]
  /** Some brokers of the cluster, as `host:port`; none where it does not work on one. */
  readonly brokers: readonly string[]
  /** Whether what it writes, or the offsets of what it read, can be part of a transaction of the cluster. */
  readonly joinsTransactions: boolean
  /** The file that it reads or writes as it goes, as the pipeline file names it; undefined where it does not work on one. */
  readonly file?: string | undefined
  /** Whether it removes what is in that file. */
  readonly replacesFile?: boolean
}

/** Of a component that works on no Kafka cluster. */
export const NO_ENDPOINTS: Endpoints = { topics: [], brokers: [], joinsTransactions: false }

/** What sources and sinks say about themselves before they are created. */
export interface Connecting<F extends Fields> {
  /**
   * Where it reads or writes. Undefined for components that work on neither a Kafka cluster nor a file.
   * @param options those that could be read: of a file with problems, some may be missing
   */
  endpoints?(options: Partial<Options<F>>): Endpoints
}

/** @param options those that could be read */
export function endpointsOf(definition: Connecting<Fields>, options: Options<Fields>): Endpoints {
  return definition.endpoints?.(options) ?? NO_ENDPOINTS
}

export interface SourceDefinition<F extends Fields = Fields> extends Documented<F>, Connecting<F> {
  readonly kind: 'source'
  create(options: Options<F>, context: ComponentContext): Promise<Source> | Source
}

export interface SinkDefinition<F extends Fields = Fields> extends Documented<F>, Connecting<F> {
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
