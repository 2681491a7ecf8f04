/**
 * The group protocol of KIP-848: one request, ConsumerGroupHeartbeat, in which the broker tells what this member should
 * own and the member tells what it does own.
 *
 *     ConsumerGroupHeartbeat (versions 0, 1): group_id member_id member_epoch instance_id rack_id rebalance_timeout_ms
 *       [subscribed_topic_names] subscribed_topic_regex (version 1) server_assignor [topic_partitions]
 *
 * Epoch 0 joins, -1 leaves, -2 leaves for a short while (static members). Fields that did not change are left out. What is
 * to go is drained, committed and reported first; the broker gives it to others only then.
 */
import { randomBytes } from 'node:crypto'
import { BrokerError, isMillraceError } from '../../errors/index.ts'
import { sleep } from '../../resilience/retry.ts'
import {
  CONSUMER_GROUP_HEARTBEAT,
  type ConsumerGroupHeartbeatAnswer,
  type TopicIdPartitions,
} from '../protocol/groups.ts'
import { byTopic, type TopicPartition } from '../topic-partition.ts'
import type { MemberIdentity } from './committed-offsets.ts'
import { asMillraceError, GROUP_LANE, isAborted, verdictOfError } from './coordinator.ts'
import { Membership } from './membership.ts'

const LEAVE = -1
const LEAVE_STATIC = -2
/** How often metadata is asked for a topic id before its partitions are left out until the next heartbeat: the topic has probably been deleted. */
const RESOLVE_ATTEMPTS = 5

export class ConsumerMembership extends Membership {
  override memberId = randomBytes(16).toString('base64url')
  protected heartbeatIntervalMs = this.options.heartbeatIntervalMs
  /** What the broker wants this member to own. */
  #target: readonly TopicIdPartitions[] | undefined
  /** What was last brought in line with; differs from `#target` when there is something to do. */
  #settled: readonly TopicIdPartitions[] | undefined
  /** What was brought in line with although topics of it could not be found: the next heartbeat has them looked for again. */
  #incomplete: readonly TopicIdPartitions[] | undefined
  /** Id under which each topic was assigned: a topic that is deleted and created anew is another one. */
  readonly #ids = new Map<string, string>()
  /** Whether the next heartbeat says what is owned. */
  #mustReport = false
  /** Whether the next heartbeat says everything, because nobody knows whether the last one arrived. */
  #mustRepeat = false
  /** Whether the next heartbeat names the topics, as they have changed. */
  #mustResubscribe = false
  /** Whether a broker may know this member, also where its answer did not arrive. */
  #mayBeKnown = false
  /** Whether it was said that another member uses its instance id. */
  #hasSaidInUse = false

  get identity(): MemberIdentity {
    return { memberId: this.memberId, generation: this.generation, instanceId: this.options.instanceId, isEpoch: true }
  }

  protected async beat(stopped: AbortSignal): Promise<void> {
    const isJoining = this.generation < 0
    const isFull = isJoining || this.#mustRepeat || this.#mustResubscribe
    this.#mustResubscribe = false
    const owned = isFull || this.#mustReport ? this.#ownedById() : null
    this.#mustReport = false
    this.#mustRepeat = true
    this.#mayBeKnown = true
    const answer = await this.#send(isJoining ? 0 : this.generation, isFull, owned, stopped)
    this.coordinator.check(
      answer.errorCode,
      `Cannot ${isJoining ? 'join' : 'send a heartbeat to'} group "${this.options.groupId}"`,
      answer.errorMessage,
    )
    this.#mustRepeat = false
    this.memberId = answer.memberId ?? this.memberId
    this.heartbeatIntervalMs = answer.heartbeatIntervalMs
    this.joined()
    this.setGeneration(answer.memberEpoch)
    if (this.#incomplete !== undefined && this.#settled === this.#incomplete) {
      this.#settled = undefined
      this.changes.wake()
    }
    if (answer.assignment !== null) {
      this.#target = answer.assignment.topicPartitions
      this.outdated()
    }
  }

  resubscribe(): void {
    this.#mustResubscribe = true
    this.hurry()
  }

  protected onHeartbeatError(error: unknown): void {
    const isUnreleased = error instanceof BrokerError && error.kafkaName === 'UNRELEASED_INSTANCE_ID'
    const verdict = isUnreleased ? 'retry' : verdictOfError(error)
    if (verdict === 'fatal')
      return this.fail(asMillraceError(error, `Cannot send a heartbeat to group "${this.options.groupId}"`))
    if (verdict === 'lost' && this.generation >= 0) return this.#startOver()
    if (this.generation >= 0) return
    if (isUnreleased && !this.#hasSaidInUse) {
      this.#hasSaidInUse = true
      this.coordinator.warn?.(
        `Waiting to join group "${this.options.groupId}" as another member uses group.instance.id "${this.options.instanceId}". What a killed run left behind is released when its session ends; of two that run, give each its own id`,
      )
    }
    try {
      // A static member that was killed holds its instance id until its session ends; its successor waits for that.
      this.failedAttempt(
        error,
        isUnreleased ? Math.max(this.coordinator.cluster.apiTimeoutMs, 1.5 * this.options.sessionTimeoutMs) : undefined,
      )
    } catch {
      this.fail(asMillraceError(error, `Cannot join group "${this.options.groupId}"`))
    }
  }

