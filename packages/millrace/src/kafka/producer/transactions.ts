/**
 * A transactional producer's talk with its coordinator: who it is, what belongs to the open transaction, and how that ends.
 *
 * What happens to records is the business of the producer, which asks `admits` before it sends a batch; each batch carries
 * the number of its transaction, so that those of the next one may gather while this one is being committed. The states and
 * what is allowed in them stand in `transaction-states.ts`.
 *
 * With transactions version 2 (KIP-890) partitions and offsets add themselves, and EndTxn gives an epoch for each transaction,
 * so that a late request cannot fall into the next one. With version 1 partitions are added first, all new ones of a round
 * in one request, and the epoch changes after an abort only.
 */
import type { GroupOffsets } from '../../contracts/offsets.ts'
import {
  AbortedError,
  BrokerError,
  isMillraceError,
  type MillraceError,
  TransactionError,
  UnexpectedError,
} from '../../errors/index.ts'
import { retry } from '../../resilience/retry.ts'
import { INIT_PRODUCER_ID, type InitProducerIdResponse } from '../protocol/init-producer-id.ts'
import type { Destination } from './reports.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ApiCall } from '../protocol/api-call.ts'
import { brokerError, kafkaErrorName } from '../protocol/kafka-errors.ts'
import {
  ADD_PARTITIONS_TO_TXN,
  type AddPartitionsToTxnResponse,
  END_TXN,
  type EndTxnResponse,
  TRANSACTION_VERSION,
  VERSION_1,
} from '../protocol/transactions.ts'
import type { IdentityOwner, ProducerIdentity } from './identity.ts'
import { commitOffsets } from './transaction-offsets.ts'
import { STATE_HINTS, type TransactionEvent, type TransactionState, TRANSITIONS } from './transaction-states.ts'
import { byTopic } from '../topic-partition.ts'

export interface TransactionOptions {
  /** Name under which the coordinator knows the producer; a later producer of the same name fences this one. */
  readonly transactionalId: string
  /** After this the coordinator aborts a transaction by itself, and fences its producer; `transaction.timeout.ms`, 60 s by default. */
  readonly timeoutMs: number | undefined
}

export interface TransactionListener {
  /** Batches may have become sendable. */
  onReady(): void
  /** Nothing that is not acknowledged yet will be part of a transaction that commits. */
  onFailed(error: MillraceError): void
}

const LANE = 'transaction'
const TIMEOUT_MS = 60_000
/** The coordinator is still writing the markers of the transaction before: that takes milliseconds. */
const CONCURRENT_BACKOFF = { initialMs: 5, maxMs: 200 }
const INVALID_TXN_STATE = 48

/** Codes of the coordinator that end a producer for good: it was fenced, or may not do this at all. As in Java. */
const FATAL: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_TXN_STATE',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_TRANSACTION_TIMEOUT',
  'UNSUPPORTED_VERSION',
  'INVALID_PRODUCER_ID_MAPPING',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])
/** Codes of a leader that do the same; an old epoch may also mean that the coordinator has aborted what took too long. */
const FATAL_AT_LEADER: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

