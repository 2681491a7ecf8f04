/**
 * Members of a group of the consumer protocol that speak the classic one (KIP-848): what they say becomes heartbeats of the other
 * protocol, and they learn of their assignment by joining again. None of them leads: the coordinator assigns.
 *
 * | request | becomes |
 * |---|---|
 * | JoinGroup | a heartbeat with subscription and owned partitions; its epoch is the generation |
 * | SyncGroup | the current assignment |
 * | Heartbeat | REBALANCE_IN_PROGRESS when joining again leads to another assignment |
 * | LeaveGroup | the member is removed |
 */
import { isMillraceError } from '../../errors/index.ts'
import { decodeSubscription, type Subscription } from '../../kafka/group/classic-subscription.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { randomUuidText } from '../random.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ClassicSide, type ConsumerMember, JOIN_EPOCH } from './consumer-member.ts'
import { type Joined, type JoinRequest, type MemberClaim, notJoined, notSynced, type Synced } from './member.ts'
import { assignmentOf, withIds } from './migration.ts'
import { CONSUMERS } from './protocol-selection.ts'

export class ClassicMembers {
  readonly #group: ConsumerGroup
  readonly #cluster: Cluster

  constructor(group: ConsumerGroup, cluster: Cluster) {
    this.#group = group
    this.#cluster = cluster
  }

  join(request: JoinRequest): Joined {
    const { instanceId, clientId, clientHost, protocols, protocolType, sessionTimeoutMs, rebalanceTimeoutMs } = request
    const subscription = subscriptionIn(request)
    if (protocolType !== CONSUMERS || subscription === undefined || !this.#isCommon(request))
      return notJoined(request.memberId, ERROR.INCONSISTENT_GROUP_PROTOCOL)
    const isNew = request.memberId === ''
    if (isNew && instanceId === null && request.requiresMemberId)
      return notJoined(`${clientId}-${randomUuidText()}`, ERROR.MEMBER_ID_REQUIRED)
    const memberId = isNew ? `${instanceId ?? clientId}-${randomUuidText()}` : request.memberId
    const known = this.#group.members.get(memberId)
    const classic: ClassicSide = { sessionTimeoutMs, protocols, stopJoinTimer: undefined }
    const answer = this.#group.heartbeat({
      memberId,
      epoch: known?.current.epoch ?? JOIN_EPOCH,
      instanceId,
      rackId: subscription.rackId,
      clientId,
      clientHost,
      rebalanceTimeoutMs,
      topics: subscription.topics,
      pattern: null,
      assignor: null,
      // Members with an eager assignor have given up everything before they join.
      owned: withIds(subscription.owned, this.#cluster),
      classic,
    })
    if (answer.errorCode !== 0) return notJoined(memberId, answer.errorCode)
    return {
      errorCode: ERROR.NONE,
      generationId: answer.epoch,
      protocolType: CONSUMERS,
      protocolName: protocols[0]!.name,
      leader: '',
      memberId,
      skipAssignment: false,
      members: [],
    }
  }

  /** Whether a member has a protocol in common with the others that speak the classic one. */
  #isCommon({ memberId, protocols }: JoinRequest): boolean {
    const others = [...this.#group.members.values()].filter((member) => member.memberId !== memberId)
    return protocols.some(({ name }) =>
      others.every(({ classic }) => classic === undefined || classic.protocols.some((other) => other.name === name)),
    )
  }

  sync(claim: MemberClaim, protocolType: string | null, protocolName: string | null): Synced {
    const found = this.#check(claim)
    if (typeof found === 'number') return notSynced(found)
    const { member, classic } = found
    const name = classic.protocols[0]!.name
    if ((protocolType !== null && protocolType !== CONSUMERS) || (protocolName !== null && protocolName !== name))
      return notSynced(ERROR.INCONSISTENT_GROUP_PROTOCOL)
    const { state, epoch, assigned } = member.current
    // One that has to give partitions up has joined already.
    if (epoch < this.#group.epoch && state !== 'Unrevoked') return notSynced(ERROR.REBALANCE_IN_PROGRESS)
    this.#group.keepAlive(member)
    const assignment = assignmentOf(assigned, this.#cluster)
    return { errorCode: ERROR.NONE, protocolType: CONSUMERS, protocolName: name, assignment }
  }

  /** @returns an error code */
  heartbeat(claim: MemberClaim): number {
    const found = this.#check(claim)
    if (typeof found === 'number') return found
    const { member, classic } = found
    this.#group.keepAlive(member)
    const { state, epoch } = member.current
    const isBehind =
      epoch < this.#group.epoch || state === 'Unrevoked' || (state === 'Unreleased' && !this.#group.isWaiting(member))
    if (!isBehind) return ERROR.NONE
    this.#group.expectJoin(member, classic)
    return ERROR.REBALANCE_IN_PROGRESS
  }

  /** @returns an error code */
  leave({ memberId, instanceId }: Omit<MemberClaim, 'generationId'>): number {
    const holder = instanceId === null ? undefined : this.#group.findStatic(instanceId)
    if (instanceId !== null && holder === undefined) return ERROR.UNKNOWN_MEMBER_ID
    // A tool that removes a static member does not know its id.
    if (holder !== undefined && memberId !== '' && holder.memberId !== memberId) return ERROR.FENCED_INSTANCE_ID
    const member = holder ?? this.#group.members.get(memberId)
    if (member === undefined) return ERROR.UNKNOWN_MEMBER_ID
    this.#group.remove(member)
    return ERROR.NONE
  }

  #check({
    memberId,
    instanceId,
    generationId,
  }: MemberClaim): { member: ConsumerMember; classic: ClassicSide } | number {
    const holder = instanceId === null ? undefined : this.#group.findStatic(instanceId)
    if (holder !== undefined && holder.memberId !== memberId) return ERROR.FENCED_INSTANCE_ID
    const member = this.#group.members.get(memberId)
    if (member?.classic === undefined) return ERROR.UNKNOWN_MEMBER_ID
    return member.current.epoch === generationId ? { member, classic: member.classic } : ERROR.ILLEGAL_GENERATION
  }
}

function subscriptionIn({ protocols }: JoinRequest): Subscription | undefined {
  const [first] = protocols
  if (first === undefined) return undefined
  try {
    return decodeSubscription(first.metadata)
  } catch (error) {
    if (isMillraceError(error)) return undefined
    throw error
  }
}