  /** The group has gone on without this member: what it owned is gone, and it joins anew. */
  #startOver(): void {
    this.#target = undefined
    this.#settled = undefined
    this.#incomplete = undefined
    this.#ids.clear()
    this.lose()
    this.heart.wake()
  }

  /** One step at a time towards the latest target, which may change during each of them. */
  protected async rebalance(closing: AbortSignal): Promise<void> {
    let isChanged = this.rebalances === 0
    while (this.#target !== undefined && this.#target !== this.#settled && !closing.aborted) {
      if (this.failure !== undefined) throw this.failure
      const target = this.#target
      const named = await this.#resolve(target, closing)
      if (target !== this.#target) continue
      const { revoked, added } = this.ownership.compare(
        named.filter(({ topic, id }) => (this.#ids.get(topic) ?? id) === id),
      )
      isChanged ||= revoked.length > 0 || added.length > 0
      if (revoked.length > 0) {
        await this.ownership.revoke(revoked)
        for (const topic of this.#ids.keys())
          if (!this.ownership.partitions.some((each) => each.topic === topic)) this.#ids.delete(topic)
        this.#report()
        continue
      }
      for (const { topic, id } of named) this.#ids.set(topic, id)
      if (added.length > 0 || this.rebalances === 0) {
        if (!(await this.takeOver(added, closing))) continue
      }
      if (target !== this.#target) continue
      this.#settled = target
      if (isChanged || this.#incomplete !== target) this.#report()
      const isComplete = target.every(({ topicId }) => named.some(({ id }) => id === topicId))
      this.#incomplete = isComplete ? undefined : target
      if (isChanged) this.rebalances++
      isChanged = false
      this.onSettled()
    }
  }

  #report(): void {
    this.#mustReport = true
    this.heart.wake()
  }

  #ownedById(): TopicIdPartitions[] {
    return [...byTopic(this.ownership.partitions)].map(([topic, list]) => ({
      topicId: this.#ids.get(topic)!,
      partitions: list.map(({ partition }) => partition),
    }))
  }

  /** Finds the names of topic ids; partitions of a topic that cannot be found are left out. */
  async #resolve(
    target: readonly TopicIdPartitions[],
    closing: AbortSignal,
  ): Promise<(TopicPartition & { id: string })[]> {
    const { cluster } = this.coordinator
    for (let attempt = 1; ; attempt++) {
      const names = new Map<string, string>()
      for (const topic of this.options.topics) {
        const id = cluster.cachedTopic(topic)?.id
        if (id !== undefined) names.set(id, topic)
      }
      const isComplete = target.every(({ topicId }) => names.has(topicId))
      if (isComplete || attempt === RESOLVE_ATTEMPTS || target !== this.#target || closing.aborted) {
        return target.flatMap(({ topicId, partitions }) => {
          const topic = names.get(topicId)
          return topic === undefined ? [] : partitions.map((partition) => ({ topic, partition, id: topicId }))
        })
      }
      if (attempt > 1) await sleep(cluster.backoff.initialMs * 2 ** (attempt - 1), closing)
      for (const topic of this.options.topics) {
        await cluster.refresh([topic], closing).catch((error: unknown) => {
          if (isAborted(error) || !(isMillraceError(error) && (error.retriable || error.code === 'TOPIC_NOT_FOUND')))
            throw error
        })
      }
    }
  }

  #send(
    epoch: number,
    isFull: boolean,
    owned: readonly TopicIdPartitions[] | null,
    signal: AbortSignal,
  ): Promise<ConsumerGroupHeartbeatAnswer> {
    const { groupId, instanceId, rackId, rebalanceTimeoutMs, topics, serverAssignor, sessionTimeoutMs } = this.options
    // One that is lost must be repeated before the session ends.
    const timeoutMs = Math.min(this.coordinator.cluster.requestTimeoutMs, sessionTimeoutMs / 2)
    return this.coordinator.request(
      CONSUMER_GROUP_HEARTBEAT,
      () => ({
        groupId,
        memberId: this.memberId,
        memberEpoch: epoch,
        instanceId: instanceId ?? null,
        rackId: isFull ? (rackId ?? null) : null,
        rebalanceTimeoutMs: isFull ? rebalanceTimeoutMs : -1,
        subscribedTopicNames: isFull ? topics : null,
        serverAssignor: isFull ? (serverAssignor ?? null) : null,
        topicPartitions: owned,
      }),
      { lane: GROUP_LANE, timeoutMs, signal },
    )
  }

  async leave(): Promise<void> {
    if (!this.#mayBeKnown) return
    this.setGeneration(-1)
    const epoch = this.options.instanceId === undefined ? LEAVE : LEAVE_STATIC
    await this.leaveBy((signal) => this.#send(epoch, false, null, signal))
  }
}
