/**
 * Commits offsets of a group and reads them: one round trip each, with every error code read.
 */
import { BrokerError, isMillraceError } from '../../errors/index.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import { retry } from '../../resilience/retry.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { brokerError } from '../protocol/kafka-errors.ts'
import { OFFSET_COMMIT, OFFSET_FETCH } from '../protocol/offsets.ts'
import { byTopic, keyOf, type TopicPartition } from '../topic-partition.ts'
import { GROUP_LANE, type GroupCoordinator, verdictOf, verdictOfError } from './coordinator.ts'
import type { AssignedPartition, OffsetToCommit } from './contract.ts'

/** As whom a group is spoken to. */
export interface MemberIdentity {
  readonly memberId: string
  /** Generation of a classic group, epoch of a member otherwise; -1 for a tool that is no member. */
  readonly generation: number
  readonly instanceId?: string | undefined
  /** Whether OffsetFetch must name the member (KIP-848 only). */
  readonly isEpoch: boolean
}

/** An offset that a group has committed. */
export interface CommittedOffset extends TopicPartition {
  /** undefined when the group has none for this partition. */
  readonly offset: number | undefined
  readonly leaderEpoch: number
  readonly metadata: string
  /** Id of the topic that was asked for, where it is known; a broker before Kafka 4.1 answers for whatever topic has the name. */
  readonly topicId: string | undefined
}

/** How long the end of an open transaction is waited for without a word, and between words. */
const UNSTABLE_PATIENCE_MS = 5000
const UNSTABLE_REMINDER_MS = 60_000

/** The last version that names topics without their ids. */
const BY_NAME = 9

/**
 * Commits once. Offsets that all say the id of their topic are committed for these topics, as far as the broker can tell; others for whatever
 * topic has the name.
 *
 * @returns the error code of each offset, in their order (0 for success)
 * @throws {ConnectionError}
 */
export async function commitOnce(
  coordinator: GroupCoordinator,
  member: MemberIdentity,
  offsets: readonly OffsetToCommit[],
  signal?: AbortSignal,
): Promise<number[]> {
  const hasIds = offsets.every(({ topicId }) => topicId !== undefined)
  // A topic that was created again may be there with both its ids.
  const topics = [...Map.groupBy(offsets, ({ topic, topicId }) => topicId ?? topic).values()].map((list) => ({
    name: list[0]!.topic,
    ...(hasIds ? { topicId: list[0]!.topicId! } : {}),
    partitions: list.map(({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata ?? '',
    })),
  }))
  const answer = await coordinator.request(
    OFFSET_COMMIT,
    () => ({
      groupId: coordinator.groupId,
      generationIdOrMemberEpoch: member.generation,
      memberId: member.memberId,
      groupInstanceId: member.instanceId ?? null,
      topics,
    }),
    { lane: GROUP_LANE, signal, ...(hasIds ? {} : { maxVersion: BY_NAME }) },
  )
  const codes = new Map<string, Map<number, number>>()
  for (const { name, topicId, partitions } of answer.topics) {
    const id = name === '' ? topicId : name
    const known = codes.get(id) ?? new Map<number, number>()
    codes.set(id, known)
    for (const { partitionIndex, errorCode } of partitions) known.set(partitionIndex, errorCode)
  }
  return offsets.map(({ topic, topicId, partition }) => {
    const code = (codes.get(topic) ?? codes.get(topicId ?? ''))?.get(partition) ?? -1
    if (verdictOf(code) === 'moved') coordinator.forget()
    return code
  })
}

/**
 * Offsets that a group has committed, of these partitions or, with undefined, of all that it has any for.
 *
 * Only stable offsets count (`require_stable`, KIP-447): while a transaction that commits an offset is open, the answer is
 * UNSTABLE_OFFSET_COMMIT, and this waits for its end however long it takes, and says so. No error is ever taken for "none committed":
 * a member that began at the reset policy's place because of that would lose or repeat records.
 *
 * @param member asked anew for each attempt, as its epoch may move on meanwhile (STALE_MEMBER_EPOCH)
 * @throws {BrokerError} {ConnectionError} after `apiTimeoutMs`; {AbortedError}
 */
