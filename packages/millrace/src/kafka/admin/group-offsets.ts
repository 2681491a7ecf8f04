/**
 * Committed offsets of a group as an administrator sees them: how far behind it is, and where it is to go on.
 *
 * @see https://kafka.apache.org/documentation/#basic_ops_consumer_group for the same by Kafka's own tool
 */
import { inspect } from 'node:util'
import { BrokerError, ConfigError } from '../../errors/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { listOffsets, type OffsetQuery } from '../cluster/log-offsets.ts'
import { commitOnce, fetchCommitted } from '../group/committed-offsets.ts'
import { GroupCoordinator, groupError } from '../group/coordinator.ts'
import { kafkaErrorName } from '../protocol/kafka-errors.ts'
import { comparePartitions, keyOf, type TopicPartition } from '../topic-partition.ts'
import type { ResetOffsetsOptions } from './contract.ts'
import { GroupAdmin } from './groups.ts'
import { exist, retried } from './requests.ts'

export interface PartitionLag extends TopicPartition {
  /** undefined when the group has committed none for this partition. */
  readonly offset: number | undefined
  /** First and next offset of the log; undefined when the topic is gone. */
  readonly logStart: number | undefined
  readonly logEnd: number | undefined
  /** Records between the committed offset and the end of the log; undefined when one of them is not known. */
  readonly lag: number | undefined
  readonly metadata: string
}

/** A partition whose offset was reset, or would be in a dry run; also when it is where it was. */
export interface OffsetChange extends TopicPartition {
  /** The offset committed before; undefined when there was none. */
  readonly from: number | undefined
  readonly to: number
}

/** A tool that is no member of the group: brokers let it commit while the group is empty, and only then. */
const NO_MEMBER = { memberId: '', generation: -1, isEpoch: false } as const
const NON_EMPTY_GROUP = 68
/** What a coordinator answers to a commit of `NO_MEMBER` while there are members. */
const HAS_MEMBERS: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'STALE_MEMBER_EPOCH'])

export interface GroupOffsetsContext {
  readonly signal?: AbortSignal | undefined
  /** Called when reading offsets has to wait for the end of a transaction, and why. */
  readonly warn?: ((message: string) => void) | undefined
}

/**
 * Offsets of a group and its lag, by partition.
 * @param topics topics whose partitions are wanted, with or without an offset; all that the group has offsets for when omitted
 * @throws {BrokerError} `TOPIC_NOT_FOUND` for one of `topics`
 */
export async function groupOffsets(
  cluster: Cluster,
  groupId: string,
  topics: readonly string[] | undefined,
  { signal, warn }: GroupOffsetsContext = {},
): Promise<PartitionLag[]> {
  const coordinator = new GroupCoordinator(cluster, groupId, warn)
  const partitions = topics === undefined ? undefined : await partitionsOf(cluster, topics, signal)
  const committed = await fetchCommitted(coordinator, partitions, () => undefined, signal)
  const missing = topics === undefined ? await missingTopics(cluster, committed, signal) : new Set<string>()
  const bounds = await boundsOf(
    cluster,
    committed.filter(({ topic }) => !missing.has(topic)),
    signal,
  )
  return committed.toSorted(comparePartitions).map(({ topic, partition, offset, metadata }) => {
    const { start, end } = bounds.get(keyOf(topic, partition)) ?? {}
    const lag = offset === undefined || end === undefined ? undefined : Math.max(0, end - offset)
    return { topic, partition, offset, logStart: start, logEnd: end, lag, metadata }
  })
}

/**
 * Has a group go on somewhere else, by committing other offsets for it. What is not in the log becomes the nearest offset that is.
 *
 * @returns each partition with the offset before and after
 * @throws {BrokerError} `GROUP_FAILED` while the group has members; `NO_COMMITTED_OFFSET` when there is nothing to shift;
 *   `TOPIC_NOT_FOUND`
 * @throws {ConfigError} when `to` is none of its values
 */
