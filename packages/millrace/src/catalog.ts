/**
 * The one list of built-in components.
 *
 * Names, options and rules are here at once, so that `lint` can check a file in a few milliseconds; what a component is
 * made of is loaded when a pipeline needs it. No component registers itself: what is not in this file does not exist.
 */
import type { Documents } from './contracts/codec.ts'
import { endpointsOf, type Connecting, type SinkDefinition, type SourceDefinition } from './contracts/definitions.ts'
import type { Sink } from './contracts/sink.ts'
import type { Source } from './contracts/source.ts'
import type { Stage } from './contracts/stage.ts'
import type { Components, PlannedComponent, PlannedStage, ValuesNeeded } from './engine/plan.ts'
import { ConfigError } from './errors/index.ts'
import { kafkaEndpoints } from './kafka/properties/endpoints.ts'
import type { Fields, OptionRule } from './options/declaration.ts'
import { didYouMean } from './options/suggest.ts'
import { fileSinkDefinition } from './sinks/file/options.ts'
import { kafkaSinkFields, kafkaSinkRules } from './sinks/kafka/options.ts'
import { stdoutSinkDefinition } from './sinks/stdout/options.ts'
import { datagenFields, datagenRules } from './sources/datagen/options.ts'
import { fileSourceDefinition } from './sources/file/options.ts'
import { generateSourceDefinition } from './sources/generate/options.ts'
import { kafkaSourceFields, kafkaSourceRules } from './sources/kafka/options.ts'

/** A component as far as it is known without loading it. */
export interface CatalogEntry<D> extends Connecting<Fields> {
  readonly name: string
  readonly summary: string
  readonly options: Fields
  readonly rules?: readonly OptionRule[]
  load(): Promise<D>
}

/** What dialects make of the clusters and topics that a file names in words of its own. */
export const KAFKA_SOURCE: CatalogEntry<SourceDefinition> = {
  name: 'kafka',
  summary: 'Reads one or more topics as a member of a consumer group.',
  options: kafkaSourceFields,
  rules: kafkaSourceRules,
  endpoints: kafkaEndpoints,
  load: async () => (await import('./sources/kafka/index.ts')).kafkaSource,
}

export const KAFKA_SINK: CatalogEntry<SinkDefinition> = {
  name: 'kafka',
  summary: 'Writes to a topic.',
  options: kafkaSinkFields,
  rules: kafkaSinkRules,
  endpoints: kafkaEndpoints,
  load: async () => (await import('./sinks/kafka/index.ts')).kafkaSink,
}

export const FILE_SINK: CatalogEntry<SinkDefinition> = {
  ...fileSinkDefinition,
  load: async () => (await import('./sinks/file/index.ts')).fileSink,
}

export const FILE_SOURCE: CatalogEntry<SourceDefinition> = {
  ...fileSourceDefinition,
  load: async () => (await import('./sources/file/index.ts')).fileSource,
}

export const GENERATE_SOURCE: CatalogEntry<SourceDefinition> = {
  ...generateSourceDefinition,
  load: async () => (await import('./sources/generate/index.ts')).generateSource,
}

export const SOURCES: readonly CatalogEntry<SourceDefinition>[] = [
  KAFKA_SOURCE,
  FILE_SOURCE,
  GENERATE_SOURCE,
  {
    name: 'datagen',
    summary: 'Generates records of several kinds at a steady rate.',
    options: datagenFields,
    rules: datagenRules,
    load: async () => (await import('./sources/datagen/index.ts')).datagenSource,
  },
]

const STDOUT_SINK: CatalogEntry<SinkDefinition> = {
  ...stdoutSinkDefinition,
  load: async () => (await import('./sinks/stdout/index.ts')).stdoutSink,
}

export const SINKS: readonly CatalogEntry<SinkDefinition>[] = [KAFKA_SINK, FILE_SINK, STDOUT_SINK]

/** The built-in components, as the engine asks for them. */
export const catalog: Components = {
  async source(name) {
    return find(SOURCES, name, 'source').load()
  },
  async sink(name) {
    return find(SINKS, name, 'sink').load()
  },
  async stage({ name, spec, path }: PlannedStage, warn): Promise<Stage> {
    if (!name.startsWith('$')) {
      const { createFunctionStage } = await import('./functions/in-line.ts')
      return createFunctionStage(name, spec, path, warn)
    }
    const { createStage } = await import('./stages/index.ts')
    return createStage(name, spec, path)
  },
  async function(kind, name) {
    const { findFunctions } = await import('./functions/index.ts')
    const definition = findFunctions(name).find((one) => one.kind === kind)
    if (definition === undefined) throw new ConfigError(`There is no ${kind} function "${name}"`)
    return definition
  },
  async documents(
    source: Pick<Source, 'valueCodec' | 'keyCodec' | 'valueSchema' | 'keySchema'>,
    sink: Pick<Sink, 'valueCodec' | 'keyCodec' | 'valueSchema' | 'keySchema' | 'keyField' | 'includeMeta'>,
    stages: readonly PlannedStage[],
    needs: ValuesNeeded,
  ): Promise<Documents | undefined> {
    const [{ codecByName, createDocuments, keyCodecByName }, { mentionsMeta }] = await Promise.all([
      import('./codecs/index.ts'),
      import('./stages/meta.ts'),
    ])
    return createDocuments({
      from: codecByName(source.valueCodec, 'source', source.valueSchema),
      to: codecByName(sink.valueCodec, 'sink', sink.valueSchema),
      keysFrom: keyCodecByName(source.keyCodec, 'source', source.keySchema),
      keysTo: keyCodecByName(sink.keyCodec, 'sink', sink.keySchema),
      ...needs,
      mentionsMeta: mentionsMeta(stages),
      includeMeta: sink.includeMeta,
      keyField: sink.keyField,
    })
  },
}

/** A component as a plan names it. @param options as they were read, without problems or with them */
export function planned(
  entry: Pick<CatalogEntry<unknown>, 'name' | 'endpoints'>,
  options: PlannedComponent['options'],
): PlannedComponent {
  return { component: entry.name, options, endpoints: endpointsOf(entry, options) }
}

function find<D>(entries: readonly CatalogEntry<D>[], name: string, kind: string): CatalogEntry<D> {
  const entry = entries.find((one) => one.name === name)
  if (entry !== undefined) return entry
  const names = entries.map((one) => one.name)
  throw new ConfigError(`Unknown ${kind} "${name}": ${didYouMean(name, names) ?? `there are ${names.join(', ')}`}`)
}
