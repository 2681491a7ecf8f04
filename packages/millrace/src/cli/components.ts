/**
 * All components as `list`, `info`, `spec` and the reference pages show them; from the catalog, so nothing is named here.
 */
import { SINKS, SOURCES } from '../catalog.ts'
import { KAFKA_CONNECTORS } from '../dialects/connectors/fields.ts'
import { kafkaSinkConnector } from '../dialects/connectors/kafka-sink.ts'
import { kafkaSourceConnector } from '../dialects/connectors/kafka-source.ts'
import { ConfigError } from '../errors/index.ts'
import { FUNCTION_ALIASES, FUNCTIONS } from '../functions/index.ts'
import type { Fields } from '../options/declaration.ts'
import { didYouMean } from '../options/suggest.ts'
import { STAGE_NAMES, STAGES } from '../stages/definitions/index.ts'

/** An example of its options; for some with rows that come in and go out. */
export interface ComponentExample {
  readonly title: string
  /** Of a stage whatever stands below its name. */
  readonly options: unknown
  readonly have?: readonly unknown[]
  readonly want?: readonly unknown[]
}

export interface ListedComponent {
  /** How a file speaks of it: as its source, its sink, a stage, the function of a stage, or a connector. */
  readonly kind: 'source' | 'sink' | 'stage' | 'function' | 'connector'
  /** What it is by nature; there may be two functions of one name. */
  readonly role: 'source' | 'transform' | 'sink'
  readonly name: string
  /** Other names that files may use. */
  readonly aliases: readonly string[]
  readonly summary: string
  /** What a stage takes, where that is not just options. */
  readonly takes?: string
  readonly options: Fields
  readonly load: () => Promise<{ readonly examples?: readonly ComponentExample[] }>
}

export const COMPONENTS: readonly ListedComponent[] = [
  ...SOURCES.map((entry) => ({ ...entry, kind: 'source' as const, role: 'source' as const, aliases: [] })),
  ...SINKS.map((entry) => ({ ...entry, kind: 'sink' as const, role: 'sink' as const, aliases: [] })),
  connector('source', kafkaSourceConnector),
  connector('sink', kafkaSinkConnector),
  ...STAGE_NAMES.map((name): ListedComponent => {
    const { summary, takes, options = {}, examples } = STAGES[name]
    const load = async (): ReturnType<ListedComponent['load']> => ({
      examples: examples.map(({ spec, ...example }) => ({ ...example, options: spec })),
    })
    return {
      kind: 'stage',
      role: 'transform',
      name,
      aliases: [],
      summary,
      takes,
      options,
      load,
    }
  }),
  ...FUNCTIONS.map(({ kind: role, name, summary, options, examples = [] }) => ({
    kind: 'function' as const,
    role,
    name,
    aliases: Object.keys(FUNCTION_ALIASES).filter((alias) => FUNCTION_ALIASES[alias] === name),
    summary,
    options,
    load: async () => ({ examples }),
  })),
]

function connector(
  role: 'source' | 'sink',
  { name, examples, ...rest }: typeof kafkaSourceConnector | typeof kafkaSinkConnector,
): ListedComponent {
  const aliases = KAFKA_CONNECTORS[role].filter((alias) => alias !== name)
  return { kind: 'connector', role, name, aliases, ...rest, load: async () => ({ examples }) }
}

/** Name for people: `source kafka`, and `function kafka (sink)` where there are two. */
export function titleOf(component: ListedComponent): string {
  const { kind, role, name } = component
  return `${kind} ${name}${isOnly(component) ? '' : ` (${role})`}`
}

/** Name by which `info` and `spec` find it alone: `source.kafka`, and `function.kafka.sink` where there are two. */
export function referenceOf(component: ListedComponent): string {
  const { kind, role, name } = component
  return `${kind}.${name}${isOnly(component) ? '' : `.${role}`}`
}

function isOnly({ kind, name }: ListedComponent): boolean {
  return COMPONENTS.filter((other) => other.kind === kind && other.name === name).length === 1
}

/**
 * The components that a name may mean: `kafka` is a source and a sink, `sink.kafka` one of them. Stages also go without
 * their dollar sign, which a shell would take for a variable.
 * @throws {ConfigError} when there is none
 */
export function findComponents(text: string): readonly ListedComponent[] {
  const found = COMPONENTS.filter((component) => namesOf(component).includes(text))
  if (found.length > 0) return found
  throw new ConfigError(
    `Unknown component "${text}": ${didYouMean(text, COMPONENTS.flatMap(namesOf)) ?? 'millrace list shows all of them'}`,
  )
}

function namesOf(component: ListedComponent): readonly string[] {
  const { kind, name, aliases } = component
  const names = kind === 'stage' ? [name, name.slice(1)] : kind === 'function' ? [name, ...aliases] : [name]
  return [...names, ...names.map((one) => `${kind}.${one}`), referenceOf(component)]
}
