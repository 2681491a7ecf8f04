/**
 * The way of a record with `delivery: exactly_once`:
 *
 * ```
 * read ──► decode ──► stages ──► encode ──► write into the open transaction ──► every commitInterval: offsets, commit
 * ```
 *
 * Outputs and the offsets of what they were made of become visible together or not at all (I5). Reading, stages and encoding
 * go on while a transaction is being committed; what they give belongs to the next one. Whatever goes wrong on the way and
 * may go right another time, a rebalance included, ends the *attempt*: the transaction is aborted and reading begins again at the
 * committed offsets. May not import a concrete component.
 */
import { setImmediate } from 'node:timers/promises'
import type { SourceOffsets } from '../contracts/offsets.ts'
import type { Sink, SinkTransactions } from '../contracts/sink.ts'
import type { Source } from '../contracts/source.ts'
import type { Stage } from '../contracts/stage.ts'
import type { Acknowledgement, Batch } from '../records/batch.ts'
import { splitAtCutOff } from '../records/cut-off.ts'
import {
  AbortedError,
  BatchError,
  BrokerError,
  DeliveryError,
  isMillraceError,
  TransactionError,
} from '../errors/index.ts'
import { meaningOf } from '../errors/meaning.ts'
import type { Counter, Meter } from '../metrics/counters.ts'
import { inBackground } from '../resilience/background.ts'
import type { Pace } from '../resilience/pace.ts'
import { backoffMs, sleep } from '../resilience/retry.ts'
import { InFlight } from './in-flight.ts'
import { markStages } from './stage-chain.ts'
import type { PipelinePlan, RunOptions, RunResult } from './plan.ts'

/** A transaction is committed early when so many bytes have been read for it. */
const TRANSACTION_BYTES = 64 * 1024 * 1024
/** Unless the file says otherwise. */
const COMMIT_INTERVAL_MS = 100
/** Attempts in a row that may end without a commit, unless the error policy says how many; with a circuit breaker they go on. */
const MAX_FAILURES = 5
const BACKOFF = { initialMs: 100, maxMs: 5000 }
/** How long the last abort of a run that fails may take; without it the coordinator aborts after `transaction.timeout.ms`. */
const LAST_ABORT_MS = 5000

/** What is done with a batch. */
export interface Work {
  /**
   * Decode, stages, encode.
   * @param attemptEnded fires when the attempt is over: what is still under way must write nothing more, as it would become part of
   *   the next transaction, for which the batch is read again. Another one for each attempt
   * @returns writes what is left and resolves when it is acknowledged; undefined when nothing is left
   */
  begin(batch: Batch, attemptEnded: AbortSignal): (() => Promise<void>) | undefined
  /** Whether a batch may be written in several steps, for instance with dead letters: no commit may come between them. */
  readonly inSteps: boolean
  /** Rows that are begun together: of a larger batch slice by slice. */
  readonly pace: Pick<Pace, 'rows' | 'worked'>
}

/** What it needs of a pipeline: a source whose offsets others can commit, and a sink with transactions, both open. */
export interface TransactionalPipeline {
  readonly source: Pick<Source, 'batches' | 'offsets'>
  readonly sink: Pick<Sink, 'transactions'>
  readonly stages: { readonly list: readonly Pick<Stage, 'mark' | 'cutOff'>[]; readonly exhausted: boolean }
  /** Counts transactions. */
  readonly meter?: Meter | undefined
}

/** Partitions were given back before their records were committed: not a failure, but the attempt is over. */
class Released extends Error {}

/** What it needs of a plan. */
type Plan = Pick<PipelinePlan, 'name' | 'commitIntervalMs' | 'maxBatchesInFlight'> &
  Partial<Pick<PipelinePlan, 'errorPolicy' | 'circuitBreaker'>>

