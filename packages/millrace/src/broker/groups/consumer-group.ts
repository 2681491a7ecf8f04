/**
 * A consumer group of the consumer protocol (KIP-848): members say what they want with heartbeats, and the coordinator assigns.
 * How a member gets from one assignment to the next is in `reconciliation.ts`. It knows no sockets; time comes in as `after`.
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Topic } from '../cluster/topic.ts'
import { ASSIGNORS, DEFAULT_ASSIGNOR } from './assignors.ts'
import type { After } from './classic-group.ts'
import {
  type ClassicSide,
  type ConsumerHeartbeat,
  type ConsumerMember,
  epochOf,
  FRESH,
  type HeartbeatAnswer,
  JOIN_EPOCH,
  STATIC_LEAVE_EPOCH,
} from './consumer-member.ts'
import type { MemberClaim } from './member.ts'
import { GroupOffsets } from './offsets.ts'
import { compilePattern } from './patterns.ts'
import { has, isEqual, NO_PARTITIONS, without, isEmpty } from './partition-sets.ts'
import { type Current, reconcile } from './reconciliation.ts'

export class ConsumerGroup {
  readonly kind = 'consumer'
  readonly id: string
  readonly offsets: GroupOffsets
  readonly members = new Map<string, ConsumerMember>()
  /** As on Apache Kafka, the first member finds epoch 2. */
  epoch = 1
  assignmentEpoch = 1
  readonly #cluster: Cluster
  readonly #after: After
  readonly #sessionTimeoutMs: () => number
  /** Called when the last member that speaks the consumer protocol has left others behind. */
  onOnlyClassic: () => void = () => {}
  /** Topics and their numbers of partitions when the target was computed. */
  #metadata = '[]'
  /** Patterns whose topics have been looked up, of those that members subscribe to. */
  readonly #patterns = new Map<string, RegExp>()

  constructor(
    id: string,
    cluster: Cluster,
    after: After,
    sessionTimeoutMs: () => number,
    offsets: GroupOffsets = new GroupOffsets(),
  ) {
    this.id = id
    this.#cluster = cluster
    this.#after = after
    this.#sessionTimeoutMs = sessionTimeoutMs
    this.offsets = offsets
  }

  /** Takes over the members of a classic group. */
  adopt(members: readonly ConsumerMember[], generationId: number): void {
    this.epoch = generationId
    this.assignmentEpoch = generationId
    for (const member of members) {
      this.members.set(member.memberId, member)
      this.keepAlive(member)
    }
  }

  get state(): 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' {
    if (this.members.size === 0) return 'Empty'
    if (this.epoch > this.assignmentEpoch) return 'Assigning'
    const isSettled = [...this.members.values()].every(
      (member) => member.current.state === 'Stable' && epochOf(member) === this.assignmentEpoch,
    )
    return isSettled ? 'Stable' : 'Reconciling'
  }

  get assignor(): string {
    const votes = [...this.members.values()].flatMap(({ assignor }) => (assignor === null ? [] : [assignor]))
    const counts = Map.groupBy(votes, (name) => name)
    const most = Math.max(0, ...[...counts.values()].map(({ length }) => length))
    if (counts.get(DEFAULT_ASSIGNOR)?.length === most) return DEFAULT_ASSIGNOR
    return [...counts].find(([, { length }]) => length === most)?.[0] ?? DEFAULT_ASSIGNOR
  }

  heartbeat(beat: ConsumerHeartbeat): HeartbeatAnswer {
    const refusal = this.refusal(beat)
    if (refusal !== undefined) return refusal
    if (beat.epoch < JOIN_EPOCH) return this.#leave(this.members.get(beat.memberId)!, beat.epoch)
    const member = beat.epoch === JOIN_EPOCH ? this.#joining(beat) : this.members.get(beat.memberId)!
    const isChanged = this.#update(member, beat)
    this.#renew(isChanged)
    this.#assign()
    const before = member.current
    member.current = reconcile(before, {
      target: member.target,
      targetEpoch: this.assignmentEpoch,
      owned: beat.epoch === JOIN_EPOCH ? NO_PARTITIONS : (beat.owned ?? undefined),
      isFree: (topicId, partition) => this.#isFree(topicId, partition, member),
    })
    this.keepAlive(member)
    this.#watchRevocation(member, before)
    // What a member sends to join, and when an answer was lost.
    const isFull =
      (beat.topics !== null || beat.pattern !== null) && beat.owned !== null && beat.rebalanceTimeoutMs !== -1
    const isNew = beat.epoch === JOIN_EPOCH || isFull || !isEqual(before.assigned, member.current.assigned)
    return { errorCode: 0, epoch: member.current.epoch, ...(isNew ? { assignment: member.current.assigned } : {}) }
  }

  /** Why a heartbeat is refused. */
  refusal({ memberId, epoch, instanceId, owned, classic }: ConsumerHeartbeat): HeartbeatAnswer | undefined {
    const refuse = (errorCode: number, message: string): HeartbeatAnswer => ({ errorCode, message, epoch: -1 })
    const holder = instanceId === null ? undefined : this.findStatic(instanceId)
    if (epoch === JOIN_EPOCH) {
      // In the classic protocol, a static member that comes back takes its place at once.
      if (holder === undefined || holder.isAway || classic !== undefined) return undefined
      return refuse(
        ERROR.UNRELEASED_INSTANCE_ID,
        `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${holder.memberId} member.`,
      )
    }
    if (instanceId !== null && holder === undefined)
      return refuse(ERROR.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`)
    if (holder !== undefined && holder.memberId !== memberId)
      return refuse(ERROR.FENCED_INSTANCE_ID, `Instance id ${instanceId} is owned by member ${holder.memberId}.`)
    const member = this.members.get(memberId)
    if (member === undefined)
      return refuse(ERROR.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${this.id}.`)
    const expected = epochOf(member)
    if (epoch < JOIN_EPOCH || epoch === expected) return undefined
    // The answer that had the newer epoch was lost: what the member holds shows whether it may go on.
    const isBehind =
      !member.isAway &&
      epoch === member.current.previousEpoch &&
      owned !== null &&
      isEmpty(without(owned, member.current.assigned))
    return isBehind
      ? undefined
      : refuse(
          ERROR.FENCED_MEMBER_EPOCH,
          `The member epoch ${epoch} is not that of the coordinator, which is ${expected}. The member must abandon all its partitions and rejoin.`,
        )
  }

  /** The member with an instance id. */
  findStatic(instanceId: string): ConsumerMember | undefined {
    return [...this.members.values()].find((member) => member.instanceId === instanceId)
  }

  /** A member that is new, joins again, or takes the place of a static one that has left. */
  #joining(beat: ConsumerHeartbeat): ConsumerMember {
    const known = this.members.get(beat.memberId)
    if (known !== undefined) {
      known.isAway = false
      return known
    }
    const before = beat.instanceId === null ? undefined : this.findStatic(beat.instanceId)
    const member: ConsumerMember = {
      memberId: beat.memberId,
      instanceId: beat.instanceId,
      rackId: beat.rackId,
      clientId: beat.clientId,
      clientHost: beat.clientHost,
      rebalanceTimeoutMs: beat.rebalanceTimeoutMs,
      topics: before?.topics ?? [],
      pattern: before?.pattern ?? null,
      assignor: before?.assignor ?? null,
      current: before?.current ?? FRESH,
      target: before?.target ?? NO_PARTITIONS,
      isAway: false,
      classic: beat.classic,
      stopTimers: [],
    }
    this.members.set(member.memberId, member)
    if (before !== undefined) this.#drop(before)
    return member
  }

  /** @returns whether the assignment has to change */
  #update(
    member: ConsumerMember,
    { topics, pattern, maySee, assignor, rebalanceTimeoutMs, rackId, classic }: ConsumerHeartbeat,
  ): boolean {
    if (member.classic !== classic) member.classic?.stopJoinTimer?.()
    member.classic = classic
    const before = { topics: JSON.stringify(member.topics), pattern: member.pattern }
    if (topics !== null) member.topics = [...topics].toSorted()
    member.maySee = maySee
    if (pattern !== null) member.pattern = pattern === '' ? null : pattern
    if (assignor !== null) member.assignor = assignor
    if (rebalanceTimeoutMs >= 0) member.rebalanceTimeoutMs = rebalanceTimeoutMs
    if (rackId !== null) member.rackId = rackId
    const hasNewPattern = member.pattern !== before.pattern && this.#subscribe(member.pattern)
    // Another assignor counts with the next change of something else.
    return JSON.stringify(member.topics) !== before.topics || hasNewPattern
  }

  /**
   * A member has another pattern. As on Apache Kafka, the topics of one that is new to the group are looked up after the
   * answer to the heartbeat that brings it, so that the member gets them with a later one.
   *
   * @returns whether its topics are known
   */
  #subscribe(pattern: string | null): boolean {
    this.#forgetPatterns()
    if (pattern === null) return false
    if (this.#patterns.has(pattern)) return true
    this.#after(0, () => this.#lookUp(pattern))
    return false
  }

  #lookUp(pattern: string): void {
    if (this.#patterns.has(pattern) || !this.#isSubscribed(pattern)) return
    const regex = compilePattern(pattern)
    this.#patterns.set(pattern, regex)
    if (this.#matching(regex).length > 0) this.#renew(true)
  }

  #isSubscribed(pattern: string): boolean {
    return [...this.members.values()].some((member) => member.pattern === pattern)
  }

  #forgetPatterns(): void {
    for (const pattern of this.#patterns.keys()) if (!this.#isSubscribed(pattern)) this.#patterns.delete(pattern)
  }

  #matching(regex: RegExp): Topic[] {
    return this.#cluster.topics().filter(({ name }) => regex.test(name))
  }

  /** Begins a new epoch when members, subscriptions or topics have changed. */
  #renew(isChanged: boolean): void {
    const metadata = JSON.stringify([...this.#partitionsOf()])
    if (isChanged || metadata !== this.#metadata) this.epoch++
    this.#metadata = metadata
  }

  /** Computes the target of a new epoch, which the next heartbeat of a member does. */
  #assign(): void {
    if (this.epoch === this.assignmentEpoch) return
    const members = [...this.members.values()].map((member) => ({ ...member, topicIds: this.#topicIdsOf(member) }))
    const assigned = ASSIGNORS[this.assignor]!(members, this.#partitionsOf())
    for (const member of this.members.values()) member.target = assigned.get(member.memberId) ?? NO_PARTITIONS
    this.assignmentEpoch = this.epoch
  }

  /** The topics of all members, with their numbers of partitions. */
  #partitionsOf(): Map<string, number> {
    const ids = new Set([...this.members.values()].flatMap((member) => [...this.#topicIdsOf(member)]))
    return new Map([...ids].toSorted().map((id) => [id, this.#cluster.topicById(id)!.partitions.length]))
  }

  #topicIdsOf({ topics, pattern, maySee = () => true }: ConsumerMember): Set<string> {
    const regex = pattern === null ? undefined : this.#patterns.get(pattern)
    const matched = regex === undefined ? [] : this.#matching(regex).filter(({ name }) => maySee(name))
    const named = topics.flatMap((name) => this.#cluster.topic(name) ?? [])
    return new Set([...named, ...matched].map(({ id }) => id))
  }

  /** Whether a member waits for partitions that others still hold. */
  isWaiting(member: ConsumerMember): boolean {
    return [...without(member.target, member.current.assigned)].some(([topicId, partitions]) =>
      [...partitions].some((partition) => !this.#isFree(topicId, partition, member)),
    )
  }

  #isFree(topicId: string, partition: number, except: ConsumerMember): boolean {
    for (const member of this.members.values()) {
      if (member === except) continue
      const { assigned, revoking } = member.current
      if (has(assigned, topicId, partition) || has(revoking, topicId, partition)) return false
    }
    return true
  }

  #leave(member: ConsumerMember, epoch: number): HeartbeatAnswer {
    if (epoch === STATIC_LEAVE_EPOCH && member.instanceId !== null) {
      member.isAway = true
      // It does not hold any more what it had to give up.
      member.current = { ...member.current, revoking: NO_PARTITIONS }
      // Its session goes on, so that it may come back.
      this.keepAlive(member)
    } else this.remove(member)
    return { errorCode: 0, epoch }
  }

  /** A member has left, or was silent for too long. */
  remove(member: ConsumerMember): void {
    this.#drop(member)
    this.#renew(true)
    const left = [...this.members.values()]
    if (member.classic === undefined && left.length > 0 && left.every(({ classic }) => classic !== undefined))
      this.onOnlyClassic()
  }

  #drop(member: ConsumerMember): void {
    for (const stop of member.stopTimers) stop()
    member.stopTimers = []
    member.classic?.stopJoinTimer?.()
    this.members.delete(member.memberId)
    this.#forgetPatterns()
  }

  /** Begins the session of a member again. */
  keepAlive(member: ConsumerMember): void {
    const [stopSession, ...others] = member.stopTimers
    stopSession?.()
    const timeoutMs = member.classic?.sessionTimeoutMs ?? this.#sessionTimeoutMs()
    member.stopTimers = [this.#after(timeoutMs, () => this.remove(member)), ...others]
  }

  /** A member of the classic protocol that does not join again in time is out. */
  expectJoin(member: ConsumerMember, classic: ClassicSide): void {
    classic.stopJoinTimer ??= this.#after(Math.max(0, member.rebalanceTimeoutMs), () => this.remove(member))
  }

  /** A member that does not give partitions up in time is out. */
  #watchRevocation(member: ConsumerMember, before: Current): void {
    const { current } = member
    if (current.state === before.state && current.epoch === before.epoch && isEqual(current.revoking, before.revoking))
      return
    const [session, ...others] = member.stopTimers
    for (const stop of others) stop()
    member.stopTimers = session === undefined ? [] : [session]
    if (current.state !== 'Unrevoked') return
    const late = (): void => {
      if (member.current === current || isEqual(member.current.revoking, current.revoking)) this.remove(member)
    }
    member.stopTimers.push(this.#after(Math.max(0, member.rebalanceTimeoutMs), late))
  }

  /**
   * Whether offsets may be committed in the name of a member.
   *
   * @returns an error code
   */
  admitCommit(claim: MemberClaim, transactional = false): number {
    const { memberId, generationId } = claim
    if (generationId < 0 && (this.members.size === 0 || (transactional && memberId === ''))) return ERROR.NONE
    const errorCode = this.admitFetch(claim)
    return transactional && errorCode === ERROR.STALE_MEMBER_EPOCH ? ERROR.ILLEGAL_GENERATION : errorCode
  }

  /** Whether a member may fetch offsets. @returns an error code */
  admitFetch({ memberId, generationId }: Pick<MemberClaim, 'memberId' | 'generationId'>): number {
    const member = this.members.get(memberId)
    if (member === undefined) return ERROR.UNKNOWN_MEMBER_ID
    if (epochOf(member) === generationId) return ERROR.NONE
    return member.classic === undefined ? ERROR.STALE_MEMBER_EPOCH : ERROR.ILLEGAL_GENERATION
  }

  kill(): void {
    this.stop()
  }

  /** Members find the new coordinator by themselves; nothing of them waits here. */
  unload(_errorCode: number): void {}

  stop(): void {
    for (const member of this.members.values()) this.#drop(member)
  }
}
