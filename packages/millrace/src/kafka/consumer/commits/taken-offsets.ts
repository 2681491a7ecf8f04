/** The offsets that a transaction commits for a consumer. */
import { isMillraceError } from '../../../errors/index.ts'
import type { GroupOffsets } from '../../../contracts/offsets.ts'
import type { GroupSession } from '../../group/session.ts'
import type { ConsumerOptions } from '../options.ts'
import type { OffsetLedger } from './offset-ledger.ts'

/** What is acknowledged and not committed, with proof of membership as long as all its partitions stay owned, and topics are the same (I5). */
export function takenOffsets(
  session: GroupSession,
  ledger: OffsetLedger,
  { cluster, settings }: ConsumerOptions,
): GroupOffsets {
  const { groupId, instanceId } = settings
  const offsets = ledger.committable()
  const tenures = offsets.map((each) => session.tenure(each))
  // A transaction commits an offset for whatever topic has the name.
  const isSame = ({ topic, topicId }: (typeof offsets)[number]): boolean =>
    topicId === undefined || (cluster.cachedTopic(topic)?.id ?? topicId) === topicId
  // It may be created again, with other records.
  let isGone = false
  return {
    groupId: groupId!,
    offsets,
    member: () => {
      if (isGone) return undefined
      const isOwned = offsets.every(
        (each, i) => tenures[i] !== undefined && session.tenure(each) === tenures[i] && isSame(each),
      )
      return isOwned ? { memberId: session.memberId, generation: session.generation, instanceId } : undefined
    },
    awaitGeneration: (generation) => session.awaitGeneration(generation),
    lookForTopics: async () => {
      for (const topic of new Set(offsets.map((each) => each.topic))) {
        // Whatever else is wrong shows with the next attempt.
        await cluster.refresh([topic]).catch((error: unknown) => {
          isGone ||= isMillraceError(error) && error.code === 'TOPIC_NOT_FOUND'
        })
      }
    },
  }
}
