/**
 * How a member of a consumer group (KIP-848) gets from what it has to what it is to have: first it gives up what it is not to
 * have, then it gets what no other member holds any more.
 *
 * | state | means | goes on when |
 * |---|---|---|
 * | Stable | it has what it is to have | the target has changed |
 * | Unrevoked | it has to give partitions up | it reports that it has |
 * | Unreleased | others still hold partitions that it is to have | one of them is free |
 */
import type { Partitions } from './assignors.ts'
import { common, filtered, isEmpty, joined, NO_PARTITIONS, without } from './partition-sets.ts'

export const MEMBER_STATES = ['Stable', 'Unrevoked', 'Unreleased'] as const
export type MemberState = (typeof MEMBER_STATES)[number]

/** What a member has, and of which epoch of the assignment. */
export interface Current {
  readonly state: MemberState
  readonly epoch: number
  readonly previousEpoch: number
  readonly assigned: Partitions
  /** What it still holds, and has to give up. */
  readonly revoking: Partitions
}

export interface Reconciliation {
  readonly target: Partitions
  readonly targetEpoch: number
  /** What the member says that it holds; `undefined` when it says nothing new. */
  readonly owned: Partitions | undefined
  /** Whether no other member holds a partition. */
  readonly isFree: (topicId: string, partition: number) => boolean
}

export function reconcile(current: Current, step: Reconciliation): Current {
  switch (current.state) {
    case 'Stable':
      return current.epoch === step.targetEpoch ? current : advance(current, step)
    case 'Unrevoked': {
      const hasGivenUp = step.owned !== undefined && isEmpty(common(step.owned, current.revoking))
      return hasGivenUp ? advance({ ...current, revoking: NO_PARTITIONS }, step) : current
    }
    case 'Unreleased':
      return advance(current, step)
  }
}

function advance(current: Current, { target, targetEpoch, owned, isFree }: Reconciliation): Current {
  const kept = common(current.assigned, target)
  const revoking = without(current.assigned, target)
  const holdsThem = owned === undefined || !isEmpty(common(owned, revoking))
  if (!isEmpty(revoking) && holdsThem) return { ...current, state: 'Unrevoked', assigned: kept, revoking }
  const wanted = without(target, kept)
  const free = filtered(wanted, isFree)
  const isComplete = isEmpty(without(wanted, free))
  return {
    state: isComplete ? 'Stable' : 'Unreleased',
    epoch: targetEpoch,
    previousEpoch: current.epoch === targetEpoch ? current.previousEpoch : current.epoch,
    assigned: joined(kept, free),
    revoking: NO_PARTITIONS,
  }
}
