/**
 * The classic group protocol: members meet in JoinGroup, one of them, the leader, shares the partitions out, and SyncGroup
 * brings the result to all.
 *
 * With eager assignors a member gives everything back before it joins. When all assignors on offer are cooperative it keeps
 * what it has, gives back only what the new assignment takes away, and joins once more so that others can have that (KIP-429).
 * With both kinds on offer the group may agree on an eager one at any time, so then everything is given back, as in Java.
 */
import { BrokerError, isMillraceError } from '../../errors/index.ts'
import type { JoinGroupRequest } from '../../protocol/messages/join-group.ts'
import { inBackground } from '../../resilience/background.ts'
import { sleep } from '../../resilience/retry.ts'
import { HEARTBEAT, JOIN_GROUP, LEAVE_GROUP, SYNC_GROUP, type JoinGroupAnswer } from '../protocol/groups.ts'
import { brokerError } from '../protocol/kafka-errors.ts'
import type { ApiCall } from '../protocol/api-call.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { GroupMember, PartitionCounts } from './assignment.ts'
import { assignorByName } from './assignors.ts'
import type { MemberIdentity } from './committed-offsets.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeStickyUserData,
  encodeSubscription,
  generationOf,
} from './classic-subscription.ts'
import { asMillraceError, GROUP_LANE, verdictOfError } from './coordinator.ts'
import { Membership } from './membership.ts'
import type { AssignorName } from '../properties/value-types.ts'

const PROTOCOL_TYPE = 'consumer'
/** How much longer than the rebalance itself a client waits for its end, as in Java. */
const JOIN_GRACE_MS = 5000

export class ClassicMembership extends Membership {
  protected readonly heartbeatIntervalMs = this.options.heartbeatIntervalMs
  readonly #isCooperative = this.options.assignors.every((name) => assignorByName[name].isCooperative)
  #mustJoin = true
  /** While JoinGroup is under way the broker waits for the group, not for heartbeats. */
  #isJoining = false
  /** What the leader based its assignment on; undefined for other members. */
  #counted: { readonly counts: PartitionCounts; checkedAt: number } | undefined

  get identity(): MemberIdentity {
    return { memberId: this.memberId, generation: this.generation, instanceId: this.options.instanceId, isEpoch: false }
  }

  resubscribe(): void {
    this.#mustJoin = true
    this.outdated()
  }

  protected async rebalance(closing: AbortSignal): Promise<void> {
    while (this.#mustJoin && !closing.aborted) {
      if (this.failure !== undefined) throw this.failure
      if (!this.#isCooperative) await this.ownership.revoke(this.ownership.partitions)
      if (closing.aborted) return
      const assigned = await this.#meet(closing)
      if (assigned !== undefined) await this.#apply(assigned, closing)
    }
  }

  /** One JoinGroup and SyncGroup. @returns undefined when it has to be tried again */
  async #meet(closing: AbortSignal): Promise<TopicPartition[] | undefined> {
    try {
      const joined = await this.#join(closing)
      const assigned = await this.#sync(joined, closing)
      this.joined()
      return assigned
    } catch (error) {
      if (closing.aborted) throw error
      this.#mustJoin = true
      const wait = this.#onMeetError(error)
      if (wait > 0) await sleep(wait, closing)
      return undefined
    }
  }