export class TransactionalRun {
  readonly #plan: Plan
  readonly #run: Pick<RunOptions, 'signal' | 'abort' | 'warn'>
  readonly #pipeline: TransactionalPipeline
  readonly #work: Work
  readonly #inFlightBytes: number
  readonly #offsets: SourceOffsets
  readonly #transactions: SinkTransactions
  /** Of the attempt; fires with the reason why it cannot go on. */
  #failed = new AbortController()
  #committing: Promise<void> | undefined
  /** While batches are written in steps: what the next one waits for before it is begun. */
  #commitGate: Promise<void> | undefined
  /** While a large batch is begun slice by slice: it has one offset, so that no commit may come between its slices. */
  #slicing: Promise<void> | undefined
  /** Bytes read since the last commit was asked for. */
  #bytes = 0
  /** Brings the stages back to where the last committed transaction left them. */
  #restoreStages: () => void
  /** The same for the transaction that was asked to be committed last, whatever came of it. */
  #restoreIfCommitted: () => void = () => {}
  #failures = 0
  readonly #maxFailures: number
  #isRunning = false
  #inFlight: InFlight
  readonly #commits: Counter | undefined
  readonly #aborts: Counter | undefined

  constructor(
    plan: Plan,
    run: Pick<RunOptions, 'signal' | 'abort' | 'warn'>,
    pipeline: TransactionalPipeline,
    work: Work,
    inFlightBytes: number,
  ) {
    this.#plan = plan
    this.#run = run
    this.#pipeline = pipeline
    this.#work = work
    this.#inFlightBytes = inFlightBytes
    this.#inFlight = new InFlight(inFlightBytes, plan.maxBatchesInFlight)
    this.#offsets = pipeline.source.offsets!
    this.#transactions = pipeline.sink.transactions!
    this.#commits = pipeline.meter?.counter('millrace_transaction_commits_total')
    this.#aborts = pipeline.meter?.counter('millrace_transaction_aborts_total')
    this.#restoreStages = markStages(this.#pipeline.stages.list)
    this.#maxFailures = plan.circuitBreaker ? Infinity : (plan.errorPolicy?.retry?.maxRetries ?? MAX_FAILURES)
    this.#offsets.onRelease({
      commit: (signal) => this.#release(signal),
      lost: () => this.#failed.abort(new Released('Partitions were lost')),
    })
  }

  /** @throws {MillraceError} the first failure that is not worth another attempt; nothing of its transaction is visible */
  async run(): Promise<RunResult['ended']> {
    for (;;) {
      try {
        const ended = await this.#attempt()
        this.#isRunning = false
        return ended
      } catch (error) {
        this.#isRunning = false
        this.#failed.abort(error)
        await this.#committing?.catch(() => {})
        await this.#recover(error)
        // It may wait for what is slow to end, and nothing of that belongs to the next attempt.
        this.#commitGate = undefined
        // The next run reads again what was aborted.
        if (this.#run.signal.aborted) return 'signal'
      }
    }
  }

  /** From the committed offsets on, until the run ends or something fails. */
  async #attempt(): Promise<RunResult['ended']> {
    const { signal, abort } = this.#run
    const { source, stages } = this.#pipeline
    const { pace } = this.#work
    const failed = (this.#failed = new AbortController())
    const attemptEnded = AbortSignal.any([abort, failed.signal])
    const inFlight = (this.#inFlight = new InFlight(this.#inFlightBytes, this.#plan.maxBatchesInFlight))
    let ended: RunResult['ended'] = 'source'
    this.#bytes = 0
    this.#isRunning = true
    const commitSoon = (): void => inBackground(this.#commitInBackground(), (error) => failed.abort(error))
    const timer = setInterval(commitSoon, this.#plan.commitIntervalMs ?? COMMIT_INTERVAL_MS)
    const deliver = async (done: Acknowledgement, write: () => Promise<void>): Promise<void> => {
      try {
        await write()
        done.ack() // I1: in this transaction; what commits it is the transaction
      } catch (error) {
        failed.abort(error)
        throw error
      }
    }
    // Nothing in here may wait: a commit in between would take the stages to be further than the output.
    const take = (batch: Batch): void => {
      const write = this.#work.begin(batch, attemptEnded) // decode, stages, encode
      // Where the run ends with a limit, what it cut off is the next run's.
      const cutOff = stages.exhausted ? stages.list.flatMap((stage) => stage.cutOff ?? []) : []
      const [done] = splitAtCutOff(batch, cutOff) ?? [batch.acknowledgement]
      if (write !== undefined) inFlight.add(batch.byteLength, deliver(done, write))
      // Every record was filtered out, and counted as dropped (I7).
      else if (this.#committing === undefined) done.ack()
      // Not part of the transaction that is being committed: should the next one abort, stages go back to before this batch.
      else
        inFlight.add(
          0,
          deliver(done, () => this.#committing ?? Promise.resolve()),
        )
    }
    try {
      for await (const batch of source.batches(AbortSignal.any([signal, attemptEnded]))) {
        await this.#commitGate
        await inFlight.room()
        if (batch.length > pace.rows) await this.#takeSlices(batch, take)
        else if (timed(take, batch, pace)) await setImmediate()
        this.#bytes += batch.byteLength
        if (this.#bytes >= TRANSACTION_BYTES) commitSoon()
        if (stages.exhausted) {
          ended = 'stage'
          break
        }
      }
      failed.signal.throwIfAborted()
      if (abort.aborted) throw new AbortedError(`Pipeline "${this.#plan.name}"`, { cause: abort.reason })
      if (signal.aborted) ended = 'signal'
      await this.#commitAll()
      failed.signal.throwIfAborted()
      return ended
    } finally {
      clearInterval(timer)
    }
  }

  /** Takes the slices of a batch, with a turn of the event loop and room after each. A limit that is reached leaves the rest to the next run. */
  async #takeSlices(batch: Batch, take: (slice: Batch) => void): Promise<void> {
    const { pace } = this.#work
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#slicing = promise
    try {
      for (const slice of batch.slices(() => pace.rows)) {
        timed(take, slice, pace)
        if (this.#pipeline.stages.exhausted) break
        await setImmediate()
        await this.#inFlight.room()
        this.#failed.signal.throwIfAborted()
      }
    } finally {
      this.#slicing = undefined
      resolve()
    }
  }

  /** Commits in the background, unless that is under way or there is nothing to commit. Never rejects: the attempt fails. */
  async #commitInBackground(): Promise<void> {
    if (this.#committing ?? this.#commitGate ?? this.#slicing) return
    if (this.#failed.signal.aborted) return
    if (this.#bytes === 0 && this.#offsets.taken().offsets.length === 0) return
    await this.#commitAll().catch(() => {})
  }

  /** Commits everything that was read. */
  async #commitAll(): Promise<void> {
    const { signal } = this.#failed
    await this.#committing
    while (this.#slicing !== undefined) await this.#slicing
    if (this.#work.inSteps) {
      const gate = this.#inFlight.settled().finally(() => {
        if (this.#commitGate === gate) this.#commitGate = undefined
      })
      this.#commitGate = gate
      await gate
    }
    signal.throwIfAborted() // what runs by now may be another attempt
    await this.#commit()
  }

  /** Commits what has been written so far, as one transaction with its offsets (I5). */
  #commit(): Promise<void> {
    if (this.#committing !== undefined) return this.#committing
    const restore = (this.#restoreIfCommitted = markStages(this.#pipeline.stages.list))
    const acknowledged = this.#inFlight.settledSoFar()
    acknowledged.catch(() => {})
    this.#bytes = 0
    this.#committing = (async () => {
      try {
        const offsets = await this.#transactions.commit(async () => {
          // Not only written: a batch counts when the ledger has heard of it.
          await acknowledged
          this.#failed.signal.throwIfAborted()
          return this.#offsets.taken()
        }, this.#run.abort)
        this.#offsets.committed(offsets)
        this.#commits?.add(1)
        this.#restoreStages = restore
        this.#failures = 0
      } catch (error) {
        this.#failed.abort(error)
        throw error
      } finally {
        this.#committing = undefined
      }
    })()
    return this.#committing
  }

  /** Partitions are to be given back, and everything read from them was written: commits in time, or gives the attempt up (I3). */
  async #release(signal: AbortSignal): Promise<void> {
    if (!this.#isRunning) return
    const failed = this.#failed
    try {
      if (signal.aborted) throw new Released('Partitions were revoked', { cause: signal.reason })
      const late = new Promise<never>((_, reject) => {
        signal.addEventListener(
          'abort',
          () => reject(new Released('Partitions were revoked', { cause: signal.reason })),
          { once: true },
        )
      })
      await Promise.race([this.#commitAll(), late])
    } catch (error) {
      failed.abort(error)
    }
  }

  /** Aborts what was not committed and goes back, when that may help. @throws the reason why not */
  async #recover(thrown: unknown): Promise<void> {
    const { abort, signal, warn } = this.#run
    const backoff = this.#plan.errorPolicy?.retry?.backoff ?? BACKOFF
    const pause = (): Promise<void> =>
      sleep(backoffMs(this.#failures, backoff), AbortSignal.any([abort, signal])).catch(() => {})
    let error: unknown = this.#failed.signal.aborted ? this.#failed.signal.reason : thrown
    for (;;) {
      const isReleased = error instanceof Released
      if (!isReleased && (abort.aborted || !this.#isWorthRetrying(error) || ++this.#failures > this.#maxFailures)) {
        if (!abort.aborted)
          await this.#transactions.abort(AbortSignal.any([abort, AbortSignal.timeout(LAST_ABORT_MS)])).catch(() => {})
        throw error
      }
      const reason = error instanceof Error ? error.message : String(error)
      if (!isReleased)
        warn(`The transaction is aborted, and reading restarts at the committed offsets: ${reason}`, {
          failures: this.#failures,
        })
      try {
        await this.#abort(abort)
        this.#restoreStages()
        if (!signal.aborted) await this.#rewind()
        if (!isReleased) await pause()
        return
      } catch (failure) {
        // The coordinator is gone. Nobody waits for it when the run is to end.
        if (signal.aborted) throw failure
        error = failure
        await pause()
      }
    }
  }

  /** A commit whose answer was lost may have happened: then the stages go back to what it left, as the offsets do. */
  async #abort(signal: AbortSignal): Promise<void> {
    const ending = await this.#transactions.abort(signal)
    if (ending === 'committed') this.#restoreStages = this.#restoreIfCommitted
    ;(ending === 'committed' ? this.#commits : this.#aborts)?.add(1)
  }

  /** Goes back to the committed offsets, unless the run is to end: they may have to wait for a transaction of somebody else. */
  async #rewind(): Promise<void> {
    const { abort, signal } = this.#run
    try {
      await this.#offsets.rewind(AbortSignal.any([abort, signal]))
    } catch (error) {
      if (abort.aborted || !signal.aborted) throw error
    }
  }

  /** Whether the same records may go through in another transaction. */
  #isWorthRetrying(error: unknown): boolean {
    if (!isMillraceError(error)) return false
    if (error instanceof TransactionError) return !error.fatal || this.#transactions.renewable
    if (error instanceof BatchError)
      return [...error.failures.values()].every((reason) => this.#isWorthRetrying(reason))
    if (error instanceof AbortedError || error.code === 'DEAD_LETTER_FAILED') return this.#isWorthRetrying(error.cause)
    const { cause } = error
    if (error instanceof DeliveryError && cause instanceof BrokerError && ENDS_TRANSACTION.has(cause.kafkaName))
      return true
    const meaning = meaningOf(error)
    return meaning === 'sink-down' || meaning === 'says-nothing'
  }
}

/** @returns whether a turn of the event loop is due */
function timed(take: (batch: Batch) => void, batch: Batch, pace: Work['pace']): boolean {
  const began = performance.now()
  take(batch)
  return pace.worked(batch.length, performance.now() - began)
}

/** Kafka's names for what the next transaction of the same producer is not touched by. */
const ENDS_TRANSACTION: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'UNKNOWN_PRODUCER_ID',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'INVALID_TXN_STATE',
  'TRANSACTION_ABORTABLE',
  'INVALID_PRODUCER_ID_MAPPING',
])
