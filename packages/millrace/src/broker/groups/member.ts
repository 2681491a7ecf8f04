/** A member of a classic group. */
export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

/** What a member gets when a rebalance has ended, or why there was none. */
export interface Joined {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly memberId: string
  /** Whether the leader need not assign anything, as a static member that has come back. */
  readonly skipAssignment: boolean
  /** All members, for the leader. */
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly metadata: Buffer
  }[]
}

export interface Synced {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

/** Which member a request is from. */
export interface MemberClaim {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generationId: number
}

export interface MemberOptions {
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocols: readonly Protocol[]
}

/** A member that joins, or joins again. */
export interface JoinRequest extends MemberOptions {
  /** Empty for a member that has none yet. */
  readonly memberId: string
  readonly protocolType: string
  /** Whether a new member is first given an id, and joins with that (KIP-394). */
  readonly requiresMemberId: boolean
  /** Whether the client understands that a leader need not assign anything (KIP-814). */
  readonly canSkipAssignment: boolean
}

export const NO_ASSIGNMENT = Buffer.alloc(0)

export class Member {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly Protocol[]
  assignment: Buffer = NO_ASSIGNMENT
  /** Answers its JoinGroup request, while that waits. */
  joining: ((joined: Joined) => void) | undefined
  /** Answers its SyncGroup request, while that waits. */
  syncing: ((synced: Synced) => void) | undefined
  /** Whether it has asked for the assignment of the current generation. */
  hasSynced = false
  /** Ends the current session timer. */
  stopTimer: () => void = () => {}

  constructor(id: string, options: MemberOptions) {
    this.id = id
    this.instanceId = options.instanceId
    this.clientId = options.clientId
    this.clientHost = options.clientHost
    this.sessionTimeoutMs = options.sessionTimeoutMs
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs
    this.protocols = options.protocols
  }

  metadataOf(protocol: string): Buffer {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_ASSIGNMENT
  }

  /** Whether it proposes the same protocols, with the same metadata, in the same order. */
  proposes(protocols: readonly Protocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(
        ({ name, metadata }, i) => name === this.protocols[i]!.name && metadata.equals(this.protocols[i]!.metadata),
      )
    )
  }

  answerJoin(joined: Joined): void {
    const answer = this.joining
    this.joining = undefined
    answer?.(joined)
  }

  answerSync(synced: Synced): void {
    const answer = this.syncing
    this.syncing = undefined
    answer?.(synced)
  }
}

export function notJoined(memberId: string, errorCode: number): Joined {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    memberId,
    skipAssignment: false,
    members: [],
  }
}

export function notSynced(errorCode: number): Synced {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT }
}