  async #join(closing: AbortSignal): Promise<JoinGroupAnswer> {
    const { options, coordinator } = this
    const { assignors, instanceId, sessionTimeoutMs, rebalanceTimeoutMs, groupId } = options
    const protocols = assignors.map((name) => ({ name, metadata: this.#subscription(name) }))
    this.#counted = undefined
    // Whatever asked for a rebalance up to now is answered by this one.
    this.#mustJoin = false
    this.#isJoining = true
    try {
      const request = (): JoinGroupRequest => ({
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.memberId,
        groupInstanceId: instanceId ?? null,
        protocolType: PROTOCOL_TYPE,
        protocols,
      })
      const answer = await this.#askGroup(JOIN_GROUP, request, closing)
      // MEMBER_ID_REQUIRED brings the id to join with (KIP-394).
      if (answer.errorCode === 0 || answer.memberId !== '') this.memberId = answer.memberId
      coordinator.check(
        answer.errorCode,
        `Cannot join group "${groupId}", offering ${assignors.map((name) => `"${name}"`).join(' and ')}`,
      )
      this.setGeneration(answer.generationId)
      return answer
    } finally {
      this.#isJoining = false
    }
  }

  async #sync(joined: JoinGroupAnswer, closing: AbortSignal): Promise<TopicPartition[]> {
    const { options, coordinator } = this
    const assignments = joined.leader === this.memberId ? await this.#lead(joined, closing) : []
    const request = {
      groupId: options.groupId,
      generationId: joined.generationId,
      memberId: joined.memberId,
      groupInstanceId: options.instanceId ?? null,
      protocolType: PROTOCOL_TYPE,
      protocolName: joined.protocolName,
      assignments,
    }
    const answer = await this.#askGroup(SYNC_GROUP, () => request, closing)
    coordinator.check(answer.errorCode, `Cannot get the assignment of group "${options.groupId}"`)
    try {
      return decodeAssignment(answer.assignment)
    } catch (error) {
      throw brokerError(-1, `Cannot read the assignment from the leader of group "${options.groupId}"`, {
        cause: error,
        code: 'GROUP_FAILED',
      })
    }
  }

  /**
   * Asks what the broker answers only when all members have come, which may take as long as a rebalance. Nobody tells that a
   * connection is half open, and then the group would wait for this member as long as this member for the group. So from time to
   * time the same is asked on a new connection; the broker takes the later request in place of the earlier one.
   */
  async #askGroup<Q, R>(call: ApiCall<Q, R>, request: () => Q, closing: AbortSignal): Promise<R> {
    const { coordinator, options } = this
    const deadline = performance.now() + options.rebalanceTimeoutMs + JOIN_GRACE_MS
    const patienceMs = Math.max(coordinator.cluster.requestTimeoutMs, options.sessionTimeoutMs)
    for (;;) {
      const left = Math.max(0, deadline - performance.now())
      try {
        return await coordinator.request(call, request, {
          lane: coordinator.rebalanceLane,
          timeoutMs: Math.min(patienceMs, left),
          signal: closing,
        })
      } catch (error) {
        const isUnanswered = isMillraceError(error) && error.code === 'REQUEST_TIMED_OUT'
        if (!isUnanswered || left <= patienceMs) throw error
      }
    }
  }

