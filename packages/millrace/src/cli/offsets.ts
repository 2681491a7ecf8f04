/**
 * `millrace offsets`: how far a consumer group has come, and who reads; puts it elsewhere when told to.
 */
import { catalog } from '../catalog.ts'
import { ConfigError } from '../errors/index.ts'
import type { GroupDescription, ResetOffsetsOptions } from '../kafka/admin/contract.ts'
import type { OffsetChange, PartitionLag } from '../kafka/admin/group-offsets.ts'
import type { Cluster } from '../kafka/cluster/cluster.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import type { KafkaSourceOptions } from '../sources/kafka/options.ts'
import { plural, type Outcome } from './output.ts'
import { positionOf } from './preview/start.ts'
import { sourcePlan, topicPlan, type SourceOptions } from './preview/source-plan.ts'
import { tableOf } from './table.ts'

export interface OffsetsOptions extends SourceOptions {
  readonly group?: string
  readonly partition?: number
  readonly resetTo?: string
  readonly yes?: true
  readonly json?: true
}

/** Whose offsets are meant, and where. */
interface Target {
  readonly group: string
  /** Undefined for all that the group has offsets for. */
  readonly topics: readonly string[] | undefined
  readonly source: KafkaSourceOptions
  readonly directory: string
}

export async function offsets(file: string | undefined, options: OffsetsOptions): Promise<Outcome> {
  const { resetTo, yes } = options
  if (yes === true && resetTo === undefined)
    throw new ConfigError('Cannot use --yes without --reset-to, as nothing is changed')
  const to = resetTo === undefined ? undefined : targetOf(resetTo)
  const target = await targetOfOptions(file, options)
  const cluster = await clusterOf(target)
  try {
    return to === undefined ? await show(cluster, target, options) : await reset(cluster, target, to, options)
  } finally {
    await cluster.close()
  }
}

async function show(cluster: Cluster, { group, topics }: Target, options: OffsetsOptions): Promise<Outcome> {
  const { partition: only, json } = options
  const [{ groupOffsets }, { GroupAdmin }] = await adminParts()
  const description = await new GroupAdmin(cluster).describeGroup(group)
  const all = await groupOffsets(cluster, group, topics, { warn })
  const lags = all.filter(({ partition }) => only === undefined || partition === only)
  const rows = lags.map((lag) => ({ ...lag, member: memberOf(description, lag) }))
  const known = rows.flatMap(({ lag }) => lag ?? [])
  const total = known.length === 0 ? undefined : known.reduce((sum, lag) => sum + lag, 0)
  const behind = total === undefined ? 'no committed offsets' : `${total.toLocaleString('en-US')} behind the end`
  const members = plural(description.members.length, 'member')
  const exists = description.state.toUpperCase() !== 'DEAD' || total !== undefined
  const state = exists ? `${description.state.toLowerCase()}, ${members}, ${behind}` : 'does not exist'
  const summary = `Group "${group}": ${state}`
  if (json === undefined) process.stdout.write(`${rows.length === 0 ? '' : lagTable(rows)}${summary}\n`)
  const result = {
    group,
    state: description.state,
    type: description.type,
    members: description.members.map(({ memberId, instanceId, clientId, clientHost }) => ({
      memberId,
      instanceId: instanceId ?? null,
      clientId,
      clientHost,
    })),
    lag: total ?? null,
    partitions: rows.map(({ topic, partition, offset, logStart, logEnd, lag, member }) => ({
      topic,
      partition,
      committed: offset ?? null,
      start: logStart ?? null,
      end: logEnd ?? null,
      lag: lag ?? null,
      member: member ?? null,
    })),
  }
  return { exitCode: 0, summary, result }
}

async function reset(
  cluster: Cluster,
  { group, topics }: Target,
  to: ResetOffsetsOptions['to'],
  { partition, yes, json }: OffsetsOptions,
): Promise<Outcome> {
  const [{ resetGroupOffsets }] = await adminParts()
  const named =
    partition === undefined ? { topics } : { partitions: await thePartition(cluster, group, topics, partition) }
  const all = await resetGroupOffsets(cluster, group, { to, ...named, dryRun: yes !== true }, { warn })
  const changes = all.filter(({ from, to }) => from !== to)
  const what = plural(changes.length, 'offset')
  const summary =
    changes.length === 0
      ? `Group "${group}": all offsets are there already`
      : yes
        ? `Group "${group}": ${what} reset`
        : `Group "${group}": ${what} would be reset; add --yes to reset`
  if (json === undefined) process.stdout.write(`${all.length === 0 ? '' : changeTable(all)}${summary}\n`)
  const partitions = all.map(({ from, ...change }) => ({ ...change, from: from ?? null }))
  return { exitCode: 0, summary, result: { group, reset: yes === true, partitions } }
}

