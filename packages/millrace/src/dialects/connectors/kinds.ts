/**
 * The connectors by kind, as the catalog has them; and of which kind one is that is a file of its own.
 */
import { KAFKA_SINK, KAFKA_SOURCE, SINKS, SOURCES, type CatalogEntry } from '../../catalog.ts'
import type { Fields } from '../../options/declaration.ts'
import { nameTable } from '../../options/spellings.ts'
import { closest } from '../../options/suggest.ts'
import { isObject } from '../../options/values.ts'
import { KAFKA_CONNECTORS, sinkFields, sourceFields } from './fields.ts'
import { kafkaSinkConfig } from './kafka-sink.ts'
import { kafkaSourceConfig } from './kafka-source.ts'

export type Kind = 'source' | 'sink'

const KINDS: readonly Kind[] = ['source', 'sink']

/** A connector as files name it. */
export interface ListedConnector {
  readonly names: readonly string[]
  /** What it is in the catalog. */
  readonly entry: CatalogEntry<unknown>
  /** Options under its `config`: those of the catalog, but for Kafka, which Rivven has words of its own for. */
  readonly options: Fields
  /** Name of the schema of these. */
  readonly schema: string
}

export const CONNECTORS: { readonly [kind in Kind]: readonly ListedConnector[] } = {
  source: [
    {
      names: KAFKA_CONNECTORS.source,
      entry: KAFKA_SOURCE,
      options: kafkaSourceConfig,
      schema: 'connector.kafka-source',
    },
    ...SOURCES.filter((entry) => entry !== KAFKA_SOURCE).map((entry) => listed('source', entry)),
  ],
  sink: [
    {
      names: KAFKA_CONNECTORS.sink,
      entry: KAFKA_SINK,
      options: kafkaSinkConfig,
      schema: 'connector.kafka-sink',
    },
    ...SINKS.filter((entry) => entry !== KAFKA_SINK).map((entry) => listed('sink', entry)),
  ],
}

function listed(kind: Kind, entry: CatalogEntry<unknown>): ListedConnector {
  return { names: [entry.name], entry, options: entry.options, schema: `${kind}.${entry.name}` }
}

export function namesOf(kind: Kind): readonly string[] {
  return CONNECTORS[kind].flatMap(({ names }) => names)
}

/** Options of an entry, which differ between the kinds. */
const ENTRY_FIELDS: { readonly [kind in Kind]: Fields } = { source: sourceFields, sink: sinkFields }

/** Names that an entry may have in this kind only. */
export function onlyEntryNames(kind: Kind): readonly string[] {
  return onlyIn(ENTRY_FIELDS[kind], ENTRY_FIELDS[otherThan(kind)])
}

/** Names that the `config` of a connector of both kinds may have in this kind only. */
export function onlyConfigNames(kind: Kind, connector: string): readonly string[] {
  const [own, other] = [find(kind, connector), find(otherThan(kind), connector)]
  return own === undefined || other === undefined ? [] : onlyIn(own.options, other.options)
}

/**
 * The kind of a connector that is a file of its own: its name says it, or an option that only one kind has; `topic`, which both
 * have, means a source. Undefined when none of these says it.
 */
export function kindOf(connector: { readonly [name: string]: unknown }): Kind | undefined {
  const { type, connector: alias, config } = connector
  const written = String(type ?? alias)
  const name = closest(written, [...namesOf('source'), ...namesOf('sink')]) ?? written
  const own = isObject(config) ? config : {}
  return (
    only((kind) => find(kind, name) !== undefined) ??
    only((kind) => onlyEntryNames(kind).some((option) => option in connector)) ??
    only((kind) => onlyConfigNames(kind, name).some((option) => option in own)) ??
    ('topic' in connector ? 'source' : undefined)
  )
}

function find(kind: Kind, name: string): ListedConnector | undefined {
  return CONNECTORS[kind].find(({ names }) => names.includes(name))
}

/** The one kind of which something holds. */
function only(holds: (kind: Kind) => boolean): Kind | undefined {
  const [first, ...more] = KINDS.filter(holds)
  return more.length === 0 ? first : undefined
}

function onlyIn(fields: Fields, others: Fields): readonly string[] {
  const known = nameTable(others)
  return [...nameTable(fields).keys()].filter((name) => !known.has(name))
}

function otherThan(kind: Kind): Kind {
  return kind === 'source' ? 'sink' : 'source'
}