  /** Shares the partitions out among all members. */
  async #lead(joined: JoinGroupAnswer, closing: AbortSignal): Promise<{ memberId: string; assignment: Buffer }[]> {
    const assignor = assignorByName[joined.protocolName as AssignorName]
    const members = joined.members.map(({ memberId, groupInstanceId, metadata }): GroupMember => {
      try {
        const subscription = decodeSubscription(metadata)
        const { topics, owned } = subscription
        return { memberId, instanceId: groupInstanceId ?? null, topics, owned, generation: generationOf(subscription) }
      } catch (error) {
        throw brokerError(
          -1,
          `Cannot read the subscription of member "${memberId}" of group "${this.options.groupId}"`,
          { cause: error, code: 'GROUP_FAILED' },
        )
      }
    })
    const topics = [...new Set(members.flatMap((member) => member.topics))]
    const counts = await this.#countPartitions(topics, closing)
    this.#counted = { counts, checkedAt: performance.now() }
    if (joined.skipAssignment) return []
    return [...assignor.assign(members, counts)].map(([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment(partitions),
    }))
  }

  async #apply(assigned: readonly TopicPartition[], closing: AbortSignal): Promise<void> {
    const { revoked, added } = this.ownership.compare(assigned)
    if (revoked.length > 0) {
      await this.ownership.revoke(revoked)
      // Only now may the leader give them to others.
      this.#mustJoin = true
    }
    // Lost while the listener drained: this assignment is void.
    if (this.generation < 0 || closing.aborted) return
    if (added.length > 0 || this.rebalances === 0) {
      if (!(await this.takeOver(added, closing))) return
    }
    this.rebalances++
    this.onSettled()
  }

  protected async beat(stopped: AbortSignal): Promise<void> {
    const { generation, memberId, options, coordinator } = this
    if (generation < 0 || this.#isJoining) return
    const answer = await coordinator.request(
      HEARTBEAT,
      () => ({
        groupId: options.groupId,
        generationId: generation,
        memberId,
        groupInstanceId: options.instanceId ?? null,
      }),
      {
        lane: GROUP_LANE,
        timeoutMs: Math.min(coordinator.cluster.requestTimeoutMs, options.sessionTimeoutMs / 2),
        signal: stopped,
      },
    )
    // An answer that speaks of an earlier generation says nothing about this one.
    if (generation !== this.generation || this.#isJoining) return
    coordinator.check(answer.errorCode, `Cannot send a heartbeat to group "${options.groupId}"`)
    // Whatever that takes: heartbeats go on.
    inBackground(this.#watchTopics(stopped), (error) =>
      this.fail(asMillraceError(error, `Cannot look at the topics of group "${options.groupId}"`)),
    )
  }

  protected onHeartbeatError(error: unknown): void {
    const verdict = verdictOfError(error)
    if (verdict === 'rebalance') this.#joinAgain()
    else if (verdict === 'lost') this.#startOver(error)
    else if (verdict === 'fatal')
      this.fail(asMillraceError(error, `Cannot send a heartbeat to group "${this.options.groupId}"`))
    // After anything else the next heartbeat follows soon, to the coordinator that is found then.
  }

  /** @returns milliseconds to wait before the next attempt */
  #onMeetError(error: unknown): number {
    if (error instanceof BrokerError && error.kafkaName === 'MEMBER_ID_REQUIRED') return 0
    const verdict = verdictOfError(error)
    if (verdict === 'fatal') throw error
    if (verdict === 'lost') this.#startOver(error)
    // In these two cases the coordinator is there and works.
    if (verdict === 'lost' || verdict === 'rebalance') return this.coordinator.cluster.backoff.initialMs
    return this.failedAttempt(error)
  }

  #joinAgain(): void {
    this.#mustJoin = true
    this.outdated()
  }

  /** The group does not know this member any more: what it owned is gone, and it joins as a new one. */
  #startOver(error: unknown): void {
    if (!(error instanceof BrokerError && error.kafkaName === 'ILLEGAL_GENERATION')) this.memberId = ''
    this.#mustJoin = true
    this.lose()
  }

  /** As leader, has the group share out again when a topic has grown, appeared or gone. */
  async #watchTopics(signal: AbortSignal): Promise<void> {
    const counted = this.#counted
    if (counted === undefined) return
    const { cluster } = this.coordinator
    const isDue = performance.now() - counted.checkedAt > cluster.metadataMaxAgeMs
    if (isDue) counted.checkedAt = performance.now()
    // Others refresh metadata too, so what is cached is worth a look each time.
    const counts = isDue
      ? await this.#countPartitions([...counted.counts.keys()], signal).catch(() => counted.counts)
      : new Map(
          [...counted.counts].map(([topic, count]) => [topic, cluster.cachedTopic(topic)?.partitions.length ?? count]),
        )
    if (this.#counted !== counted) return // shared out again meanwhile
    for (const [topic, count] of counted.counts) if ((counts.get(topic) ?? 0) !== count) return this.#joinAgain()
  }

  /** Asks for the topics anew; those that do not exist have no partitions. */
  async #countPartitions(topics: readonly string[], signal: AbortSignal): Promise<Map<string, number>> {
    const { cluster } = this.coordinator
    const isMissing = (error: unknown): boolean => isMillraceError(error) && error.code === 'TOPIC_NOT_FOUND'
    try {
      await cluster.refresh(topics, signal)
    } catch (error) {
      if (!isMissing(error)) throw error
      // One that is missing hides the others of the same answer.
      for (const topic of topics) {
        await cluster.refresh([topic], signal).catch((each: unknown) => {
          if (!isMissing(each)) throw each
        })
      }
    }
    return new Map(topics.map((topic) => [topic, cluster.cachedTopic(topic)?.partitions.length ?? 0]))
  }

  #subscription(assignor: AssignorName): Buffer {
    const { topics, rackId } = this.options
    const userData = assignor === 'cooperative-sticky' ? encodeStickyUserData(this.generation) : null
    return encodeSubscription({
      topics,
      userData,
      owned: this.ownership.partitions,
      generation: this.generation,
      rackId: rackId ?? null,
    })
  }

  async leave(): Promise<void> {
    const { coordinator, options } = this
    // A static member keeps its partitions until its session ends, so that it can come back to them (KIP-345).
    if (this.memberId === '' || options.instanceId !== undefined) return
    const members = [{ memberId: this.memberId, groupInstanceId: null, reason: 'the consumer was closed' }]
    this.setGeneration(-1)
    await this.leaveBy((signal) =>
      coordinator.request(LEAVE_GROUP, () => ({ groupId: options.groupId, members }), { lane: GROUP_LANE, signal }),
    )
  }
}