/** One partition of each topic of the group. */
async function thePartition(
  cluster: Cluster,
  group: string,
  topics: readonly string[] | undefined,
  partition: number,
): Promise<readonly TopicPartition[]> {
  const [{ groupOffsets }] = await adminParts()
  const found = (await groupOffsets(cluster, group, topics)).filter((each) => each.partition === partition)
  if (found.length > 0) return found.map(({ topic }) => ({ topic, partition }))
  const where = topics === undefined ? `group "${group}" has no offset for it` : `"${topics.join('", "')}" has none`
  throw new ConfigError(`Cannot reset the offset of partition ${partition} as ${where}`)
}

/**
 * Where `--reset-to` points.
 * @throws {ConfigError} when it is none of the forms
 */
export function targetOf(where: string): ResetOffsetsOptions['to'] {
  if (where === 'earliest' || where === 'latest') return where
  if (/^[+-]\d{1,15}$/.test(where)) return { shiftBy: Number(where) }
  if (/^\d{1,15}$/.test(where)) return { offset: Number(where) }
  const position = positionOf(
    where === 'run' ? 'nowhere' : where,
    `Cannot reset offsets to "${where}" as it must be earliest, latest, a time such as 2026-01-31T00:00:00Z, an offset such as 42, or a shift such as +10 or -10`,
  )
  return position as ResetOffsetsOptions['to']
}

/** The group, from the options or the source of a file. */
async function targetOfOptions(file: string | undefined, options: OffsetsOptions): Promise<Target> {
  const { group, topic, ...where } = options
  if (file === undefined) {
    if (group === undefined)
      throw new ConfigError('Cannot decide which group: name a pipeline file, or a group with --group')
    const { source, directory } = topicPlan(topic ?? 'any', options.bootstrapServers, options.option ?? [])
    const topics = topic === undefined ? undefined : [topic]
    return { group, topics, source: source.options as unknown as KafkaSourceOptions, directory }
  }
  const plan = await sourcePlan(file, where)
  const { function: name, options: written } =
    'nodes' in plan ? plan.nodes[0]! : { function: plan.source.component, options: plan.source.options }
  if (name !== 'kafka')
    throw new ConfigError(`Cannot find a group in "${file}" as it reads from "${name}", not from Kafka`)
  const definition = 'nodes' in plan ? await catalog.function('source', name) : undefined
  const source = (definition?.asComponent?.(written) ?? written) as unknown as KafkaSourceOptions
  const own = group ?? source.groupId
  if (own === undefined || own === null)
    throw new ConfigError(`Cannot find a group in "${file}" as its source has none: name one with --group`)
  return { group: own, topics: topic === undefined ? source.topic : [topic], source, directory: plan.directory }
}

async function clusterOf({ source, directory }: Target): Promise<Cluster> {
  const [{ Cluster }, { clusterOptions }, { kafkaSourceSettings }] = await Promise.all([
    import('../kafka/cluster/cluster.ts'),
    import('../kafka/properties/settings.ts'),
    import('../sources/kafka/options.ts'),
  ])
  const cluster = new Cluster(
    await clusterOptions(kafkaSourceSettings(source).cluster, { directory, clientId: 'millrace' }),
  )
  try {
    await cluster.connect(undefined, CONNECT_TIMEOUT_MS)
  } catch (error) {
    await cluster.close()
    throw error
  }
  return cluster
}

/** A person at a command line does not wait for a minute. */
const CONNECT_TIMEOUT_MS = 10_000

function adminParts(): Promise<
  [typeof import('../kafka/admin/group-offsets.ts'), typeof import('../kafka/admin/groups.ts')]
> {
  return Promise.all([import('../kafka/admin/group-offsets.ts'), import('../kafka/admin/groups.ts')])
}

function memberOf({ members }: GroupDescription, { topic, partition }: TopicPartition): string | undefined {
  const owner = members.find(({ assignment }) =>
    assignment.some((each) => each.topic === topic && each.partition === partition),
  )
  return owner === undefined ? undefined : `${owner.instanceId ?? owner.clientId}${owner.clientHost}`
}

function lagTable(rows: readonly (PartitionLag & { readonly member: string | undefined })[]): string {
  return tableOf(
    ['topic', 'partition', 'committed', 'end', 'lag', 'member'],
    rows.map(({ topic, partition, offset, logEnd, lag, member }) => [topic, partition, offset, logEnd, lag, member]),
  )
}

function changeTable(changes: readonly OffsetChange[]): string {
  return tableOf(
    ['topic', 'partition', 'from', 'to'],
    changes.map(({ topic, partition, from, to }) => [topic, partition, from, to]),
  )
}

function warn(message: string): void {
  process.stderr.write(`warning: ${message}\n`)
}
