/** A source of the hub: a pipeline from its connector to a topic of the hub. */
import { KAFKA_SINK } from '../../catalog.ts'
import { codecNameOfClass, isSchemaCodec } from '../../contracts/codec-names.ts'
import type { PipelinePlan, PlannedComponent } from '../../engine/plan.ts'
import { sharedTopic } from '../loops.ts'
import {
  type Place,
  type Surroundings,
  readEntry,
  SOURCE,
  readConnector,
  hubOf,
  hubComponent,
  written,
  planOf,
  stage,
  deadLetters,
  rateLimit,
} from './entry.ts'
import { sourceFields } from './fields.ts'
import { splitTransforms } from './transforms.ts'

/** Whether values have a schema, so that events hold what they mean and not their bytes. */
function isDecoded({ options }: PlannedComponent): boolean {
  const { valueDeserializer } = options as { readonly valueDeserializer?: unknown }
  return typeof valueDeserializer === 'string' && isSchemaCodec(codecNameOfClass(valueDeserializer))
}

/** A pipeline from a source to the hub; undefined when it is turned off or has problems. */
export function readSource(value: unknown, place: Place, name: string, around: Surroundings): PipelinePlan | undefined {
  const entry = readEntry(sourceFields, value, place, around, SOURCE)
  if (entry === undefined) return undefined
  const { topic, topic_config: topicConfig, rate_limit: rate } = entry
  const source = readConnector(SOURCE, entry, place, around)
  const hub = source && hubOf(source.component, around, place)
  if (source === undefined || hub === undefined) return undefined
  const { kafka } = source
  const {
    auto_create: autoCreate = true,
    default_partitions: partitions = 1,
    default_replication_factor: replicas,
  } = around.settings?.topic ?? {}
  const sink = hubComponent(
    KAFKA_SINK,
    {
      ...hub,
      topic,
      acks: 'all',
      createTopic:
        (topicConfig?.auto_create ?? autoCreate)
          ? {
              partitions: topicConfig?.partitions ?? partitions,
              replicationFactor: topicConfig?.replication_factor ?? replicas,
            }
          : undefined,
    },
    place,
    around,
  )
  if (sink === undefined) return undefined
  const { stream_name: stream, namespace } = source.component.options as {
    readonly stream_name?: string
    readonly namespace?: string
  }
  const spec =
    kafka === undefined
      ? { stream: stream ?? name, namespace, includePosition: false }
      : {
          stream: kafka.topic,
          namespace: 'kafka',
          includeKey: kafka.include_key,
          includeHeaders: kafka.include_headers,
        }
  if (sharedTopic(sink.endpoints, source.component.endpoints) !== undefined) {
    around.report({
      path: [...place, 'topic'],
      message: `Cannot write events to topic "${topic}" as the source also reads it, so each event would come back`,
      suggestion: 'use another topic, or another broker for the hub',
    })
    return undefined
  }
  const { stages, events } = splitTransforms(written(value, 'transforms'), place, 'stages first', around)
  return planOf(name, place, entry, around, {
    source: source.component,
    stages: [
      ...stages,
      stage('$toEvent', { ...spec, decoded: isDecoded(source.component), transforms: events }, place),
    ],
    sink,
    errorPolicy: deadLetters(entry.dead_letter_topic, hub, { source: source.component, sink }, place, around),
    rateLimit:
      rate &&
      rateLimit(rate.events_per_second, rate.burst_size === 0 ? undefined : rate.burst_size, rate.max_in_flight),
  })
}
