/** A bridge: a pipeline from a connector straight to another one, past the hub. */
import { type PipelinePlan, FAIL } from '../../engine/plan.ts'
import { isObject } from '../../options/values.ts'
import { deliveryDefaults } from '../delivery.ts'
import { fileProblems } from '../files.ts'
import { sharedTopic } from '../loops.ts'
import {
  type Place,
  type Surroundings,
  readEntry,
  readConnector,
  deliveryOf,
  SINK,
  SOURCE,
  written,
  planOf,
  rateLimit,
} from './entry.ts'
import { bridgeFields } from './fields.ts'
import { splitTransforms } from './transforms.ts'

/** A pipeline from a source straight to a sink, records as they are; undefined when it is turned off or has problems. */
export function readBridge(value: unknown, place: Place, name: string, around: Surroundings): PipelinePlan | undefined {
  const entry = readEntry(bridgeFields, value, place, around)
  if (entry === undefined) return undefined
  const keyField = keyFieldOf(entry.sink.config)
  const ofField = keyField === undefined ? {} : { keyField }
  const sink = readConnector(SINK, entry.sink, [...place, 'sink'], around, ofField)
  const delivery = sink === undefined ? 'at_least_once' : deliveryOf(sink.component)
  const ofDelivery = choosesIsolation(entry.source.config) ? {} : deliveryDefaults(delivery).source
  const source = readConnector(SOURCE, entry.source, [...place, 'source'], around, ofDelivery)
  if (source === undefined || sink === undefined) return undefined
  for (const option of ['custom_headers', 'include_headers'] as const)
    if (sink.kafka?.[option] !== undefined && sink.kafka[option] !== false)
      around.report({
        path: [...place, 'sink', 'config', option],
        message: `Cannot use ${option} in a bridge, which forwards headers unchanged`,
        suggestion: 'use a source and a sink, with the hub between them',
      })
  const { stages } = splitTransforms(written(value, 'transforms'), place, 'stages only', around)
  const loop = sharedTopic(sink.component.endpoints, source.component.endpoints)
  if (loop !== undefined)
    around.report({
      path: [...place, 'sink', 'config', 'topic'],
      message: `Source and sink are both topic "${loop}", so the bridge reads what it writes`,
      // Stages may end the circle, for instance with a filter; without any, each record would be copied for ever.
      ...(stages.length > 0 ? { warning: true } : { suggestion: 'use another topic, or another broker' }),
    })
  for (const problem of fileProblems(sink.component, { source: source.component, directory: around.directory }))
    around.report({ ...problem, path: [...place, 'sink', 'config', ...problem.path] })
  const rate = entry.rate_limit
  return planOf(name, place, entry, around, {
    source: source.component,
    stages,
    sink: sink.component,
    delivery,
    errorPolicy: FAIL,
    rateLimit:
      rate &&
      rateLimit(rate.events_per_second, rate.burst_size === 0 ? undefined : rate.burst_size, rate.max_in_flight),
  })
}

/** Whether a source says which records it reads, so that a guarantee gives it no other default. */
function choosesIsolation(config: unknown): boolean {
  if (!isObject(config)) return false
  const { isolation_level: level, properties } = config
  return level !== undefined || (isObject(properties) && ('isolation.level' in properties || 'isolation' in properties))
}

function keyFieldOf(config: unknown): unknown {
  return typeof config === 'object' && config !== null
    ? ((config as { readonly key_field?: unknown }).key_field ?? undefined)
    : undefined
}
