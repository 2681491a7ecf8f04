/**
 * One member of a consumer group: joins, heartbeats, is given partitions and gives them back, commits offsets, leaves.
 *
 * The session decides what is owned; fetching, draining and the offsets to commit are the listener's. Nothing is committed
 * for a partition that is not owned at that moment (I3), and a commit never makes the member join again.
 * The files beside this one: `classic-protocol.ts` and `consumer-protocol.ts` (KIP-848) on top of `membership.ts`,
 * `assignors.ts` for the leader of a classic group, `ownership.ts` for the talk with the listener.
 */
import { AbortedError, ClosedError, type MillraceError } from '../../errors/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { ClassicMembership } from './classic-protocol.ts'
import { commitOwned } from './commit.ts'
import { committedBy } from './committed-offsets.ts'
import { ConsumerMembership } from './consumer-protocol.ts'
import { asMillraceError, GroupCoordinator } from './coordinator.ts'
import type { Membership, ResolvedGroupOptions } from './membership.ts'
import { Ownership } from './ownership.ts'
import type { AssignedPartition, CommitResult, GroupListener, GroupOptions, OffsetToCommit } from './contract.ts'

export type { TopicPartition } from '../topic-partition.ts'
export type { AssignedPartition, CommitResult, GroupListener, GroupOptions, OffsetToCommit } from './contract.ts'

/** How long offsets may still be committed after `close`, where the coordinator cannot be reached, if that is less than half the session timeout. */
const CLOSE_COMMIT_MS = 10_000
/** How long an offset waits for the member to learn of the generation that the group has come to. */
const GENERATION_PATIENCE_MS = 5000

export class GroupSession {
  readonly #listener: GroupListener
  readonly #coordinator: GroupCoordinator
  readonly #ownership: Ownership
  readonly #membership: Membership
  /** Ends the loop that rebalances. */
  readonly #closing = new AbortController()
  /** Ends the heartbeats, which go on while the last partitions are drained. */
  readonly #stopped = new AbortController()
  #state: 'new' | 'starting' | 'running' = 'new'
  #heartbeats: Promise<void> = Promise.resolve()
  #rebalances: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined
  /** Commits go out one after the other, so that an older offset never overtakes a newer one. */
  #commits: Promise<unknown> = Promise.resolve()
  readonly #closeCommitMs: number
  /** Ends commits that take too long after `close`. */
  readonly #late = new AbortController()

