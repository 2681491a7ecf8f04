/**
 * A consumer group of the classic protocol, as its coordinator keeps it: who is in it, which generation it is in, and who
 * waits for what. It knows no sockets; time comes in as `after`.
 *
 * What a request is answered in which state is in `states.ts`.
 */
import { randomUuidText } from '../random.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import {
  type Joined,
  type JoinRequest,
  Member,
  type MemberClaim,
  NO_ASSIGNMENT,
  notJoined,
  notSynced,
  type Synced,
} from './member.ts'
import { GroupOffsets } from './offsets.ts'
import { CONSUMERS, selectProtocol, supportsProtocols } from './protocol-selection.ts'
import { ANSWERS, type GroupState } from './states.ts'

/** Calls back once. @returns cancels it */
export type After = (milliseconds: number, callback: () => void) => () => void

export class ClassicGroup {
  readonly kind = 'classic'
  readonly id: string
  readonly offsets: GroupOffsets
  readonly members = new Map<string, Member>()
  state: GroupState = 'Empty'
  generationId = 0
  /** Empty until a member has joined, and for groups that only hold offsets. */
  protocolType = ''
  protocolName: string | null = null
  leader = ''
  readonly #after: After
  /** Member ids of static members, by their instance id. */
  readonly #static = new Map<string, string>()
  /** Members that have got an id and have not joined with it yet, and what ends their timers. */
  readonly #pending = new Map<string, () => void>()
  #stopRebalanceTimer: () => void = () => {}

  constructor(id: string, after: After, offsets: GroupOffsets = new GroupOffsets()) {
    this.id = id
    this.offsets = offsets
    this.#after = after
  }

  join(request: JoinRequest): Joined | Promise<Joined> {
    const { memberId, protocolType, protocols, instanceId } = request
    const dead = this.state === 'Dead' ? ERROR.COORDINATOR_NOT_AVAILABLE : undefined
    const fits = supportsProtocols([...this.members.values()], this.protocolType, protocolType, protocols)
    const refused = dead ?? (fits ? undefined : ERROR.INCONSISTENT_GROUP_PROTOCOL)
    if (refused !== undefined) return notJoined(memberId, refused)
    if (memberId === '') return this.#joinNew(request)
    const stopPending = this.#pending.get(memberId)
    if (stopPending !== undefined) {
      stopPending()
      this.#pending.delete(memberId)
      return this.#add(memberId, request)
    }
    const member = this.#find({ memberId, instanceId, generationId: -1 })
    return typeof member === 'number' ? notJoined(memberId, member) : this.#rejoin(member, request)
  }

  /** Takes over the members of a group of the consumer protocol, which then have to join again. */
  adopt(members: readonly Member[], generationId: number): void {
    for (const member of members) {
      this.members.set(member.id, member)
      if (member.instanceId !== null) this.#static.set(member.instanceId, member.id)
      this.#keepAlive(member)
    }
    this.generationId = generationId
    this.protocolType = CONSUMERS
    this.protocolName = selectProtocol(members)
    this.leader = members[0]?.id ?? ''
    this.state = 'Stable'
    this.#rebalance()
  }

