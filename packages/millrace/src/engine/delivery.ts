/**
 * Gives batches to the sink: tries again what may succeed then, waits while the circuit breaker is open, and tells which
 * rows failed for good.
 *
 * Where the first failure ends the run, writes overlap and the sink keeps their order. Where something may be tried again, the
 * batches of a partition go one after the other, so that a later record never overtakes one that waits for its next attempt (I2).
 */
import type { Batch } from '../batch.ts'
import type { Sink } from '../component.ts'
import { isFaultOfRecord } from '../errors/fault-of-record.ts'
import { BatchError, BrokerError, isMillraceError, type ErrorCode, type MillraceError } from '../errors/index.ts'
import type { CircuitBreaker, Pass } from '../resilience/circuit-breaker.ts'
import { backoffMs, sleep, type BackoffOptions } from '../resilience/retry.ts'
import type { ErrorHandling, ErrorPolicy, Failures } from './error-policy.ts'

export interface DeliveryOptions {
  readonly sink: Pick<Sink, 'write'>
  readonly policy: Pick<ErrorPolicy, 'retry' | 'fate'>
  readonly breaker: CircuitBreaker | undefined
  readonly errors: ErrorHandling
  /** Whether what the brokers refuse dooms a transaction, which then has to be tried again as a whole (I5). */
  readonly inTransaction?: boolean
  /** Gives up what is under way. */
  readonly abort: AbortSignal
  /** Ends all waiting for another attempt: the last error counts then. */
  readonly hurry: AbortSignal
}

/** Between attempts where only a circuit breaker, and no policy, asks for them. */
const BREAKER_BACKOFF: BackoffOptions = { initialMs: 100, maxMs: 1000 }

export class Delivery {
  readonly #options: DeliveryOptions
  /** Whether anything may be tried again. */
  readonly #isOrdered: boolean
  readonly #last = new Map<string, Promise<void>>()

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#isOrdered =
      options.policy.retry !== undefined || options.policy.fate !== 'fail' || options.breaker !== undefined
  }

  /**
   * Resolves when every row is acknowledged or has been added to `failures`.
   * @param failures undefined when a failure is to be thrown
   * @throws {BatchError} or whatever the sink threw
   */
  write(batch: Batch, failures: Failures | undefined): Promise<void> {
    if (!this.#isOrdered) return this.#write(batch, failures)
    const partition = `${batch.partition} ${batch.topic}`
    const before = this.#last.get(partition)
    const written =
      before === undefined ? this.#write(batch, failures) : before.then(() => this.#write(batch, failures))
    this.#last.set(partition, written)
    return written
  }

  async #write(batch: Batch, failures: Failures | undefined): Promise<void> {
    const { breaker, errors, hurry } = this.#options
    let rest = batch
    let counted = 0
    for (let attempt = 1; ; attempt++) {
      // Nothing is waited for where there is nothing to wait for: the write belongs to the moment in which it was begun.
      const pass = breaker === undefined ? undefined : await breaker.entered(hurry)
      const failed = await this.#attempt(rest, pass)
      if (failed === undefined) return
      const { error, byRow } = failed
      // With an open circuit the sink is to blame, so that attempt does not bring records closer to their fate.
      if (breaker === undefined || breaker.progress.state === 'closed') counted++
      const again = [...byRow].filter(([, reason]) => this.#mayTryAgain(reason, counted))
      if (again.length < byRow.size && failures === undefined) throw error
      for (const [row, reason] of byRow)
        if (!this.#mayTryAgain(reason, counted)) failures!.add(rest, row, reason, attempt)
      if (again.length === 0) return
      errors.retrying(again.map(([, reason]) => reason))
      rest = rest.pick(again.map(([row]) => row).toSorted((a, b) => a - b))!
      // Nobody waits for the end of a pause when the run is to end.
      await sleep(backoffMs(attempt, this.#options.policy.retry?.backoff ?? BREAKER_BACKOFF), hurry).catch(() => {
        throw error
      })
    }
  }

  /** @returns undefined when all rows were written */
  async #attempt(
    batch: Batch,
    pass: Pass | undefined,
  ): Promise<{ readonly error: unknown; readonly byRow: ReadonlyMap<number, MillraceError> } | undefined> {
    try {
      await this.#options.sink.write(batch, this.#options.abort)
      pass?.succeeded()
      return undefined
    } catch (error) {
      if (this.#options.abort.aborted || !isMillraceError(error) || ENDS_RUN.has(error.code)) {
        pass?.cancelled()
        throw error
      }
      const byRow =
        error instanceof BatchError
          ? error.failures
          : new Map(Array.from({ length: batch.length }, (_, row) => [row, error]))
      const reasons = [...byRow.values()]
      // A sink that refuses records for what they are is alive.
      if (reasons.every((reason) => isFaultOfRecord(reason) || reason.code === 'REFUSED_WITH_BATCH')) pass?.succeeded()
      else pass?.failed()
      if (reasons.some((reason) => ENDS_RUN.has(reason.code) || this.#endsTransaction(reason))) throw error
      return { error, byRow }
    }
  }

  /** In a transaction nothing more can be written then, neither the same records again nor dead letters of them. */
  #endsTransaction(reason: MillraceError): boolean {
    return this.#options.inTransaction === true && (!isFaultOfRecord(reason) || reason.cause instanceof BrokerError)
  }

  /** @param attempts that count */
  #mayTryAgain(reason: MillraceError, attempts: number): boolean {
    const {
      policy: { retry, fate },
      breaker,
    } = this.#options
    if (isFaultOfRecord(reason)) return false
    // The records that it was refused with are out of the way then.
    if (reason.code === 'REFUSED_WITH_BATCH' && fate !== 'fail') return true
    // With a breaker and no policy of attempts, the breaker decides when, and the run waits for the sink.
    return retry === undefined ? breaker !== undefined : attempts <= retry.maxRetries
  }
}

/** Errors after which this run must not write anything more, or that say nothing about a record. */
const ENDS_RUN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ABORTED',
  'CLOSED',
  'UNEXPECTED',
  'RECORD_CORRUPT',
  'SEQUENCE_BROKEN',
  'PRODUCER_FENCED',
  'TRANSACTION_FAILED',
  'AUTHENTICATION_FAILED',
])