export async function resetGroupOffsets(
  cluster: Cluster,
  groupId: string,
  { to, topics, partitions: named, dryRun = false }: ResetOffsetsOptions,
  { signal, warn }: GroupOffsetsContext = {},
): Promise<OffsetChange[]> {
  checkTarget(to)
  const action = `Cannot reset the offsets of group "${groupId}"`
  const coordinator = new GroupCoordinator(cluster, groupId, warn)
  if (!dryRun) {
    const { members } = await new GroupAdmin(cluster).describeGroup(groupId, signal)
    if (members.length > 0) throw groupError(NON_EMPTY_GROUP, action)
  }
  const wanted =
    topics === undefined && named === undefined
      ? undefined
      : distinct([...(await partitionsOf(cluster, topics ?? [], signal)), ...(named ?? [])])
  const all = await fetchCommitted(coordinator, wanted, () => undefined, signal)
  const missing = wanted === undefined ? await missingTopics(cluster, all, signal) : new Set<string>()
  const committed = all.filter(({ topic }) => !missing.has(topic)).toSorted(comparePartitions)
  const targets = await targetsOf(cluster, groupId, committed, to, signal)
  const resets = committed.map(({ topic, partition, offset }, i): OffsetChange => ({
    topic,
    partition,
    from: offset,
    to: targets[i]!,
  }))
  const changes = resets
    .filter((each) => each.from !== each.to)
    .map(({ topic, partition, to: offset }) => ({ topic, partition, offset }))
  if (dryRun || changes.length === 0) return resets
  await retried(
    cluster,
    async () => {
      for (const code of await commitOnce(coordinator, NO_MEMBER, changes, signal))
        coordinator.check(HAS_MEMBERS.has(kafkaErrorName(code)) ? NON_EMPTY_GROUP : code, action)
    },
    signal,
  )
  return resets
}

function checkTarget(to: ResetOffsetsOptions['to']): void {
  if (to === 'earliest' || to === 'latest') return
  const [name, value] = typeof to === 'object' && to !== null ? (Object.entries(to)[0] ?? []) : []
  if (name !== undefined && TARGETS.includes(name) && (typeof value === 'bigint' || Number.isSafeInteger(value))) return
  throw new ConfigError(
    `Cannot reset offsets to ${inspect(to)}: use "earliest", "latest", or an object with a whole number as timestampMs, offset or shiftBy`,
  )
}
const TARGETS: readonly (string | undefined)[] = ['timestampMs', 'offset', 'shiftBy']

/** The new offset of each partition. */
async function targetsOf(
  cluster: Cluster,
  groupId: string,
  committed: readonly (TopicPartition & { readonly offset: number | undefined })[],
  to: ResetOffsetsOptions['to'],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  if (typeof to === 'string' || 'timestampMs' in to) {
    const at = typeof to === 'string' ? to : to.timestampMs
    const found = await listOffsets(
      cluster,
      committed.map(({ topic, partition }) => ({ topic, partition, at })),
      { signal },
    )
    return found.map(({ offset }) => offset)
  }
  const unset = 'shiftBy' in to ? committed.find(({ offset }) => offset === undefined) : undefined
  if (unset !== undefined)
    throw new BrokerError(
      `Cannot shift the offset of ${unset.topic}-${unset.partition} as group "${groupId}" has committed none: reset to "earliest", "latest", a time or an offset`,
      {
        code: 'NO_COMMITTED_OFFSET',
        kafkaCode: -1,
        kafkaName: 'NO_COMMITTED_OFFSET',
        retriable: false,
        topic: unset.topic,
        partition: unset.partition,
      },
    )
  const bounds = await boundsOf(cluster, committed, signal)
  return committed.map(({ topic, partition, offset }) => {
    const { start, end } = bounds.get(keyOf(topic, partition))!
    return Math.min(end, Math.max(start, 'offset' in to ? Number(to.offset) : offset! + Number(to.shiftBy)))
  })
}

async function partitionsOf(
  cluster: Cluster,
  topics: readonly string[],
  signal: AbortSignal | undefined,
): Promise<TopicPartition[]> {
  if (topics.length === 0) return []
  await cluster.refresh(topics, signal)
  return topics.flatMap((topic) =>
    cluster.cachedTopic(topic)!.partitions.map(({ partition }) => ({ topic, partition })),
  )
}

/** Topics for which a group still has offsets, but which are gone. */
async function missingTopics(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal | undefined,
): Promise<Set<string>> {
  const topics = [...new Set(partitions.map(({ topic }) => topic))]
  const missing = new Set<string>()
  if (await exist(cluster, topics, signal)) return missing
  for (const topic of topics) if (!(await exist(cluster, [topic], signal))) missing.add(topic)
  return missing
}

async function boundsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal | undefined,
): Promise<Map<string, { readonly start: number; readonly end: number }>> {
  const at = (when: OffsetQuery['at']): Promise<readonly { readonly offset: number }[]> =>
    listOffsets(
      cluster,
      partitions.map(({ topic, partition }) => ({ topic, partition, at: when })),
      { signal },
    )
  const [starts, ends] = await Promise.all([at('earliest'), at('latest')])
  return new Map(
    partitions.map(({ topic, partition }, i) => [
      keyOf(topic, partition),
      { start: starts[i]!.offset, end: ends[i]!.offset },
    ]),
  )
}

function distinct(partitions: readonly TopicPartition[]): TopicPartition[] {
  return [...new Map(partitions.map((each) => [keyOf(each.topic, each.partition), each])).values()]
}
