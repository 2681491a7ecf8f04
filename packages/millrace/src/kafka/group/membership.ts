/**
 * What the two group protocols have in common: being a member, with heartbeats that go on whatever else happens (P14),
 * beside a loop that rebalances. `classic-protocol.ts` and `consumer-protocol.ts` fill in the rest.
 */
import { BrokerError, type MillraceError } from '../../errors/index.ts'
import { backoffMs, retry } from '../../resilience/retry.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { committedBy, type MemberIdentity } from './committed-offsets.ts'
import { asMillraceError, type GroupCoordinator, isAborted, verdictOfError } from './coordinator.ts'
import type { Ownership } from './ownership.ts'
import type { GroupOptions } from './contract.ts'
import { Wakeup } from './wakeup.ts'

const LEAVE_TIMEOUT_MS = 5000

export type ResolvedGroupOptions = GroupOptions &
  Required<
    Pick<GroupOptions, 'sessionTimeoutMs' | 'heartbeatIntervalMs' | 'rebalanceTimeoutMs' | 'protocol' | 'assignors'>
  >

export abstract class Membership {
  readonly options: ResolvedGroupOptions
  readonly coordinator: GroupCoordinator
  readonly ownership: Ownership
  memberId = ''
  /** Generation of a classic group, or epoch of the member; -1 while it is no member. */
  generation = -1
  rebalances = 0
  /** Called after each rebalance, when what was assigned has been taken over. */
  onSettled: () => void = () => {}
  /** Wakes the loop that rebalances. */
  protected readonly changes = new Wakeup()
  /** Wakes the loop that heartbeats. */
  protected readonly heart = new Wakeup()
  protected failure: MillraceError | undefined
  /** Ends the reading of committed offsets when the assignment is out of date before it was taken over. */
  #assigning = new AbortController()
  /** Waits for a generation other than the one that a broker refused. */
  readonly #generationWaiters = new Set<() => void>()
  #failingSince: number | undefined
  #failures = 0

  constructor(options: ResolvedGroupOptions, coordinator: GroupCoordinator, ownership: Ownership) {
    this.options = options
    this.coordinator = coordinator
    this.ownership = ownership
  }

  abstract get identity(): MemberIdentity
  /** Sends one heartbeat and acts on the answer; what it throws is passed to `onHeartbeatError`. */
  protected abstract beat(stopped: AbortSignal): Promise<void>
  protected abstract onHeartbeatError(error: unknown): void
  /** Brings what is owned in line with the group. */
  protected abstract rebalance(closing: AbortSignal): Promise<void>
  protected abstract readonly heartbeatIntervalMs: number
  /** The topics of the options have changed: tells the group. */
  abstract resubscribe(): void
  /** Leaves the group, as well as that is possible within 5 s. */
  abstract leave(): Promise<void>

  /** Heartbeats until the signal fires. Never rejects: what goes wrong for good ends `run` instead. */
  async keepAlive(stopped: AbortSignal): Promise<void> {
    let failed = 0
    while (!stopped.aborted && this.failure === undefined) {
      try {
        await this.beat(stopped)
        failed = 0
      } catch (error) {
        if (stopped.aborted) return
        failed++
        try {
          this.onHeartbeatError(error)
        } catch (failure) {
          // What `onLost` of a listener throws, too, must not end the heartbeats unnoticed.
          this.fail(asMillraceError(failure, `Cannot remain a member of group "${this.options.groupId}"`))
        }
      }
      const interval =
        failed === 0
          ? this.heartbeatIntervalMs
          : Math.min(this.heartbeatIntervalMs, backoffMs(failed, this.coordinator.cluster.backoff))
      await this.heart.wait(stopped, interval)
    }
  }

  /** Rebalances whenever there is reason to, until the signal fires. @throws {MillraceError} when the membership cannot go on */
  async run(closing: AbortSignal): Promise<void> {
    try {
      while (!closing.aborted) {
        if (this.failure !== undefined) throw this.failure
        await this.rebalance(closing)
        await this.changes.wait(closing)
      }
    } catch (error) {
      if (!(closing.aborted && isAborted(error)))
        throw asMillraceError(error, `Cannot remain a member of group "${this.options.groupId}"`)
    }
  }

  /** Sends a heartbeat now. */
  hurry(): void {
    this.heart.wake()
  }

  /** Resolves when the generation is no longer the given one, or after `timeoutMs`. */
  async generationAfter(generation: number, timeoutMs: number): Promise<void> {
    if (this.generation !== generation) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#generationWaiters.delete(done)
        resolve()
      }
      const timer = setTimeout(done, timeoutMs)
      this.#generationWaiters.add(done)
    })
  }

  protected setGeneration(generation: number): void {
    this.generation = generation
    for (const done of this.#generationWaiters) done()
  }

  /** The membership cannot go on. */
  protected fail(error: MillraceError): void {
    this.failure ??= error
    this.#assigning.abort()
    this.changes.wake()
  }

  /** Ownership is gone: the group has gone on without this member (I3). */
  protected lose(): void {
    this.setGeneration(-1)
    this.outdated()
    this.ownership.lose()
  }

  /** A newer assignment is about to come: do not wait for the committed offsets of this one. */
  protected outdated(): void {
    this.#assigning.abort()
    this.changes.wake()
  }

  /**
   * Takes over partitions: reads the committed offsets, then tells the listener. Gives up when the assignment is outdated
   * before it was taken over; the next one then has the same partitions or others.
   * @returns whether they are owned now
   */
  protected async takeOver(partitions: readonly TopicPartition[], closing: AbortSignal): Promise<boolean> {
    this.#assigning = new AbortController()
    const { signal } = this.#assigning
    let committed
    try {
      committed = await committedBy(
        this.coordinator,
        partitions,
        () => this.identity,
        AbortSignal.any([signal, closing]),
      )
    } catch (error) {
      if (signal.aborted && isAborted(error)) return false
      throw error
    }
    if (signal.aborted || closing.aborted) return false
    await this.ownership.assign(committed)
    return true
  }

  /**
   * Says goodbye, again where a broker answers that the coordinator has moved or is not ready: the others would wait for the end of
   * the session. A broker that does not answer is not waited for.
   */
  protected async leaveBy(ask: (signal: AbortSignal) => Promise<{ readonly errorCode: number }>): Promise<void> {
    const { coordinator } = this
    const signal = AbortSignal.timeout(LEAVE_TIMEOUT_MS)
    await retry(
      async () => coordinator.check((await ask(signal)).errorCode, `Cannot leave group "${this.options.groupId}"`),
      {
        timeoutMs: LEAVE_TIMEOUT_MS,
        backoff: coordinator.cluster.backoff,
        signal,
        isRetriable: (error) => error instanceof BrokerError && ['retry', 'moved'].includes(verdictOfError(error)),
      },
    )
  }

  /** Counts failed attempts to become a member. @returns milliseconds to wait @throws the error itself when that has gone on for `apiTimeoutMs` */
  protected failedAttempt(error: unknown, allowedMs: number = this.coordinator.cluster.apiTimeoutMs): number {
    this.#failingSince ??= performance.now()
    this.#failures++
    if (performance.now() - this.#failingSince > allowedMs) throw error
    return backoffMs(this.#failures, this.coordinator.cluster.backoff)
  }

  protected joined(): void {
    this.#failingSince = undefined
    this.#failures = 0
  }
}
