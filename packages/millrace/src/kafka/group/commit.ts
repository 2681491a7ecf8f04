/**
 * Commits the offsets of a member: only of what it owns, however long that takes, and never in the name of a later owner (I3).
 */
import { backoffMs, sleep } from '../../resilience/retry.ts'
import { isMillraceError } from '../../errors/index.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import { commitOnce } from './committed-offsets.ts'
import { type GroupCoordinator, groupError, verdictOf, verdictOfError } from './coordinator.ts'
import type { Membership } from './membership.ts'
import type { CommitRefusal, CommitResult, OffsetToCommit } from './contract.ts'

/** How long a commit waits for a rebalance that is under way before the offsets are left to a later commit. */
const REBALANCE_PATIENCE_MS = 5000

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
  const commit = new Commit(coordinator, membership, offsets)
  for (let attempt = 1; ; attempt++) {
    commit.refuseUnowned()
    commit.refuseRecreated()
    if (commit.isDone) return commit.result
    const { generation } = membership.identity
    await commit.send(signal)
    commit.settle()
    await commit.refuseGone(signal)
    if (commit.waitsForGeneration) {
      // Either a rebalance is about to end, after which the same owner may commit, or the member is lost, which the next heartbeat finds out.
      membership.hurry()
      await membership.generationAfter(generation, REBALANCE_PATIENCE_MS)
    } else if (!commit.isDone) await sleep(backoffMs(attempt, coordinator.cluster.backoff), signal)
  }
}

interface Pending {
  readonly offset: OffsetToCommit
  /** The assignment that the offset belongs to: a partition that goes and comes back is another owner's in between. */
  readonly tenure: number | undefined
  /** Of its topic when it was read, or else when the commit began: one that is created again is another one, and the offset means nothing there. */
  readonly topicId: string | undefined
  /** What the broker said last. */
  readonly outcome: Outcome
}

/** Offsets on their way: those that are open, and what happened to the others. */
class Commit {
  readonly #coordinator: GroupCoordinator
  readonly #membership: Membership
  readonly #started = performance.now()
  readonly #committed: OffsetToCommit[] = []
  readonly #refused: (OffsetToCommit & { reason: CommitRefusal })[] = []
  #open: readonly Pending[]

  constructor(coordinator: GroupCoordinator, membership: Membership, offsets: readonly OffsetToCommit[]) {
    this.#coordinator = coordinator
    this.#membership = membership
    this.#open = offsets.map((offset) => ({
      offset,
      tenure: this.#tenureOf(offset),
      topicId: offset.topicId ?? this.#idOf(offset),
      outcome: 'coordinator',
    }))
  }

  get isDone(): boolean {
    return this.#open.length === 0
  }

  get result(): CommitResult {
    return { committed: this.#committed, refused: this.#refused }
  }

  get waitsForGeneration(): boolean {
    return this.#open.some(({ outcome }) => outcome === 'other generation')
  }

  get #passedMs(): number {
    return performance.now() - this.#started
  }

  /** To be called before every attempt, because ownership may end while this waits (I3). */
  refuseUnowned(): void {
    this.#take(({ offset, tenure }) => tenure === undefined || this.#tenureOf(offset) !== tenure, 'not owned')
  }

  /** Before every attempt: brokers before Kafka 4.1 take an offset for whatever topic has the name. */
  refuseRecreated(): void {
    this.#take(({ offset, topicId }) => (this.#idOf(offset) ?? topicId) !== topicId, 'topic unknown')
  }

  /** Sends what is open, once, and notes what the broker says of each offset. */
  async send(signal: AbortSignal | undefined): Promise<void> {
    const offsets = this.#open.map(({ offset }) => offset)
    let codes: readonly number[]
    try {
      codes = await commitOnce(this.#coordinator, this.#membership.identity, offsets, signal)
    } catch (error) {
      if (verdictOfError(error) !== 'moved' || this.#passedMs > this.#coordinator.cluster.apiTimeoutMs) throw error
      this.#open = this.#open.map((each) => ({ ...each, outcome: 'coordinator' }))
      return
    }
    this.#open = this.#open.map((each, i) => ({ ...each, outcome: outcomeOf(codes[i]!) }))
    const bad = this.#open.findIndex(({ outcome }) => outcome === 'failed')
    if (bad < 0) return
    this.#membership.hurry()
    const { topic, partition, offset } = offsets[bad]!
    throw groupError(
      codes[bad]!,
      `Cannot commit offset ${offset} of ${topic}-${partition} for group "${this.#coordinator.groupId}"`,
    )
  }

  /** Takes out what is committed, what belongs to another member, and what has been tried for long enough. */
  settle(): void {
    this.#committed.push(...this.#take(({ outcome }) => outcome === 'committed'))
    // The next heartbeat finds out what has happened to this member.
    if (this.#take(({ outcome }) => outcome === 'not owned', 'not owned').length > 0) this.#membership.hurry()
    const passedMs = this.#passedMs
    const { apiTimeoutMs } = this.#coordinator.cluster
    const isLate = ({ outcome }: Pending): boolean =>
      passedMs > (outcome === 'coordinator' ? apiTimeoutMs : REBALANCE_PATIENCE_MS)
    this.#take((each) => isLate(each) && each.outcome === 'topic unknown', 'topic unknown')
    this.#take(isLate, 'rebalance')
  }

  /**
   * Looks for the topics that the coordinator does not know. One that has just started does not know all of them yet; but what
   * several brokers do not know is gone, and must not be tried again, as it could be created meanwhile.
   */
  async refuseGone(signal: AbortSignal | undefined): Promise<void> {
    const unknown = this.#open.filter(({ outcome }) => outcome === 'topic unknown')
    const { cluster } = this.#coordinator
    for (const topic of new Set(unknown.map(({ offset }) => offset.topic))) {
      let isGone = false
      try {
        await cluster.refresh([topic], signal)
      } catch (error) {
        // Whatever else is wrong shows with the next attempt.
        isGone = isMillraceError(error) && error.code === 'TOPIC_NOT_FOUND'
      }
      this.#take(
        (each) => each.offset.topic === topic && (isGone || this.#idOf(each.offset) !== each.topicId),
        'topic unknown',
      )
    }
  }

  #idOf({ topic }: OffsetToCommit): string | undefined {
    return this.#coordinator.cluster.cachedTopic(topic)?.id
  }

  /** @param reason why they are refused, if they are @returns the offsets taken out */
  #take(isTaken: (pending: Pending) => boolean, reason?: CommitRefusal): OffsetToCommit[] {
    const taken = this.#open.filter(isTaken).map(({ offset }) => offset)
    this.#open = this.#open.filter((each) => !isTaken(each))
    if (reason !== undefined) this.#refused.push(...taken.map((offset) => ({ ...offset, reason })))
    return taken
  }

  #tenureOf({ topic, partition }: OffsetToCommit): number | undefined {
    return this.#membership.ownership.tenure(topic, partition)
  }
}

type Outcome = 'committed' | 'not owned' | 'other generation' | 'rebalance' | 'topic unknown' | 'coordinator' | 'failed'

function outcomeOf(code: number): Outcome {
  if (code === ERROR.UNKNOWN_TOPIC_OR_PARTITION || code === ERROR.UNKNOWN_TOPIC_ID) return 'topic unknown'
  // Not the same as lost: the group may have come to its next generation, with this member, before the answer to JoinGroup is here.
  if (code === ERROR.ILLEGAL_GENERATION) return 'other generation'
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
