/**
 * Commits the offsets of a member: only of what it owns, however long that takes, and never in the name of a later owner (I3).
 */
import { backoffMs, sleep } from '../../resilience/retry.ts'
import { commitOnce } from './committed-offsets.ts'
import { type GroupCoordinator, groupError, verdictOf, verdictOfError } from './coordinator.ts'
import type { Membership } from './membership.ts'
import type { CommitRefusal, CommitResult, OffsetToCommit } from './contract.ts'

/** How long a commit waits for a rebalance that is under way before the offsets are left to a later commit. */
const REBALANCE_PATIENCE_MS = 5000

interface Pending {
  readonly offset: OffsetToCommit
  /** The assignment that the offset belongs to: a partition that goes and comes back is another owner's in between. */
  readonly tenure: number | undefined
  /** What the broker said last. */
  readonly outcome: Outcome
}

/**
 * Sends the offsets until each is committed or refused.
 *
 * @throws {BrokerError} `MEMBER_FENCED`, or what the broker has against an offset
 * @throws {ConnectionError} when the coordinator could not be reached for `apiTimeoutMs`; {AbortedError}
 */
export async function commitOwned(
  coordinator: GroupCoordinator,
  membership: Membership,
  offsets: readonly OffsetToCommit[],
  signal?: AbortSignal,
): Promise<CommitResult> {
  const { cluster, groupId } = coordinator
  const { ownership } = membership
  const committed: OffsetToCommit[] = []
  const refused: (OffsetToCommit & { reason: CommitRefusal })[] = []
  const refuse = (pending: readonly Pending[], reason: CommitRefusal): void =>
    void refused.push(...pending.map(({ offset }) => ({ ...offset, reason })))
  const isOwned = ({ offset, tenure }: Pending): boolean =>
    tenure !== undefined && ownership.tenure(offset.topic, offset.partition) === tenure

  const started = performance.now()
  let open = offsets.map((offset): Pending => ({
    offset,
    tenure: ownership.tenure(offset.topic, offset.partition),
    outcome: 'coordinator',
  }))
  for (let attempt = 1; ; attempt++) {
    // Asked anew before every attempt, because ownership may end while this waits (I3).
    refuse(
      open.filter((each) => !isOwned(each)),
      'not owned',
    )
    open = open.filter(isOwned)
    if (open.length === 0) return { committed, refused }

    const member = membership.identity
    try {
      const codes = await commitOnce(
        coordinator,
        member,
        open.map(({ offset }) => offset),
        signal,
      )
      open = open.map((each, i) => ({ ...each, outcome: outcomeOf(codes[i]!) }))
      const bad = open.findIndex(({ outcome }) => outcome === 'failed')
      if (bad >= 0) {
        membership.hurry()
        const { topic, partition, offset } = open[bad]!.offset
        throw groupError(codes[bad]!, `Cannot commit offset ${offset} of ${topic}-${partition} for group "${groupId}"`)
      }
    } catch (error) {
      if (verdictOfError(error) !== 'moved' || performance.now() - started > cluster.apiTimeoutMs) throw error
      open = open.map((each) => ({ ...each, outcome: 'coordinator' }))
    }

    committed.push(...open.filter(({ outcome }) => outcome === 'committed').map(({ offset }) => offset))
    const gone = open.filter(({ outcome }) => outcome === 'not owned')
    refuse(gone, 'not owned')
    // The next heartbeat finds out what has become of this member.
    if (gone.length > 0) membership.hurry()

    const passedMs = performance.now() - started
    open = open.filter(({ outcome }) => outcome !== 'committed' && outcome !== 'not owned')
    const late = open.filter(
      ({ outcome }) => passedMs > (outcome === 'coordinator' ? cluster.apiTimeoutMs : REBALANCE_PATIENCE_MS),
    )
    refuse(
      late.filter(({ outcome }) => outcome === 'topic unknown'),
      'topic unknown',
    )
    refuse(
      late.filter(({ outcome }) => outcome !== 'topic unknown'),
      'rebalance',
    )
    open = open.filter((each) => !late.includes(each))
    if (open.some(({ outcome }) => outcome === 'other generation')) {
      // Either a rebalance is about to end, after which the same owner may commit, or the member is lost, which the next heartbeat tells.
      membership.hurry()
      await membership.generationAfter(member.generation, REBALANCE_PATIENCE_MS)
    } else if (open.length > 0) await sleep(backoffMs(attempt, cluster.backoff), signal)
  }
}

type Outcome = 'committed' | 'not owned' | 'other generation' | 'rebalance' | 'topic unknown' | 'coordinator' | 'failed'

const UNKNOWN_TOPIC_OR_PARTITION = 3
const ILLEGAL_GENERATION = 22

function outcomeOf(code: number): Outcome {
  if (code === UNKNOWN_TOPIC_OR_PARTITION) return 'topic unknown'
  // Not the same as lost: the group may have come to its next generation, with this member, before the answer to JoinGroup is here.
  if (code === ILLEGAL_GENERATION) return 'other generation'
  const outcomes = {
    ok: 'committed',
    stale: 'other generation',
    rebalance: 'rebalance',
    lost: 'not owned',
    retry: 'coordinator',
    moved: 'coordinator',
    fatal: 'failed',
  } as const
  return outcomes[verdictOf(code)]
}
