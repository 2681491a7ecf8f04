/**
 * The connectors shape (Rivven): sources that write events to topics of a hub, sinks that read them from there.
 *
 * ```yaml
 * broker: { bootstrap_servers: ["localhost:9092"] }
 * sources:
 *   orders: { connector: kafka-source, topic: events, config: { brokers: "kafka1:9092", topic: orders } }
 * sinks:
 *   replica: { connector: kafka-sink, topics: [events], consumer_group: replica, config: { brokers: "kafka2:9092", topic: orders } }
 * bridges:                                          # without hub and events
 *   copy: { source: { connector: kafka-source, config: ... }, sink: { connector: kafka-sink, config: ... } }
 * ```
 *
 * The host has a broker of its own for the hub; here it is a Kafka cluster. Each connector becomes a pipeline, and all of
 * them run together. A single entry of `sources` or `sinks` is a file, too; its hub is then the cluster of the connector.
 */
import type { HttpPlan, PipelineGroup, PipelinePlan } from '../../engine/plan.ts'
import type { ConfigProblem } from '../../errors/index.ts'
import type { OptionProblem } from '../../options/declaration.ts'
import { parseOptions } from '../../options/parse.ts'
import { isObject } from '../../options/values.ts'
import { sharedTopic } from '../loops.ts'
import { Findings } from '../problems.ts'
import { readBridge } from './bridge.ts'
import { brokerFields, fileFields, SWITCHED, SWITCHED_ON } from './fields.ts'
import { hubOptions } from './hub.ts'
import type { Surroundings, ConnectorsContext } from './entry.ts'
import { kindOf, namesOf } from './kinds.ts'
import { isSingleConnector } from './shape.ts'
import { readSink } from './sink.ts'
import { readSource } from './source.ts'

export interface ConnectorsResult {
  /** When there is one; undefined when there are problems. */
  readonly plan: PipelinePlan | undefined
  /** When there are several. */
  readonly group: PipelineGroup | undefined
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
  readonly http: readonly HttpPlan[]
}

/** Makes plans of the content of a file. */
export function readConnectors(value: unknown, context: ConnectorsContext): ConnectorsResult {
  const { problems, warnings, report } = new Findings()
  const isSingle = isObject(value) && isSingleConnector(value)
  const {
    name,
    plans,
    http = [],
  } = isSingle ? readSingle(value, { ...context, report }) : readFile(value, { ...context, report })
  const ready = problems.length === 0 ? linked(plans) : []
  warnings.push(...sharedGroups(ready))
  const group = ready.length > 1 ? { name, file: context.file, pipelines: ready, warnings } : undefined
  return { plan: group === undefined ? ready[0] : undefined, group, problems, warnings, http }
}

type Reporting = ConnectorsContext & Pick<Surroundings, 'report'>

function readFile(
  value: unknown,
  context: Reporting,
): { name: string; plans: PipelinePlan[]; http?: readonly HttpPlan[] } {
  const { options: top, problems, warnings } = parseOptions({ options: fileFields }, value)
  for (const problem of [...problems, ...warnings]) context.report(problem)
  if (!isObject(value) || problems.length > 0) return { name: context.name, plans: [] }
  for (const path of SWITCHED)
    if (isSwitchedOn(value, path)) context.report({ path, message: SWITCHED_ON, warning: true })
  const { broker, settings, name = context.name } = top
  const surroundings: Surroundings = {
    ...context,
    name,
    settings,
    hub: broker === undefined ? undefined : hubOptions(broker, settings, context.report),
  }
  const plans: PipelinePlan[] = []
  for (const [kind, read] of KINDS)
    for (const [entry, content] of Object.entries(top[kind] ?? {})) {
      const plan = read(content, [kind, entry], entry, surroundings)
      if (plan !== undefined) plans.push(plan)
    }
  const entries = KINDS.flatMap(([kind]) => Object.values(top[kind] ?? {}))
  if (entries.every((entry) => isObject(entry) && entry['enabled'] === false))
    context.report({
      path: [],
      message: 'There is nothing to run',
      suggestion: 'add sources, sinks or bridges, and enable at least one',
    })
  return { name, plans, http: endpoints(settings, Object.keys(top.sinks ?? {})) }
}

