/**
 * `millrace discover`: what there is to read, and what its values look like.
 */
import { catalog, planned, SOURCES } from '../catalog.ts'
import type { ComponentContext } from '../contracts/context.ts'
import { endpointsOf } from '../contracts/definitions.ts'
import type { DiscoveredStream, Source } from '../contracts/source.ts'
import type { GraphPlan } from '../engine/graph/plan.ts'
import { makeNodes } from '../engine/graph/nodes.ts'
import type { PipelinePlan } from '../engine/plan.ts'
import { UNSEEN_METER } from '../metrics/counters.ts'
import { UnexpectedError } from '../errors/index.ts'
import type { JsonSchema } from '../options/declaration.ts'
import { Shape } from './infer-schema.ts'
import { plural, type Outcome } from './output.ts'
import { preview } from './preview/index.ts'
import { recordLine } from './preview/record-line.ts'
import { sourcePlan, topicPlan, type SourceOptions } from './preview/source-plan.ts'

export interface DiscoverOptions extends SourceOptions {
  readonly sample: number
  readonly format: 'table' | 'json' | 'yaml'
  readonly json?: true
}

interface Stream extends Omit<DiscoveredStream, 'options'> {
  /** Records that were looked at. */
  readonly sampled: number
  /** JSON Schema of the values; undefined when there was none. */
  readonly schema: JsonSchema | undefined
}

/** Streams that are sampled at the same time. */
const PARALLEL = 4

export async function discover(file: string | undefined, options: DiscoverOptions): Promise<Outcome> {
  const { topic: pattern, sample, format, json, ...where } = options
  // Which topic is asked for does not matter: the source is never opened.
  const plan =
    file === undefined
      ? topicPlan('any', options.bootstrapServers, options.option ?? [])
      : await sourcePlan(file, where)
  const found = (await streamsOf(plan)).filter(({ name }) => pattern === undefined || toPattern(pattern).test(name))
  const streams: Stream[] = []
  for (let i = 0; i < found.length; i += PARALLEL)
    streams.push(...(await Promise.all(found.slice(i, i + PARALLEL).map((stream) => describe(plan, stream, sample)))))
  const summary = `${plural(streams.length, 'stream')} found`
  if (json === undefined)
    process.stdout.write(streams.length === 0 && format === 'table' ? nothing(pattern) : await FORMATS[format](streams))
  return { exitCode: 0, summary, result: { streams } }
}

/** What the source of a plan says there is; without discovery it is what the source itself reads. */
async function streamsOf(plan: PipelinePlan | GraphPlan): Promise<readonly DiscoveredStream[]> {
  const [name, { path }] =
    'nodes' in plan ? [plan.nodes[0]!.function, plan.nodes[0]!.options] : [plan.source.component, plan.source.options]
  const source = await ('nodes' in plan ? sourceOfGraph(plan) : sourceOfLine(plan))
  try {
    const own = { name: typeof path === 'string' ? path : name, partitions: 1, records: undefined, options: {} }
    return (await source.discover?.(new AbortController().signal)) ?? [own]
  } finally {
    await source.close()
  }
}

const LOOKING = { untilEnd: true, warn: () => {}, preview: { from: 'earliest' } } as const

async function sourceOfLine({ name, directory, source: { component, options } }: PipelinePlan): Promise<Source> {
  const context: ComponentContext = {
    ...LOOKING,
    pipeline: name,
    directory,
    metrics: UNSEEN_METER,
    delivery: 'at_least_once',
  }
  return (await catalog.source(component)).create(options, context)
}

async function sourceOfGraph(plan: GraphPlan): Promise<Source> {
  const { withoutSinks } = await import('./preview/preview-graph.ts')
  const [first] = await makeNodes(
    plan,
    withoutSinks(catalog, () => {}),
    LOOKING,
    async () => true,
  )
  if (first?.kind !== 'source') throw new UnexpectedError('A source alone begins with something else')
  return first.source
}

/** The same plan, with a source that reads something else. */
async function reading(
  plan: PipelinePlan | GraphPlan,
  options: DiscoveredStream['options'],
): Promise<PipelinePlan | GraphPlan> {
  if (!('nodes' in plan)) {
    const entry = SOURCES.find(({ name }) => name === plan.source.component)!
    return { ...plan, source: planned(entry, { ...plan.source.options, ...options }) }
  }
  const [source, ...others] = plan.nodes
  const changed = { ...source!.options, ...options }
  const { findFunctions } = await import('../functions/index.ts')
  const definition = findFunctions(source!.function).find(({ kind }) => kind === 'source')!
  return {
    ...plan,
    nodes: [{ ...source!, options: changed, endpoints: endpointsOf(definition, changed) }, ...others],
  }
}

async function describe(plan: PipelinePlan | GraphPlan, stream: DiscoveredStream, sample: number): Promise<Stream> {
  const { options, ...told } = stream
  const shape = new Shape()
  if (stream.records !== 0)
    await preview(await reading(plan, options), {
      from: 'earliest',
      follow: false,
      max: sample,
      sourceOnly: true,
      onRow: (batch, row, codec) =>
        shape.add((JSON.parse(recordLine(batch, row, codec)) as { readonly value: unknown }).value),
    })
  return { ...told, sampled: shape.count, schema: shape.count === 0 ? undefined : shape.toSchema() }
}

const FORMATS: {
  readonly [name in DiscoverOptions['format']]: (streams: readonly Stream[]) => string | Promise<string>
} = {
  table: toTable,
  json: (streams) => `${JSON.stringify(streams, undefined, 2)}\n`,
  yaml: async (streams) => (await import('yaml')).stringify(streams, { aliasDuplicateObjects: false }),
}

function nothing(pattern: string | undefined): string {
  return pattern === undefined ? 'There is nothing to read\n' : `No topic has the name "${pattern}"\n`
}

function toTable(streams: readonly Stream[]): string {
  const width = Math.max(...streams.map(({ name }) => name.length)) + 2
  return streams
    .flatMap(({ name, partitions, records, schema }) => [
      `${name.padEnd(width)}${plural(partitions, 'partition').padStart(14)}${records === undefined ? '' : countText(records).padStart(26)}`,
      ...fieldLines(schema ?? {}, '  '),
    ])
    .map((line) => `${line}\n`)
    .join('')
}

/** A number of offsets, of which compaction and transactions leave fewer records. */
function countText(records: number): string {
  return records === 0 ? 'no records' : `up to ${plural(records, 'record')}`
}

/** One line for each field, nested ones below it; a question mark where a record may be without it. */
function fieldLines({ properties, required, items }: JsonSchema, indent: string): string[] {
  if (properties === undefined) return items === undefined ? [] : fieldLines(items as JsonSchema, indent)
  return Object.entries(properties as { readonly [name: string]: JsonSchema }).flatMap(([name, field]) => {
    const isOptional = !((required as readonly string[] | undefined) ?? []).includes(name)
    return [`${indent}${name}${isOptional ? '?' : ''}: ${typeText(field)}`, ...fieldLines(field, `${indent}  `)]
  })
}

function typeText({ type, format, items }: JsonSchema): string {
  const names = ([type ?? 'any'] as (string | string[])[])
    .flat()
    .map((name) => (name === 'array' ? `array of ${typeText((items as JsonSchema | undefined) ?? {})}` : name))
  return `${names.join(' or ')}${typeof format === 'string' ? ` (${format})` : ''}`
}

/** The whole name; `*` stands for any characters. */
function toPattern(text: string): RegExp {
  return new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )
}
