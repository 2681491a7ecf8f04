/**
 * The states of a classic consumer group, and what a member of it is answered in each.
 *
 * ```
 *          a member joins                    all have joined                      the leader syncs
 *  Empty ────────────────► PreparingRebalance ───────────────► CompletingRebalance ────────────────► Stable
 *    ▲                        ▲  │    ▲                              │                                  │
 *    └────────────────────────┼──┘    └── a member joins or leaves ──┴──────────────────────────────────┘
 *         the last one leaves │
 *                             Dead: the group was deleted
 * ```
 *
 * @see https://cwiki.apache.org/confluence/display/KAFKA/Kafka+Client-side+Assignment+Proposal
 */
import { ERROR } from '../../protocol/error-codes.ts'

export const GROUP_STATES = ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead'] as const
export type GroupState = (typeof GROUP_STATES)[number]

/** What a request of a known member with the right generation leads to. */
export interface Answers {
  /** Error code. */
  readonly heartbeat: number
  /** Error code; or the assignment, at once or when the leader has sent it. */
  readonly sync: number | 'assignment' | 'wait'
  /** Error code. */
  readonly commit: number
  /** Error code of a commit that names no member, as simple consumers and tools send it. */
  readonly simpleCommit: number
  /** Whether the member has to wait for a rebalance or, if it asks for nothing new, gets the current generation. */
  readonly rejoin: 'rebalance' | 'current-if-unchanged' | 'current-if-unchanged-follower' | number
}

const { NONE, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE } = ERROR

export const ANSWERS: { readonly [state in GroupState]: Answers } = {
  Empty: {
    heartbeat: UNKNOWN_MEMBER_ID,
    sync: UNKNOWN_MEMBER_ID,
    commit: UNKNOWN_MEMBER_ID,
    simpleCommit: NONE,
    rejoin: UNKNOWN_MEMBER_ID,
  },
  PreparingRebalance: {
    heartbeat: REBALANCE_IN_PROGRESS,
    sync: REBALANCE_IN_PROGRESS,
    // What the member has processed so far still counts.
    commit: NONE,
    simpleCommit: UNKNOWN_MEMBER_ID,
    rejoin: 'rebalance',
  },
  CompletingRebalance: {
    heartbeat: NONE,
    sync: 'wait',
    commit: REBALANCE_IN_PROGRESS,
    simpleCommit: UNKNOWN_MEMBER_ID,
    // Its answer may have been lost.
    rejoin: 'current-if-unchanged',
  },
  Stable: {
    heartbeat: NONE,
    sync: 'assignment',
    commit: NONE,
    simpleCommit: UNKNOWN_MEMBER_ID,
    // The leader joins again because the topics have changed.
    rejoin: 'current-if-unchanged-follower',
  },
  Dead: {
    heartbeat: COORDINATOR_NOT_AVAILABLE,
    sync: COORDINATOR_NOT_AVAILABLE,
    commit: COORDINATOR_NOT_AVAILABLE,
    simpleCommit: COORDINATOR_NOT_AVAILABLE,
    rejoin: COORDINATOR_NOT_AVAILABLE,
  },
}
