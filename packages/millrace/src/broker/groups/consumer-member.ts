/** A member of a consumer group of the consumer protocol (KIP-848), what it sends, and what it is answered. */
import type { Partitions } from './assignors.ts'
import type { Protocol } from './member.ts'
import { NO_PARTITIONS } from './partition-sets.ts'
import type { Current } from './reconciliation.ts'

/** Epochs of a heartbeat that joins, and that leaves as a static member that is going to come back; -1 leaves for good. */
export const JOIN_EPOCH = 0

export const STATIC_LEAVE_EPOCH = -2

/** What a member sends. */
export interface ConsumerHeartbeat {
  readonly memberId: string
  readonly epoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** -1 when it has not changed. */
  readonly rebalanceTimeoutMs: number
  /** Null when it has not changed, as all below. */
  readonly topics: readonly string[] | null
  readonly pattern: string | null
  /** Whether the client may see a topic; only those match its pattern. All when omitted. */
  readonly maySee?: (topic: string) => boolean
  readonly assignor: string | null
  readonly owned: Partitions | null
  /** Of a member that speaks the classic protocol; see `classic-members.ts`. */
  readonly classic?: ClassicSide
}

/** What there is about a member of this group that speaks the classic protocol. */
export interface ClassicSide {
  readonly sessionTimeoutMs: number
  readonly protocols: readonly Protocol[]
  /** Ends the time in which it has to join again; undefined when it need not. */
  stopJoinTimer: (() => void) | undefined
}

/** What the coordinator knows of a member. */
export interface ConsumerMember {
  readonly memberId: string
  readonly instanceId: string | null
  rackId: string | null
  clientId: string
  clientHost: string
  rebalanceTimeoutMs: number
  topics: readonly string[]
  pattern: string | null
  /** As of its last heartbeat. */
  maySee?: ((topic: string) => boolean) | undefined
  assignor: string | null
  current: Current
  target: Partitions
  /** Whether it has left, and is going to come back. */
  isAway: boolean
  classic: ClassicSide | undefined
  stopTimers: (() => void)[]
}

/** What a heartbeat is answered; an assignment only when there is something new. */
export interface HeartbeatAnswer {
  readonly errorCode: number
  readonly message?: string
  readonly epoch: number
  readonly assignment?: Partitions
}

/** Of a member that has got nothing yet. */
export const FRESH: Current = {
  state: 'Stable',
  epoch: 0,
  previousEpoch: 0,
  assigned: NO_PARTITIONS,
  revoking: NO_PARTITIONS,
}

/** The epoch that a member has to name, which one that is away does not have. */
export function epochOf({ isAway, current }: ConsumerMember): number {
  return isAway ? STATIC_LEAVE_EPOCH : current.epoch
}