const FENCED: ReadonlySet<string> = new Set(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH'])

export class Transactions implements IdentityOwner {
  readonly transactionalId: string
  /** Number of the transaction that is open or was open last, whose batches may be sent. */
  #number = -1
  readonly #cluster: Cluster
  readonly #timeoutMs: number
  readonly #listener: TransactionListener
  #state: TransactionState = 'new'
  #identity: ProducerIdentity | undefined
  #version: 1 | 2 = 1
  /** Partitions that belong to the open transaction. */
  readonly #partitions = new Set<Destination>()
  /** Partitions that are to be added (version 1). */
  readonly #wanted = new Set<Destination>()
  #adding: Promise<void> | undefined
  /** Whether the coordinator may know of the open transaction. */
  #started = false
  /** How the coordinator was asked to end it. */
  #committing = false
  #error: MillraceError | undefined
  /** What was lost of a transaction that had not begun, while the one before it was being committed for instance. */
  #lost: { readonly transaction: number; readonly error: MillraceError } | undefined

  constructor(
    cluster: Cluster,
    { transactionalId, timeoutMs = TIMEOUT_MS }: TransactionOptions,
    listener: TransactionListener,
  ) {
    this.#cluster = cluster
    this.transactionalId = transactionalId
    this.#timeoutMs = timeoutMs
    this.#listener = listener
  }

  get state(): TransactionState {
    return this.#state
  }

  /** Highest version of Produce: a later one would add partitions by itself. */
  get produceVersion(): number {
    return this.#version === 1 ? VERSION_1.produce : Infinity
  }

  /**
   * Gets the id and fences every earlier producer of the same name, whose open transaction is aborted (I5).
   * @throws {BrokerError} {ConnectionError} {TransactionError}
   */
  async acquire(signal?: AbortSignal): Promise<void> {
    if (this.#state !== 'new') return
    await this.#initialize(signal)
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
    this.#committing = false
    this.#error = undefined
    this.#partitions.clear()
    if (this.#lost?.transaction === number) this.#fail('failed', this.#lost.error)
    else this.#listener.onReady()
  }

  /**
   * Whether a batch of a transaction may be sent to its partition now; `onReady` tells when to ask again.
   * From version 2 on the request that writes also adds.
   */
  admits(destination: Destination, transaction: number): boolean {
    if (this.#state !== 'open' || transaction !== this.#number) return false
    if (this.#partitions.has(destination)) return true
    if (this.#version === 1) {
      this.#wanted.add(destination)
      this.#adding ??= this.#addPartitions()
      return false
    }
    this.#started = true
    this.#partitions.add(destination)
    return true
  }

  identityAfter(): ProducerIdentity | undefined {
    return this.#identity
  }

  isCurrent(identity: ProducerIdentity): boolean {
    return identity === this.#identity
  }

  /** Something was lost for good: its transaction cannot commit any more. */
  onLost(error: MillraceError, transaction: number): void {
    if (transaction !== this.#number) {
      this.#lost = { transaction, error }
      return
    }
    const cause = error.cause instanceof BrokerError ? error.cause : error
    if (cause instanceof BrokerError && FATAL_AT_LEADER.has(cause.kafkaName))
      this.#fail('fenced', this.#describe(cause, 'write'))
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
   * @throws {ConnectionError} {AbortedError} when it is not known whether it was committed: abort, which finds out
   */
  async commit(offsets: GroupOffsets | undefined, signal?: AbortSignal): Promise<void> {
    this.#to('commit')
    try {
      if (offsets !== undefined && offsets.offsets.length > 0) {
        this.#started = true
        const { id, epoch } = this.#identity!
        await commitOffsets(
          this.#cluster,
          { transactionalId: this.transactionalId, producerId: id, producerEpoch: epoch, version: this.#version },
          offsets,
          (call, args, codeOf) => this.#ask(call, args, codeOf, signal),
          signal,
        )
      }
    } catch (error) {
      // Nothing was ended yet, so this is no unknown outcome.
      throw this.#fail(this.#isFatal(error) ? 'fenced' : 'failed', this.#describe(error, 'add offsets to'))
    }
    this.#committing = true
    await this.#end(signal)
    this.#to('ended')
  }

  /**
   * Aborts what was written. After an unknown outcome it finds out how the transaction ended instead; the committed offsets
   * tell which it was. Nothing of the transaction may be under way any more.
   *
   * @throws {TransactionError} with `fatal`; {ConnectionError} {AbortedError} when the coordinator did not answer: abort again
   */
  async abort(signal?: AbortSignal): Promise<void> {
    const mustBump = this.#state !== 'open'
    const wasUnknown = this.#state === 'unknown'
    this.#to('abort')
    await this.#adding
    // A commit that was asked for may have happened; asking for the same again gives the same answer.
    if (!wasUnknown) this.#committing = false
    const { epoch } = this.#identity!
    await this.#end(signal)
    // So that nothing that is late can be taken for part of a later transaction.
    if ((this.#started || mustBump) && this.#identity!.epoch === epoch)
      await this.#guard(() => this.#initialize(signal))
    this.#to('ended')
  }

  /** Has the coordinator end the transaction, if it knows of one. Asking again gives the same answer. */
  async #end(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#started) return
    await this.#guard(async () => {
      const { id, epoch } = this.#identity!
      // To abort what was never added is an error in version 1, and what was wanted.
      const isHarmless = (code: number): boolean =>
        code === INVALID_TXN_STATE && !this.#committing && this.#version === 1
      const answer = await this.#ask<EndTxnResponse>(
        END_TXN,
        [this.transactionalId, id, epoch, this.#committing],
        ({ errorCode }) => (isHarmless(errorCode) ? 0 : errorCode),
        signal,
        this.#version === 1 ? VERSION_1.endTxn : undefined,
      )
      if (answer.producerId !== undefined && answer.producerId >= 0n)
        this.#identity = { id: answer.producerId, epoch: answer.producerEpoch! }
    })
  }

  /** Notes what a failure to end the transaction means. */
  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const wrapped = this.#describe(error, this.#committing ? 'commit' : 'abort')
      // A refused commit leaves the transaction open; of anything else the outcome is not known.
      const event = this.#isFatal(error)
        ? 'fenced'
        : this.#state === 'committing' && this.#isRefusal(error)
          ? 'failed'
          : 'lost'
      throw this.#fail(event, wrapped)
    }
  }

  async #initialize(signal: AbortSignal | undefined): Promise<void> {
    const { id, epoch } = this.#identity ?? { id: -1n, epoch: -1 }
    const answer = await this.#ask<InitProducerIdResponse>(
      INIT_PRODUCER_ID,
      [this.transactionalId, this.#timeoutMs, id, epoch],
      ({ errorCode }) => errorCode,
      signal,
    )
    this.#identity = { id: answer.producerId, epoch: answer.producerEpoch }
    const coordinator = await this.#cluster.coordinator('transaction', this.transactionalId, signal)
    this.#version = (await this.#cluster.feature(coordinator, TRANSACTION_VERSION, { lane: LANE })) >= 2 ? 2 : 1
  }

  /** Adds all partitions that were asked for by the end of this turn, in one request. */
  async #addPartitions(): Promise<void> {
    await Promise.resolve()
    try {
      while (this.#wanted.size > 0 && this.#state === 'open') {
        const destinations = [...this.#wanted]
        this.#wanted.clear()
        this.#started = true
        const { id, epoch } = this.#identity!
        const topics = [...byTopic(destinations)].map(([name, list]) => ({
          name,
          partitions: list.map(({ partition }) => partition),
        }))
        await this.#ask<AddPartitionsToTxnResponse>(
          ADD_PARTITIONS_TO_TXN,
          [[{ transactionalId: this.transactionalId, producerId: id, producerEpoch: epoch, topics }]],
          worstCode,
          undefined,
        )
        for (const destination of destinations) this.#partitions.add(destination)
      }
    } catch (error) {
      this.#fail(this.#isFatal(error) ? 'fenced' : 'failed', this.#describe(error, 'add partitions to'))
    } finally {
      this.#wanted.clear()
      this.#adding = undefined
      this.#listener.onReady()
    }
  }

  /** Asks the coordinator until it answers with something that waiting does not heal. */
  async #ask<R>(
    call: ApiCall,
    args: readonly unknown[],
    codeOf: (answer: R) => number,
    signal: AbortSignal | undefined,
    maxVersion?: number,
  ): Promise<R> {
    const cluster = this.#cluster
    let backoff = cluster.backoff
    const attempt = async (): Promise<R> => {
      const node = await cluster.coordinator('transaction', this.transactionalId, signal)
      const answer = await cluster.request<R>(node, call, () => args, {
        lane: LANE,
        signal,
        ...(maxVersion === undefined ? {} : { maxVersion }),
      })
      const code = codeOf(answer)
      if (code !== 0) throw brokerError(code, `${call.name} of transactional id "${this.transactionalId}" was refused`)
      return answer
    }
    const isConcurrent = (error: unknown): boolean =>
      error instanceof BrokerError && error.kafkaName === 'CONCURRENT_TRANSACTIONS'
    const deadline = performance.now() + cluster.apiTimeoutMs
    for (;;) {
      try {
        return await retry(attempt, {
          timeoutMs: deadline - performance.now(),
          backoff,
          signal,
          isRetriable: (error) =>
            isMillraceError(error) && error.retriable && (backoff === CONCURRENT_BACKOFF || !isConcurrent(error)),
          onRetry: (error) => {
            if (!isConcurrent(error)) cluster.forgetCoordinator('transaction', this.transactionalId)
          },
        })
      } catch (error) {
        if (!isConcurrent(error) || performance.now() >= deadline || backoff === CONCURRENT_BACKOFF) throw error
        backoff = CONCURRENT_BACKOFF
      }
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

  /** Moves on after a failure and tells the producer. @returns the error, to be thrown */
  #fail<E extends MillraceError>(event: 'failed' | 'lost' | 'fenced', error: E): E {
    const before = this.#state
    this.#to(event)
    if (this.#state === before) return error
    this.#error ??= error
    this.#listener.onFailed(error)
    return error
  }

  #isFatal(error: unknown): boolean {
    return (
      (error instanceof BrokerError && FATAL.has(error.kafkaName)) || (error instanceof TransactionError && error.fatal)
    )
  }

  /** Whether the coordinator has said no, so that nothing was done. */
  #isRefusal(error: unknown): boolean {
    return error instanceof BrokerError && !error.retriable
  }

  #describe(error: unknown, action: string): MillraceError {
    if (error instanceof AbortedError || (isMillraceError(error) && !(error instanceof BrokerError))) return error
    if (!(error instanceof BrokerError))
      return new UnexpectedError(`Cannot ${action} a transaction of "${this.transactionalId}"`, { cause: error })
    if (error.retriable) return error
    const fatal = this.#isFatal(error)
    const hint = FENCED.has(error.kafkaName)
      ? 'another producer with the same transactional id has taken over, or the transaction took longer than transaction.timeout.ms'
      : error.message
    return new TransactionError(
      `Cannot ${action} a transaction of "${this.transactionalId}": ${hint} (${error.kafkaName})`,
      { fatal, cause: error },
    )
  }
}

/** OPERATION_NOT_ATTEMPTED stands beside the code that counts. */
function worstCode({ resultsByTransaction }: AddPartitionsToTxnResponse): number {
  let worst = 0
  for (const { topicResults } of resultsByTransaction)
    for (const { resultsByPartition } of topicResults)
      for (const { partitionErrorCode: code } of resultsByPartition)
        if (code !== 0 && (worst === 0 || kafkaErrorName(worst) === 'OPERATION_NOT_ATTEMPTED')) worst = code
  return worst
}