  constructor(cluster: Cluster, options: GroupOptions, listener: GroupListener) {
    const resolved: ResolvedGroupOptions = {
      ...options,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 45_000,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? 3000,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 300_000,
      protocol: options.protocol ?? 'classic',
      assignors: options.assignors ?? ['range', 'cooperative-sticky'],
    }
    this.#listener = listener
    this.#coordinator = new GroupCoordinator(cluster, options.groupId, options.warn)
    // Twice this would be past the point at which the others stop waiting.
    const drainMs = Math.min(resolved.sessionTimeoutMs, resolved.rebalanceTimeoutMs) / 2
    this.#ownership = new Ownership(listener, drainMs)
    this.#closeCommitMs = Math.min(CLOSE_COMMIT_MS, drainMs)
    this.#membership = new (resolved.protocol === 'consumer' ? ConsumerMembership : ClassicMembership)(
      resolved,
      this.#coordinator,
      this.#ownership,
    )
  }

  get groupId(): string {
    return this.#coordinator.groupId
  }
  /** Changes when the member is lost and joins anew; empty before it has joined. */
  get memberId(): string {
    return this.#membership.memberId
  }
  /** Generation of a classic group, or epoch of the member; -1 while it is not a member. */
  get generation(): number {
    return this.#membership.generation
  }
  /** What is owned, also while `onAssigned` and `onRevoked` are under way. */
  get assignment(): readonly TopicPartition[] {
    return this.#ownership.partitions
  }
  /** Assignments taken over so far. */
  get rebalances(): number {
    return this.#membership.rebalances
  }

  /**
   * Joins the group; resolves after the first `onAssigned`, whose list may be empty. Then the session goes on in the
   * background until `close`. To be called once. When it rejects, the session is closed.
   *
   * @param signal for the start only
   * @throws {BrokerError} `GROUP_FAILED`, `MEMBER_FENCED`, or the last error when no join succeeded within `apiTimeoutMs`
   * @throws {ConnectionError} {AbortedError} {ClosedError}, and what `onAssigned` throws
   */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#closed !== undefined || this.#state !== 'new') throw new ClosedError('a group session')
    this.#state = 'starting'
    const settled = Promise.withResolvers<void>()
    const onAbort = (): void =>
      settled.reject(new AbortedError(`Joining group "${this.#coordinator.groupId}"`, { cause: signal.reason }))
    this.#closing.signal.addEventListener('abort', () => settled.reject(new ClosedError('a group session')), {
      once: true,
    })
    this.#membership.onSettled = () => {
      this.#state = 'running'
      this.#listener.onSettled?.()
      settled.resolve()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    else {
      this.#heartbeats = this.#membership.keepAlive(this.#stopped.signal)
      this.#rebalances = this.#run(settled.reject)
    }
    try {
      await settled.promise
    } catch (error) {
      await this.close().catch(() => {}) // What went wrong first is what counts.
      throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #run(failStart: (error: MillraceError) => void): Promise<void> {
    try {
      await this.#membership.run(this.#closing.signal)
    } catch (error) {
      const failure = asMillraceError(error, `Cannot remain a member of group "${this.#coordinator.groupId}"`)
      try {
        if (failure.code === 'MEMBER_FENCED') this.#ownership.lose() // I3: another member owns it by now
      } catch {
        // What ended the membership is what counts.
      }
      if (this.#state === 'starting') failStart(failure)
      else if (!this.#closing.signal.aborted) this.#listener.onFailed(failure)
    }
  }

  /**
   * Commits offsets of partitions that are owned; others are refused and named in the result, as are those whose ownership
   * ends before the broker has agreed. Never joins again in order to commit. Calls are carried out in order.
   *
   * @throws {BrokerError} `MEMBER_FENCED`, or what the broker has against an offset; {ConnectionError} after `apiTimeoutMs`; {AbortedError},
   *   also when the session is closed and the coordinator does not answer for 10 s or half the session timeout
   */
  commit(offsets: readonly OffsetToCommit[], signal?: AbortSignal): Promise<CommitResult> {
    const until = signal === undefined ? this.#late.signal : AbortSignal.any([signal, this.#late.signal])
    const result = this.#commits.then(() => commitOwned(this.#coordinator, this.#membership, offsets, until))
    this.#commits = result.catch(() => {})
    return result
  }

  /** Offsets that the group has committed for partitions, in which no open transaction has a part. @throws {BrokerError} {ConnectionError} {AbortedError} */
  committed(partitions: readonly TopicPartition[], signal?: AbortSignal): Promise<AssignedPartition[]> {
    return committedBy(this.#coordinator, partitions, () => this.#membership.identity, signal)
  }

  /** Which assignment of a partition this is, so that one that went and came back is not taken for one that stayed; undefined when it is not owned. */
  tenure({ topic, partition }: TopicPartition): number | undefined {
    return this.#ownership.tenure(topic, partition)
  }

  /** The topics of the options have changed: the group learns of it, and assigns their partitions. */
  resubscribe(): void {
    this.#membership.resubscribe()
  }

  /** Waits a moment for a generation after this one. */
  async awaitGeneration(generation: number): Promise<void> {
    this.#membership.hurry()
    await this.#membership.generationAfter(generation, GENERATION_PATIENCE_MS)
  }

  /**
   * Gives up the membership: has everything drained, committed and given back (`onRevoked`), then leaves the group; a static member stays in it
   * (KIP-345). May be called several times; the listener must not wait for it. What `onRevoked` throws is thrown after leaving.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    const late = setTimeout(() => this.#late.abort(), this.#closeCommitMs)
    await this.#rebalances
    let problem: unknown
    try {
      await this.#ownership.revoke(this.#ownership.partitions)
    } catch (error) {
      problem = error
    }
    await this.#commits
    clearTimeout(late)
    this.#stopped.abort()
    await this.#heartbeats
    // Whoever cannot be told finds out when the session times out.
    await this.#membership.leave().catch(() => {})
    if (problem !== undefined) throw problem
  }
}
