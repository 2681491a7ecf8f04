/** A sink of the hub: a pipeline from topics of the hub to its connector. */
import { KAFKA_SOURCE } from '../../catalog.ts'
import type { PipelinePlan } from '../../engine/plan.ts'
import { deliveryDefaults } from '../delivery.ts'
import { fileProblems } from '../files.ts'
import { sharedTopic } from '../loops.ts'
import {
  type Place,
  type Surroundings,
  readEntry,
  SINK,
  readConnector,
  hubOf,
  hubComponent,
  written,
  planOf,
  stage,
  deadLetters,
  deliveryOf,
  rateLimit,
} from './entry.ts'
import { sinkFields } from './fields.ts'
import { splitTransforms } from './transforms.ts'

/** A pipeline from the hub to a sink; undefined when it is turned off or has problems. */
export function readSink(value: unknown, place: Place, name: string, around: Surroundings): PipelinePlan | undefined {
  const entry = readEntry(sinkFields, value, place, around, SINK)
  if (entry === undefined) return undefined
  const { topics, consumer_group: groupId, start_offset: autoOffsetReset, rate_limit: rate } = entry
  const sink = readConnector(SINK, entry, place, around)
  const hub = sink && hubOf(sink.component, around, place)
  if (sink === undefined || hub === undefined) return undefined
  const { kafka } = sink
  const delivery = deliveryOf(sink.component)
  const {
    auto_create: autoCreate = true,
    default_partitions: partitions = 1,
    default_replication_factor: replicationFactor,
  } = around.settings?.topic ?? {}
  const source = hubComponent(
    KAFKA_SOURCE,
    {
      ...hub,
      topic: topics,
      groupId,
      autoOffsetReset,
      createTopic: autoCreate ? { partitions, replicationFactor } : undefined,
      ...deliveryDefaults(delivery).source,
    },
    place,
    around,
  )
  if (source === undefined) return undefined
  const loop = sharedTopic(sink.component.endpoints, source.endpoints)
  if (loop !== undefined) {
    around.report({
      path: [...place, 'config', 'topic'],
      message: `Cannot write to topic "${loop}" of the hub as this sink also reads it, so each record would come back`,
      suggestion: 'use another topic, or another broker for the hub',
    })
    return undefined
  }
  for (const problem of fileProblems(sink.component, { source, directory: around.directory }))
    around.report({ ...problem, path: [...place, 'config', ...problem.path] })
  const { events, stages } = splitTransforms(written(value, 'transforms'), place, 'events first', around)
  const spec = {
    keyField: kafka?.key_field,
    customHeaders: kafka?.custom_headers,
    includeHeaders: kafka?.include_headers,
    transforms: events,
  }
  return planOf(name, place, entry, around, {
    source,
    stages: [stage('$fromEvent', spec, place), ...stages],
    sink: sink.component,
    delivery,
    errorPolicy: deadLetters(entry.dead_letter_topic, hub, { source, sink: sink.component }, place, around),
    rateLimit: rate && rateLimit(rate.events_per_second, rate.burst_capacity, 0),
  })
}