  #joinNew(request: JoinRequest): Joined | Promise<Joined> {
    const { instanceId, clientId, requiresMemberId } = request
    const memberId = `${instanceId ?? clientId}-${randomUuidText()}`
    const known = instanceId === null ? undefined : this.#static.get(instanceId)
    if (known !== undefined) return this.#replaceStatic(this.members.get(known)!, memberId, request)
    if (instanceId !== null || !requiresMemberId) return this.#add(memberId, request)
    const stop = this.#after(request.sessionTimeoutMs, () => {
      this.#pending.delete(memberId)
      this.#completeIfAllJoined()
    })
    this.#pending.set(memberId, stop)
    return notJoined(memberId, ERROR.MEMBER_ID_REQUIRED)
  }

  #add(memberId: string, request: JoinRequest): Promise<Joined> {
    const member = new Member(memberId, request)
    this.members.set(memberId, member)
    if (member.instanceId !== null) this.#static.set(member.instanceId, memberId)
    if (this.members.size === 1) this.protocolType = request.protocolType
    if (this.leader === '') this.leader = memberId
    const joined = this.#wait(member)
    this.#rebalance()
    return joined
  }

  #rejoin(member: Member, request: JoinRequest): Joined | Promise<Joined> {
    const { rejoin } = ANSWERS[this.state]
    if (typeof rejoin === 'number') return notJoined(member.id, rejoin)
    const isUnchanged = member.proposes(request.protocols)
    const isFollower = member.id !== this.leader
    if (
      isUnchanged &&
      (rejoin === 'current-if-unchanged' || (rejoin === 'current-if-unchanged-follower' && isFollower))
    ) {
      this.#keepAlive(member)
      return this.#joined(member)
    }
    this.#update(member, request)
    const joined = this.#wait(member)
    this.#rebalance()
    return joined
  }

  #update(member: Member, { protocols, sessionTimeoutMs, rebalanceTimeoutMs }: JoinRequest): void {
    member.protocols = protocols
    member.sessionTimeoutMs = sessionTimeoutMs
    member.rebalanceTimeoutMs = rebalanceTimeoutMs
  }

  /** A static member that has been started again takes the place of the one before, which is fenced (KIP-345). */
  #replaceStatic(old: Member, memberId: string, request: JoinRequest): Joined | Promise<Joined> {
    const member = new Member(memberId, { ...request, instanceId: old.instanceId })
    member.assignment = old.assignment
    member.hasSynced = old.hasSynced
    this.#drop(old, ERROR.FENCED_INSTANCE_ID)
    this.members.set(memberId, member)
    this.#static.set(old.instanceId!, memberId)
    const wasLeader = this.leader === old.id
    if (wasLeader) this.leader = memberId
    const isSettled = this.state === 'Stable' && old.proposes(request.protocols)
    if (!isSettled) {
      const joined = this.#wait(member)
      this.#rebalance()
      return joined
    }
    this.#keepAlive(member)
    const joined = this.#joined(member)
    if (!wasLeader || request.canSkipAssignment) return { ...joined, skipAssignment: wasLeader }
    // An old client that hears that it leads would assign again, so the response names its predecessor.
    return { ...joined, leader: old.id, members: [] }
  }

  sync(
    claim: MemberClaim,
    protocolType: string | null,
    protocolName: string | null,
    assignments: ReadonlyMap<string, Buffer>,
  ): Synced | Promise<Synced> {
    const member = this.#check(claim)
    if (typeof member === 'number') return notSynced(member)
    const isOther =
      (protocolType !== null && protocolType !== this.protocolType) ||
      (protocolName !== null && protocolName !== this.protocolName)
    if (isOther) return notSynced(ERROR.INCONSISTENT_GROUP_PROTOCOL)
    const { sync } = ANSWERS[this.state]
    if (typeof sync === 'number') return notSynced(sync)
    member.hasSynced = true
    if (sync === 'assignment') {
      this.#keepAlive(member)
      return this.#synced(member)
    }
    const synced = new Promise<Synced>((resolve) => (member.syncing = resolve))
    if (member.id === this.leader) this.#assign(assignments)
    return synced
  }

  /** Passes on what the leader has decided to every member that waits for it. */
  #assign(assignments: ReadonlyMap<string, Buffer>): void {
    this.state = 'Stable'
    for (const member of this.members.values()) {
      member.assignment = assignments.get(member.id) ?? NO_ASSIGNMENT
      if (member.syncing !== undefined) this.#keepAlive(member)
      member.answerSync(this.#synced(member))
    }
  }

  /** @returns an error code */
  heartbeat(claim: MemberClaim): number {
    const member = this.#check(claim)
    if (typeof member === 'number') return member
    const { heartbeat } = ANSWERS[this.state]
    if (heartbeat === ERROR.NONE || heartbeat === ERROR.REBALANCE_IN_PROGRESS) this.#keepAlive(member)
    return heartbeat
  }

  /** @returns an error code */
  leave({ memberId, instanceId }: Omit<MemberClaim, 'generationId'>): number {
    if (this.state === 'Dead') return ERROR.COORDINATOR_NOT_AVAILABLE
    const stopPending = this.#pending.get(memberId)
    if (instanceId === null && stopPending !== undefined) {
      stopPending()
      this.#pending.delete(memberId)
      this.#completeIfAllJoined()
      return ERROR.NONE
    }
    // A tool that removes a static member does not know its id.
    const id = instanceId !== null && memberId === '' ? (this.#static.get(instanceId) ?? '') : memberId
    const member = this.#find({ memberId: id, instanceId, generationId: -1 })
    if (typeof member === 'number') return member
    this.#remove(member)
    return ERROR.NONE
  }

  /**
   * Whether offsets may be committed.
   *
   * @param transactional as part of a transaction, whose producer need not be a member
   * @returns an error code
   */
  admitCommit(claim: MemberClaim, transactional = false): number {
    const { memberId, instanceId, generationId } = claim
    if (generationId < 0 && this.state === 'Empty') return ERROR.NONE
    const answers = ANSWERS[this.state]
    if (generationId < 0 && memberId === '' && instanceId === null)
      return transactional ? ERROR.NONE : answers.simpleCommit
    const member = this.#check(claim)
    if (typeof member === 'number') return member
    if (!transactional && answers.commit !== ERROR.NONE) return answers.commit
    this.#keepAlive(member)
    return ERROR.NONE
  }

  /** Ends the group: it was deleted. */
  kill(): void {
    this.state = 'Dead'
    this.stop(ERROR.COORDINATOR_NOT_AVAILABLE)
  }

  /** Whatever waits is answered with an error, for another node has become the coordinator. */
  unload(errorCode: number): void {
    for (const member of this.members.values()) {
      member.answerJoin(notJoined(member.id, errorCode))
      member.answerSync(notSynced(errorCode))
      this.#keepAlive(member)
    }
  }

  /** Answers whatever waits, and ends all timers. */
  stop(errorCode: number): void {
    for (const member of this.members.values()) this.#drop(member, errorCode)
    for (const stop of this.#pending.values()) stop()
    this.#pending.clear()
    this.#stopRebalanceTimer()
  }

  #check(claim: MemberClaim): Member | number {
    if (this.state === 'Dead') return ERROR.COORDINATOR_NOT_AVAILABLE
    const member = this.#find(claim)
    if (typeof member === 'number') return member
    return claim.generationId === this.generationId ? member : ERROR.ILLEGAL_GENERATION
  }

  #find({ memberId, instanceId }: MemberClaim): Member | number {
    if (instanceId !== null) {
      const known = this.#static.get(instanceId)
      if (known === undefined) return ERROR.UNKNOWN_MEMBER_ID
      if (known !== memberId) return ERROR.FENCED_INSTANCE_ID
    }
    return this.members.get(memberId) ?? ERROR.UNKNOWN_MEMBER_ID
  }

  #wait(member: Member): Promise<Joined> {
    member.stopTimer()
    // A request that was sent again takes the place of the one before.
    member.answerJoin(notJoined(member.id, ERROR.UNKNOWN_MEMBER_ID))
    return new Promise((resolve) => (member.joining = resolve))
  }

  /** Restarts the session timer of a member. While a request of it waits, it lives. */
  #keepAlive(member: Member): void {
    member.stopTimer()
    member.stopTimer = this.#after(member.sessionTimeoutMs, () => {
      if (member.joining === undefined && member.syncing === undefined) this.#remove(member)
    })
  }

  #drop(member: Member, errorCode: number): void {
    member.stopTimer()
    member.answerJoin(notJoined(member.id, errorCode))
    member.answerSync(notSynced(errorCode))
    this.members.delete(member.id)
    if (member.instanceId !== null && this.#static.get(member.instanceId) === member.id)
      this.#static.delete(member.instanceId)
  }

  #remove(member: Member): void {
    this.#drop(member, ERROR.UNKNOWN_MEMBER_ID)
    if (this.leader === member.id) this.#electLeader()
    if (this.state === 'PreparingRebalance') this.#completeIfAllJoined()
    else this.#rebalance()
  }

  /** A member that has joined leads; if none has, the first one. */
  #electLeader(): void {
    const members = [...this.members.values()]
    this.leader = (members.find(({ joining }) => joining !== undefined) ?? members[0])?.id ?? ''
  }

  /** Begins a rebalance, unless one is being prepared: all members have to join again. */
  #rebalance(): void {
    if (this.state !== 'PreparingRebalance') {
      for (const member of this.members.values()) {
        // Members keep their last assignment, unless the leader of this generation had not assigned anything yet.
        if (this.state === 'CompletingRebalance') member.assignment = NO_ASSIGNMENT
        member.answerSync(notSynced(ERROR.REBALANCE_IN_PROGRESS))
      }
      this.state = 'PreparingRebalance'
      this.#stopRebalanceTimer()
      const timeoutMs = Math.max(0, ...[...this.members.values()].map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs))
      this.#stopRebalanceTimer = this.#after(timeoutMs, () => this.#completeWithout())
    }
    this.#completeIfAllJoined()
  }

  #completeIfAllJoined(): void {
    if (this.state !== 'PreparingRebalance' || this.#pending.size > 0) return
    for (const { joining } of this.members.values()) if (joining === undefined) return
    this.#complete()
  }

  /** The time to join is over: dynamic members that have not joined are out, static ones may still come back. */
  #completeWithout(): void {
    for (const member of this.members.values())
      if (member.joining === undefined && member.instanceId === null) this.#drop(member, ERROR.UNKNOWN_MEMBER_ID)
    if (this.members.get(this.leader)?.joining === undefined) this.#electLeader()
    const hasJoined = [...this.members.values()].some(({ joining }) => joining !== undefined)
    if (hasJoined || this.members.size === 0) return this.#complete()
    const timeoutMs = Math.max(...[...this.members.values()].map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs))
    this.#stopRebalanceTimer = this.#after(timeoutMs, () => this.#completeWithout())
  }

  /** Begins the next generation. */
  #complete(): void {
    this.#stopRebalanceTimer()
    this.generationId++
    if (this.members.size === 0) {
      this.state = 'Empty'
      this.protocolName = null
      return
    }
    this.state = 'CompletingRebalance'
    this.protocolName = selectProtocol([...this.members.values()])
    for (const member of this.members.values()) {
      member.hasSynced = false
      if (member.joining === undefined) continue
      this.#keepAlive(member)
      member.answerJoin(this.#joined(member))
    }
    this.#expectSyncs()
  }

  /** Members that do not ask for their assignment in time are out. */
  #expectSyncs(): void {
    const generation = this.generationId
    const timeoutMs = Math.max(...[...this.members.values()].map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs))
    this.#stopRebalanceTimer = this.#after(timeoutMs, () => {
      if (generation !== this.generationId || (this.state !== 'CompletingRebalance' && this.state !== 'Stable')) return
      const late = [...this.members.values()].filter(({ hasSynced }) => !hasSynced)
      for (const member of late) this.#drop(member, ERROR.UNKNOWN_MEMBER_ID)
      if (!this.members.has(this.leader)) this.#electLeader()
      if (late.length > 0) this.#rebalance()
    })
  }

  #joined(member: Member): Joined {
    const { protocolName, leader } = this
    const isLeader = member.id === leader
    return {
      errorCode: ERROR.NONE,
      generationId: this.generationId,
      protocolType: this.protocolType,
      protocolName,
      leader,
      memberId: member.id,
      skipAssignment: false,
      members: isLeader
        ? [...this.members.values()].map((each) => ({
            memberId: each.id,
            groupInstanceId: each.instanceId,
            metadata: each.metadataOf(protocolName ?? ''),
          }))
        : [],
    }
  }

  #synced({ assignment }: Member): Synced {
    return { errorCode: ERROR.NONE, protocolType: this.protocolType, protocolName: this.protocolName, assignment }
  }
}