/** The servers of `settings`. */
function endpoints(settings: Surroundings['settings'], sinks: readonly string[]): readonly HttpPlan[] {
  const { health, metrics } = settings ?? {}
  const ofHealth = { serves: 'health', path: health?.path ?? '', sinks } as const
  return [
    ...(metrics?.enabled === true
      ? [{ host: metrics.host, port: metrics.port, rivven: { serves: 'metrics', path: '/metrics', sinks } as const }]
      : []),
    ...(health?.enabled === true ? [{ host: health.host, port: health.port, rivven: ofHealth }] : []),
  ]
}

const KINDS = [
  ['sources', readSource],
  ['sinks', readSink],
  ['bridges', readBridge],
] as const

/** One entry by itself; it may name the broker of the hub beside its own options. */
function readSingle(
  value: { readonly [name: string]: unknown },
  context: Reporting,
): { name: string; plans: PipelinePlan[]; http?: readonly HttpPlan[] } {
  const { broker, name: given, ...entry } = value
  const name = typeof given === 'string' ? given : context.name
  let hub: Surroundings['hub']
  if (broker !== undefined) {
    const parsed = parseOptions({ options: brokerFields }, broker, ['broker'])
    for (const problem of [...parsed.problems, ...parsed.warnings]) context.report(problem)
    if (parsed.problems.length > 0) return { name, plans: [] }
    hub = hubOptions(parsed.options, undefined, context.report)
  }
  const surroundings: Surroundings = { ...context, name, settings: undefined, hub, isSingle: true }
  const kind = kindOf(entry)
  if (kind === undefined) {
    context.report(unknownKind(entry))
    return { name, plans: [] }
  }
  const plan = (kind === 'source' ? readSource : readSink)(entry, [], name, surroundings)
  return { name, plans: plan === undefined ? [] : [plan] }
}

function unknownKind(entry: { readonly [name: string]: unknown }): OptionProblem {
  const key = 'type' in entry ? 'type' : 'connector'
  const name = String(entry[key])
  const names = [...new Set([...namesOf('source'), ...namesOf('sink')])]
  return names.includes(name)
    ? {
        path: [key],
        message: `Cannot decide whether connector "${name}" is a source or a sink`,
        suggestion:
          'add topic for a source, which writes it, or topics and consumer_group for a sink, which reads them',
      }
    : { path: [key], message: `Unknown connector "${name}"`, suggestion: `there are ${names.join(', ')}` }
}

/** Pipelines of one file that share a group, and so the records of the topics that both read. */
function sharedGroups(plans: readonly PipelinePlan[]): ConfigProblem[] {
  return plans.flatMap((plan, i) => {
    const group = plan.source.options['groupId']
    const other = plans
      .slice(0, i)
      .find(
        ({ source }) =>
          group !== undefined &&
          source.options['groupId'] === group &&
          sharedTopic(source.endpoints, plan.source.endpoints) !== undefined,
      )
    if (other === undefined) return []
    return {
      path: '',
      message: `Pipelines "${other.name}" and "${plan.name}" read "${sharedTopic(other.source.endpoints, plan.source.endpoints)}" as one group, "${String(group)}": each gets a part of the records`,
      suggestion: 'give each a consumer_group of its own, unless that is meant',
    }
  })
}

/** Each knows whose topics it reads, for runs that end. */
function linked(plans: readonly PipelinePlan[]): PipelinePlan[] {
  return plans.map((plan) => {
    const after = plans
      .filter((other) => other !== plan && sharedTopic(other.sink.endpoints, plan.source.endpoints) !== undefined)
      .map(({ name }) => name)
    return after.length === 0 ? plan : { ...plan, after }
  })
}

function isSwitchedOn(value: unknown, path: readonly string[]): boolean {
  let found = value
  for (const name of path) found = isObject(found) ? found[name] : undefined
  return isObject(found) && found['enabled'] !== false && found['enabled'] !== undefined
}
