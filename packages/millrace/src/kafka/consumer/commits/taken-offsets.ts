/** The offsets that a transaction commits for a consumer. */
import type { GroupOffsets } from '../../../contracts/offsets.ts'
import type { GroupSession } from '../../group/session.ts'
import type { OffsetLedger } from './offset-ledger.ts'

/** What is acknowledged and not committed, with proof of membership as long as all its partitions stay owned (I5). */
export function takenOffsets(
  session: GroupSession,
  ledger: OffsetLedger,
  groupId: string,
  instanceId: string | undefined,
): GroupOffsets {
  const offsets = ledger.committable()
  const tenures = offsets.map((each) => session.tenure(each))
  return {
    groupId,
    offsets,
    member: () => {
      const isOwned = offsets.every((each, i) => tenures[i] !== undefined && session.tenure(each) === tenures[i])
      return isOwned ? { memberId: session.memberId, generation: session.generation, instanceId } : undefined
    },
    awaitGeneration: (generation) => session.awaitGeneration(generation),
  }
}
