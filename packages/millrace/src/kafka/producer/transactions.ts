/**
 * The transactions of a producer: what belongs to the open one, what may be done in which state, and how it ends.
 *
 * What happens to records is the business of the producer, which asks `admits` before it sends a batch; each batch carries
 * the number of its transaction, so that those of the next one may gather while this one is being committed. The states and
 * what is allowed in them are in `transaction-states.ts`, the requests in `transaction-coordinator.ts`.
 */
import type { GroupOffsets } from '../../contracts/offsets.ts'
import { BrokerError, type MillraceError, TransactionError } from '../../errors/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { TRANSACTION_TIMEOUT_MS } from '../properties/producer-limits.ts'
import { VERSION_1 } from '../protocol/transactions.ts'
import type { IdentityOwner, ProducerIdentity } from './identity.ts'
import type { Destination } from './reports.ts'
import { TransactionCoordinator } from './transaction-coordinator.ts'
import { describeFailure, isFatal, isFatalAtLeader, isForgotten, isRefusal } from './transaction-errors.ts'
import { STATE_HINTS, type TransactionEvent, type TransactionState, TRANSITIONS } from './transaction-states.ts'

export interface TransactionOptions {
  /** Name under which the coordinator knows the producer; a later producer of the same name fences this one. */
  readonly transactionalId: string
  /** After this the coordinator aborts a transaction, and fences its producer; `transaction.timeout.ms`, 60 s by default. */
  readonly timeoutMs: number | undefined
}

export interface TransactionListener {
  /** Batches may have become sendable. */
  onReady(): void
  /** Nothing that is not acknowledged yet will be part of a transaction that commits. */
  onFailed(error: MillraceError): void
}

export class Transactions implements IdentityOwner {
  /** After which the coordinator aborts a transaction. */
  readonly timeoutMs: number
  readonly #coordinator: TransactionCoordinator
  readonly #listener: TransactionListener
  #state: TransactionState = 'new'
  /** Number of the transaction that is open or was open last, whose batches may be sent. */
  #number = -1
  /** Partitions that belong to the open transaction. */
  readonly #partitions = new Set<Destination>()
  /** Partitions that are to be added (version 1). */
  readonly #wanted = new Set<Destination>()
  #adding: Promise<void> | undefined
  /** Fires when nothing needs to be added any more. */
  #stopAdding = new AbortController()
  /** Whether the coordinator may know of the open transaction. */
  #started = false
  /** Whether it may have heard that it is to commit it, and has not answered. */
  #mayBeCommitted = false
  /** Whether the next transaction needs another epoch, so that nothing that is late can be taken for a part of it. */
  #mustBump = false
  #error: MillraceError | undefined
  /** What was lost of a transaction that had not begun, while the one before it was being committed for instance. */
  #lost: { readonly transaction: number; readonly error: MillraceError } | undefined

  constructor(
    cluster: Cluster,
    { transactionalId, timeoutMs = TRANSACTION_TIMEOUT_MS }: TransactionOptions,
    listener: TransactionListener,
  ) {
    this.timeoutMs = timeoutMs
    this.#coordinator = new TransactionCoordinator(cluster, transactionalId, timeoutMs)
    this.#listener = listener
  }

  get transactionalId(): string {
    return this.#coordinator.transactionalId
  }

  get state(): TransactionState {
    return this.#state
  }

  /** Highest version of Produce: a later one would add partitions automatically. */
  get produceVersion(): number {
    return this.#coordinator.version === 1 ? VERSION_1.produce : Infinity
  }

