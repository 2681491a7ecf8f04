/** Where dead letters go: a topic, a file, or a sink block. */
import { FILE_SINK, KAFKA_SINK, planned, SINKS } from '../catalog.ts'
import type { PlannedComponent, DeadLetterPlan } from '../engine/plan.ts'
import { CLUSTER_FIELDS } from '../kafka/properties/cluster-fields.ts'
import { SECURITY_FIELDS } from '../kafka/security/fields.ts'
import { parseOptions } from '../options/parse.ts'
import { writtenName } from '../options/spellings.ts'
import { didYouMean } from '../options/suggest.ts'
import { isObject, describeValue } from '../options/values.ts'
import { letterLoop } from './loops.ts'
import type { ReportProblem } from './problems.ts'

/** What the policy needs to know of the pipeline around it. */
export interface PolicySurroundings {
  readonly source: PlannedComponent
  readonly sink: PlannedComponent
}

export function readDeadLetters(
  value: unknown,
  envelope: DeadLetterPlan['envelope'] | undefined,
  place: string,
  around: PolicySurroundings,
  report: ReportProblem,
): DeadLetterPlan | undefined {
  const path = [place, 'deadLetter']
  const block = typeof value === 'string' ? { topic: value } : value
  if (!isObject(block)) {
    report({
      path,
      message: `Cannot read deadLetter as it must be a topic or an object: found ${describeValue(value)}`,
      suggestion: 'for example deadLetter: {topic: orders-dead}',
    })
    return undefined
  }
  const { type, options, enabled: _, ...flat } = block
  const name = type ?? ('path' in flat ? FILE_SINK : KAFKA_SINK).name
  const entry = SINKS.find((one) => one.name === name)
  if (entry === undefined) {
    const names = SINKS.map((one) => one.name)
    report({
      path: [...path, 'type'],
      message: `Unknown sink type ${describeValue(name)}`,
      suggestion: (typeof name === 'string' ? didYouMean(name, names) : undefined) ?? `there are ${names.join(', ')}`,
    })
    return undefined
  }
  const written = isObject(options) ? options : flat
  const inherited = entry === KAFKA_SINK ? { acks: 'all', ...(hasBrokers(written) ? {} : connectionOf(around)) } : {}
  // The block may spell an option of the sink in another way.
  const unset = Object.fromEntries(
    Object.entries(inherited).filter(([name]) => writtenName(name, entry.options[name]!, written) === undefined),
  )
  const parsed = parseOptions(
    entry,
    { ...unset, ...inOwnFile(written) },
    isObject(options) ? [...path, 'options'] : path,
  )
  for (const problem of [...parsed.problems, ...parsed.warnings]) report(problem)
  if (parsed.problems.length > 0) return undefined
  const sink = planned(entry, parsed.options)
  const hasHeaders = sink.endpoints.topics.length > 0
  if (envelope === 'headers' && !hasHeaders) {
    report({
      path: [place, 'envelope'],
      message: `Cannot use the envelope "headers" as the sink "${entry.name}" does not write headers`,
      suggestion: 'use json',
    })
  }
  const loop = letterLoop(around.source.endpoints, sink.endpoints)
  if (loop !== undefined) report({ path, ...loop })
  return { sink, envelope: envelope ?? (hasHeaders ? 'headers' : 'json') }
}

/** In a folder, dead letters have a file of their own, beside what the sink may write there. */
function inOwnFile(options: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } {
  const { path } = options
  return typeof path === 'string' && /[/\\]$/.test(path) ? { ...options, path: `${path}dead-letters.jsonl` } : options
}

function hasBrokers(options: { readonly [name: string]: unknown }): boolean {
  return writtenName('bootstrapServers', CLUSTER_FIELDS.bootstrapServers, options) !== undefined
}

/** How to reach the brokers of the sink, or of the source where the sink is something else. */
function connectionOf({ source, sink }: PolicySurroundings): { readonly [name: string]: unknown } {
  return connectionOptions([sink, source].find(({ endpoints }) => endpoints.brokers.length > 0)?.options ?? {})
}

/** Those options of a Kafka component that say how to reach and convince the brokers. */
export function connectionOptions(options: PlannedComponent['options']): PlannedComponent['options'] {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => CONNECTION_NAMES.has(name) && value !== undefined),
  )
}

const CONNECTION_NAMES: ReadonlySet<string> = new Set(Object.keys({ ...CLUSTER_FIELDS, ...SECURITY_FIELDS }))