export async function fetchCommitted(
  coordinator: GroupCoordinator,
  partitions: readonly TopicPartition[] | undefined,
  member: () => MemberIdentity | undefined,
  signal?: AbortSignal,
): Promise<CommittedOffset[]> {
  if (partitions?.length === 0) return []
  const { cluster } = coordinator
  const begun = performance.now()
  const deadline = begun + cluster.apiTimeoutMs
  let nextWarning = begun + UNSTABLE_PATIENCE_MS
  const topics = [...byTopic(partitions ?? []).keys()]
  let ids = idsOf(cluster, topics)
  return retry(() => fetchOnce(coordinator, partitions, ids, member(), signal), {
    timeoutMs: Infinity,
    backoff: cluster.backoff,
    signal,
    isRetriable: (error) => {
      if (isUnstable(error)) return true
      // 'lost' may be ours to find out with the next heartbeat, which then ends this call through its signal.
      return performance.now() < deadline && ['retry', 'moved', 'stale', 'lost'].includes(verdictOfError(error))
    },
    onRetry: async (error) => {
      if (error instanceof BrokerError && error.kafkaCode === ERROR.UNKNOWN_TOPIC_ID)
        ids = await idsNow(cluster, topics, signal)
      const now = performance.now()
      if (!isUnstable(error) || now < nextWarning) return
      nextWarning = now + UNSTABLE_REMINDER_MS
      const seconds = Math.round((now - begun) / 1000)
      coordinator.warn?.(
        `A transaction that commits offsets of group "${coordinator.groupId}" has been open for ${seconds} s or longer, so reading waits for its end. If a run was killed, the brokers abort its transaction after transaction.timeout.ms. A transaction that stays open for longer is hanging: find it with kafka-transactions.sh find-hanging, and abort it`,
      )
    },
  })
}

type TopicIds = ReadonlyMap<string, string>

/** Ids of topics by their names; undefined when one is not known. */
function idsOf(cluster: Cluster, topics: readonly string[]): TopicIds | undefined {
  const ids = new Map<string, string>()
  for (const topic of topics) {
    const id = cluster.cachedTopic(topic)?.id
    if (id === undefined) return undefined
    ids.set(topic, id)
  }
  return ids
}

/** The same, asked for again; undefined when one of the topics does not exist, so that names are what is left. */
async function idsNow(
  cluster: Cluster,
  topics: readonly string[],
  signal: AbortSignal | undefined,
): Promise<TopicIds | undefined> {
  try {
    await cluster.refresh(topics, signal)
  } catch (error) {
    if (isMillraceError(error) && error.code === 'TOPIC_NOT_FOUND') return undefined
    throw error
  }
  return idsOf(cluster, topics)
}

function isUnstable(error: unknown): boolean {
  return error instanceof BrokerError && error.kafkaName === 'UNSTABLE_OFFSET_COMMIT'
}

async function fetchOnce(
  coordinator: GroupCoordinator,
  partitions: readonly TopicPartition[] | undefined,
  ids: TopicIds | undefined,
  member: MemberIdentity | undefined,
  signal: AbortSignal | undefined,
): Promise<CommittedOffset[]> {
  const topics =
    partitions === undefined
      ? null
      : [...byTopic(partitions)].map(([name, list]) => ({
          name,
          topicId: ids?.get(name) ?? ZERO_UUID,
          partitionIndexes: list.map(({ partition }) => partition),
        }))
  const epoch =
    member?.isEpoch === true
      ? { memberId: member.memberId, memberEpoch: member.generation }
      : { memberId: null, memberEpoch: -1 }
  const answer = await coordinator.request(
    OFFSET_FETCH,
    (version) =>
      version < 8
        ? { groupId: coordinator.groupId, topics, requireStable: true }
        : { groups: [{ groupId: coordinator.groupId, ...epoch, topics }], requireStable: true },
    { lane: GROUP_LANE, signal, ...(partitions === undefined || ids === undefined ? { maxVersion: BY_NAME } : {}) },
  )
  const names = new Map(Array.from(ids ?? [], ([topic, id]) => [id, topic]))
  const action = `Cannot read the committed offsets of group "${coordinator.groupId}"`
  const found: CommittedOffset[] = []
  for (const group of answer.groups.length > 0 ? answer.groups : [answer]) {
    coordinator.check(group.errorCode, action)
    for (const { partitions, ...each } of group.topics) {
      const name = each.name === '' && 'topicId' in each ? (names.get(each.topicId) ?? '') : each.name
      for (const { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode } of partitions) {
        coordinator.check(
          errorCode,
          `Cannot read the offset of ${name}-${partitionIndex} that group "${coordinator.groupId}" committed`,
        )
        found.push({
          topic: name,
          partition: partitionIndex,
          offset: committedOffset < 0 ? undefined : committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata: metadata ?? '',
          topicId: ids?.get(name),
        })
      }
    }
  }
  const keys = new Set(found.map(({ topic, partition }) => keyOf(topic, partition)))
  const missing = partitions?.find(({ topic, partition }) => !keys.has(keyOf(topic, partition)))
  if (missing !== undefined)
    throw brokerError(-1, `${action} as the response omits ${missing.topic}-${missing.partition}`)
  return found
}

/** The same, as a consumer is assigned partitions. @throws as `fetchCommitted` */
export async function committedBy(
  coordinator: GroupCoordinator,
  partitions: readonly TopicPartition[],
  member: () => MemberIdentity | undefined,
  signal: AbortSignal | undefined,
): Promise<AssignedPartition[]> {
  const found = await fetchCommitted(coordinator, partitions, member, signal)
  return found.map(({ topic, partition, offset, leaderEpoch, topicId, metadata }) => ({
    topic,
    partition,
    committed: offset,
    leaderEpoch,
    topicId,
    metadata,
  }))
}