  /**
   * Gets the id and fences every earlier producer of the same name, whose open transaction is aborted (I5).
   * @throws {BrokerError} {ConnectionError} {TransactionError}
   */
  async acquire(signal?: AbortSignal): Promise<void> {
    if (this.#state !== 'new') return
    await this.#coordinator.initialize(signal)
    this.#to('initialized')
  }

  /**
   * @param number of the batches that belong to it
   * @throws {TransactionError} when one is open, or this producer may not write any more
   */
  begin(number: number): void {
    this.#to('begin')
    this.#number = number
    this.#started = false
    this.#stopAdding = new AbortController()
    this.#error = undefined
    this.#partitions.clear()
    if (this.#lost?.transaction === number) this.#fail('failed', this.#lost.error)
    else this.#listener.onReady()
  }

  /**
   * Whether a batch of a transaction may be sent to its partition now; `onReady` says when to ask again.
   * From version 2 on the request that writes also adds.
   */
  admits(destination: Destination, transaction: number): boolean {
    if (this.#state !== 'open' || transaction !== this.#number) return false
    if (this.#partitions.has(destination)) return true
    if (this.#coordinator.version === 1) {
      this.#wanted.add(destination)
      this.#adding ??= this.#addPartitions().catch((error: unknown) => {
        this.#fail('failed', this.#describe(error, 'add partitions to'))
      })
      return false
    }
    this.#started = true
    this.#partitions.add(destination)
    return true
  }

  identityAfter(): ProducerIdentity | undefined {
    return this.#coordinator.identity
  }

  isCurrent(identity: ProducerIdentity): boolean {
    return identity === this.#coordinator.identity
  }

  /** Something was lost for good: its transaction cannot commit any more. */
  onLost(error: MillraceError, transaction: number): void {
    if (transaction !== this.#number) {
      this.#lost = { transaction, error }
      return
    }
    const cause = error.cause instanceof BrokerError ? error.cause : error
    if (cause instanceof BrokerError && isFatalAtLeader(cause)) this.#fail('fenced', this.#describe(cause, 'write'))
    else this.#fail('failed', error)
  }

  /** @throws {TransactionError} which says why this cannot be done in another state */
  throwUnless(action: string, ...allowed: readonly TransactionState[]): void {
    if (allowed.includes(this.#state)) return
    throw this.#refusal(action)
  }

  /**
   * Commits what was written, and offsets with it (I5). Everything written must have been acknowledged.
   *
   * @throws {TransactionError} when nothing was committed: abort; or, with `fatal`, never again
   * @throws {ConnectionError} {AbortedError} when it was given up or not answered: abort, which finds out whether it was committed
   */
  async commit(offsets: GroupOffsets | undefined, signal?: AbortSignal): Promise<void> {
    this.#to('commit')
    try {
      if (offsets !== undefined && offsets.offsets.length > 0) {
        await this.#start(signal)
        await this.#coordinator.commitOffsets(offsets, signal)
      }
    } catch (error) {
      // Nothing was ended yet, so this is no unknown outcome.
      throw this.#fail(isFatal(error) ? 'fenced' : 'failed', this.#describe(error, 'add offsets to'))
    }
    if (this.#started)
      await this.#guard('commit', () => this.#coordinator.commit(signal, () => (this.#mayBeCommitted = true)))
    this.#mayBeCommitted = false
    this.#to('ended')
  }

  /** A commit was given up before anything was asked of the coordinator: the transaction can only be aborted. */
  doom(error: MillraceError): void {
    if (this.#state === 'open') this.#fail('failed', error)
  }

  /**
   * Aborts what was written. Where it is not known whether an earlier commit happened, it finds out: a coordinator that has not
   * heard of the commit aborts. Nothing of the transaction may be under way any more.
   *
   * @returns `committed` when that commit had happened
   * @throws {TransactionError} with `fatal`; {ConnectionError} {AbortedError} when the coordinator did not answer: abort again
   */
  async abort(signal?: AbortSignal): Promise<'aborted' | 'committed'> {
    this.#mustBump ||= this.#started || this.#state !== 'open'
    this.#to('abort')
    this.#stopAdding.abort()
    await this.#adding
    const before = this.#coordinator.identity!
    const ending = this.#started ? await this.#guard('abort', () => this.#abortOrForget(signal)) : 'aborted'
    // From here on asking again would be asking under an epoch that may be an old one.
    this.#started = false
    this.#mayBeCommitted = false
    if (ending === 'committed' || this.#coordinator.identity!.epoch !== before.epoch) this.#mustBump = false
    if (this.#mustBump) await this.#guard('abort', () => this.#coordinator.initialize(signal))
    this.#mustBump = false
    this.#to(ending === 'committed' ? 'committed' : 'ended')
    return ending
  }

  async #abortOrForget(signal: AbortSignal | undefined): Promise<'aborted' | 'committed'> {
    try {
      return await this.#coordinator.abort(this.#mayBeCommitted, signal)
    } catch (error) {
      if (isForgotten(error)) return 'aborted'
      throw error
    }
  }

  /** Notes what a failure to end the transaction means. */
  async #guard<T>(action: 'commit' | 'abort', work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const wrapped = this.#describe(error, action)
      // A commit that was refused or never sent leaves the transaction open; of anything else the outcome is not known.
      const isOpen = this.#state === 'committing' && (!this.#mayBeCommitted || isRefusal(error))
      throw this.#fail(isFatal(error) ? 'fenced' : isOpen ? 'failed' : 'lost', wrapped)
    }
  }

  /** Before the coordinator hears of the open transaction. */
  async #start(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#started && this.#coordinator.isStale) await this.#coordinator.initialize(signal)
    this.#started = true
  }

  /** Adds all partitions that were asked for by the end of this turn, in one request. */
  async #addPartitions(): Promise<void> {
    await Promise.resolve()
    try {
      while (this.#wanted.size > 0 && this.#state === 'open') {
        const destinations = [...this.#wanted]
        this.#wanted.clear()
        await this.#start(this.#stopAdding.signal)
        await this.#coordinator.addPartitions(destinations, this.#stopAdding.signal)
        for (const destination of destinations) this.#partitions.add(destination)
      }
    } catch (error) {
      this.#fail(isFatal(error) ? 'fenced' : 'failed', this.#describe(error, 'add partitions to'))
    } finally {
      this.#wanted.clear()
      this.#adding = undefined
      this.#listener.onReady()
    }
  }

  #to(event: TransactionEvent): void {
    const next = TRANSITIONS[this.#state][event]
    if (next === 'refused')
      throw this.#refusal(
        event === 'begin' || event === 'commit' || event === 'abort' ? `${event} a transaction` : 'go on',
      )
    this.#state = next
  }

  #refusal(action: string): TransactionError {
    const why = this.#error === undefined ? '' : ` (${this.#error.message})`
    return new TransactionError(
      `Cannot ${action} with transactional id "${this.transactionalId}" as ${STATE_HINTS[this.#state]}${why}`,
      { fatal: this.#state === 'fatal', ...(this.#error === undefined ? {} : { cause: this.#error }) },
    )
  }

  /** Moves on after a failure and notifies the producer. @returns the error, to be thrown */
  #fail<E extends MillraceError>(event: 'failed' | 'lost' | 'fenced', error: E): E {
    const before = this.#state
    this.#to(event)
    if (this.#state === before) return error
    this.#error ??= error
    this.#listener.onFailed(error)
    return error
  }

  #describe(error: unknown, action: string): MillraceError {
    return describeFailure(error, action, this.transactionalId)
  }
}
