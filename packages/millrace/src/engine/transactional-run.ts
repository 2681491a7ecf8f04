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
import type { GroupOffsets, SourceOffsets } from '../contracts/offsets.ts'
import type { SinkTransactions } from '../contracts/sink.ts'
import type { Acknowledgement, Batch } from '../records/batch.ts'
import { splitAtCutOff } from '../records/cut-off.ts'
import { AbortedError, RecordError } from '../errors/index.ts'
import type { Counter, Histogram } from '../metrics/counters.ts'
import { inBackground } from '../resilience/background.ts'
import { backoffMs, sleep } from '../resilience/retry.ts'
import { isWorthAnotherTransaction, tookTooLong } from './failures/another-transaction.ts'
import { partBeforeFailure } from './failures/rows-before.ts'
import { InFlight } from './in-flight.ts'
import { inSlices } from './slices.ts'
import { markStages } from './stage-chain.ts'
import { COMMIT_INTERVAL_MS, type PipelinePlan, type RunOptions, type RunResult } from './plan.ts'
import { TransactionSize } from './transaction-size.ts'
import { afterCommit, type TransactionalPipeline, type Work } from './transactional-work.ts'

/** Attempts in a row that may end without a commit, unless the error policy says how many; with a circuit breaker they go on. */
const MAX_FAILURES = 5
const BACKOFF = { initialMs: 100, maxMs: 5000 }
/** How long the last abort of a run that fails may take; without it the coordinator aborts after `transaction.timeout.ms`. */
const LAST_ABORT_MS = 5000

/** Partitions were given back before their records were committed: not a failure, but the attempt is over. */
class Released extends Error {}

/** What it needs of a plan. */
type Plan = Pick<PipelinePlan, 'name' | 'commitIntervalMs' | 'maxBatchesInFlight'> &
  Partial<Pick<PipelinePlan, 'errorPolicy' | 'circuitBreaker'>>

interface Attempt {
  readonly failed: AbortController
  readonly attemptEnded: AbortSignal
  readonly inFlight: InFlight
}

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
  /** What was read since the last commit was asked for. */
  readonly #size: TransactionSize
  /** How long the work on the last slice held up the event loop. */
  #takingMs = 0
  /** Brings the stages back to where the last committed transaction left them. */
  #restoreStages: () => void
  /** Of the transaction that was asked to be committed last, for when it has happened. */
  #onCommitted: (offsets?: GroupOffsets) => void = () => {}
  #failures = 0
  readonly #maxFailures: number
  #isRunning = false
  #inFlight: InFlight
  readonly #commits: Counter | undefined
  readonly #aborts: Counter | undefined
  readonly #latency: Histogram | undefined

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
    this.#size = new TransactionSize(this.#transactions.timeoutMs ?? Infinity, work.waits === true)
    this.#commits = pipeline.meter?.counter('millrace_transaction_commits_total')
    this.#latency = pipeline.meter?.histogram('millrace_pipeline_latency_seconds')
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
        this.#pipeline.activity?.ended()
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
    const { source, stages, activity, reading: time } = this.#pipeline
    const failed = (this.#failed = new AbortController())
    const attemptEnded = AbortSignal.any([abort, failed.signal])
    const inFlight = (this.#inFlight = new InFlight(this.#inFlightBytes, this.#plan.maxBatchesInFlight))
    let ended: RunResult['ended'] = 'source'
    this.#isRunning = true
    const commitSoon = (): void => inBackground(this.#commitInBackground(), (error) => failed.abort(error))
    const timer = setInterval(commitSoon, this.#plan.commitIntervalMs ?? COMMIT_INTERVAL_MS)
    const { isLocated } = this.#work
    const reading = AbortSignal.any([signal, attemptEnded])
    const attempt: Attempt = { failed, attemptEnded, inFlight }
    try {
      for await (const batch of inSlices(source.batches(reading), this.#pace, isLocated, time)) {
        activity?.backpressured()
        await this.#commitGate
        await inFlight.room()
        if (this.#size.isFull) await this.#commitFirst()
        activity?.busy()
        this.#takeOrBefore(batch, attempt)
        if (this.#size.isLarge) commitSoon()
        activity?.idle()
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
    } catch (error) {
      // What comes before the record that ends the run is committed, so that the next run begins with it.
      if (error instanceof RecordError) await this.#commitAll().catch(() => {})
      throw error
    } finally {
      clearInterval(timer)
    }
  }

  /** Takes a batch, or what comes before the record that ends the run. */
  #takeOrBefore(batch: Batch, attempt: Attempt): void {
    const began = performance.now()
    const restoreStages = markStages(this.#pipeline.stages.list)
    try {
      this.#take(batch, attempt)
    } catch (error) {
      restoreStages()
      const before = partBeforeFailure(error, batch)
      try {
        if (before !== undefined) this.#take(before, attempt)
      } catch {
        // A stage that combines rows fails here, too: the next run reads the whole batch again.
        throw error
      }
      // Where a limit is reached before the record, the run ends there, and the record is the next run's.
      if (before === undefined || !this.#pipeline.stages.exhausted) throw error
    }
    this.#takingMs = performance.now() - began
  }

  /** Nothing in here may wait: a commit in between would take the stages to be further than the output. */
  #take(batch: Batch, { failed, attemptEnded, inFlight }: Attempt): void {
    const { stages } = this.#pipeline
    this.#size.took(batch.length, batch.byteLength)
    const write = this.#work.begin(batch, attemptEnded) // decode, stages, encode
    // Where the run ends with a limit, what it cut off is the next run's.
    const cutOff = stages.exhausted ? stages.list.flatMap((stage) => stage.cutOff ?? []) : []
    const [done] = splitAtCutOff(batch, cutOff) ?? [batch.acknowledgement]
    // Which may locate its records, and so decompress them.
    const delivery = write && this.#deliver(failed, done, afterCommit(write, this.#committing), batch.newestTimestamp)
    if (delivery !== undefined) inFlight.add(batch.byteLength, delivery)
    // Every record was filtered out, and counted as dropped (I7).
    else if (this.#committing === undefined) done.ack()
    // Not part of the transaction that is being committed: should the next one abort, stages go back to before this batch.
    else
      inFlight.add(
        0,
        this.#deliver(failed, done, () => this.#committing ?? Promise.resolve()),
      )
  }

  async #deliver(
    failed: AbortController,
    done: Acknowledgement,
    write: () => Promise<void>,
    newest?: number,
  ): Promise<void> {
    try {
      await write()
      done.ack() // I1: in this transaction; what commits it is the transaction
      if (newest !== undefined) this.#latency?.observe((Date.now() - newest) / 1000)
    } catch (error) {
      failed.abort(error)
      throw error
    }
  }

  /** How many rows are begun together: as many as the work wants, and as the transaction has room for. */
  get #pace(): Work['pace'] {
    const { pace } = this.#work
    const size = this.#size
    return {
      get rows() {
        return Math.min(pace.rows, size.rowsLeft)
      },
      worked: (rows) => pace.worked(rows, this.#takingMs), // without what was waited for
    }
  }

  /** Waits until the commit of what was read has begun. */
  async #commitFirst(): Promise<void> {
    await this.#settled()
    inBackground(this.#commit(), (error) => this.#failed.abort(error))
  }

  /** Commits in the background, unless that is under way or there is nothing to commit. Never rejects: the attempt fails. */
  async #commitInBackground(): Promise<void> {
    if (this.#committing ?? this.#commitGate) return
    if (this.#failed.signal.aborted) return
    if (this.#size.isEmpty && this.#offsets.taken().offsets.length === 0) return
    await this.#commitAll().catch(() => {})
  }

  /** Commits everything that was read. */
  async #commitAll(): Promise<void> {
    await this.#settled()
    await this.#commit()
  }

  /** Waits until a commit may begin. */
  async #settled(): Promise<void> {
    const { signal } = this.#failed
    await this.#committing
    if (this.#work.inSteps) {
      const gate = this.#inFlight.settled().finally(() => {
        if (this.#commitGate === gate) this.#commitGate = undefined
      })
      this.#commitGate = gate
      await gate
    }
    signal.throwIfAborted() // what runs by now may be another attempt
  }

  /** Commits what has been written so far, as one transaction with its offsets (I5). */
  #commit(): Promise<void> {
    if (this.#committing !== undefined) return this.#committing
    const restore = markStages(this.#pipeline.stages.list)
    const disposed = this.#work.errors?.committing()
    const onCommitted = (this.#onCommitted = (offsets) => {
      this.#restoreStages = restore
      disposed?.(offsets)
      this.#commits?.add(1)
    })
    const acknowledged = this.#inFlight.settledSoFar()
    acknowledged.catch(() => {})
    const ended = this.#size.commit()
    this.#committing = (async () => {
      try {
        const offsets = await this.#transactions.commit(async () => {
          // Not only written: a batch counts when the ledger has heard of it.
          await acknowledged
          this.#failed.signal.throwIfAborted()
          return this.#offsets.taken()
        }, this.#run.abort)
        this.#offsets.committed(offsets)
        onCommitted(offsets)
        ended()
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
    const { timeoutMs } = this.#size
    const backoff = this.#plan.errorPolicy?.retry?.backoff ?? BACKOFF
    const pause = (): Promise<void> =>
      sleep(backoffMs(this.#failures, backoff), AbortSignal.any([abort, signal])).catch(() => {})
    await setImmediate() // what has failed together is known to have
    let error: unknown = this.#failed.signal.aborted ? this.#failed.signal.reason : thrown
    // Without those rows the next attempt gets further.
    let isNoFailure = this.#work.errors?.aborted() === true || error instanceof Released
    const tooLongMs = this.#size.abort()
    for (;;) {
      if (!isNoFailure && (abort.aborted || !this.#mayTryAgain(error))) {
        if (abort.aborted) throw error
        await this.#transactions.abort(AbortSignal.any([abort, AbortSignal.timeout(LAST_ABORT_MS)])).catch(() => {})
        throw tooLongMs === undefined ? error : tookTooLong(tooLongMs, timeoutMs, error)
      }
      const reason = error instanceof Error ? error.message : String(error)
      if (!isNoFailure)
        warn(`The transaction is aborted, and reading restarts at the committed offsets: ${reason}`, {
          event: 'transaction.aborted',
          failures: this.#failures,
        })
      try {
        await this.#abort(abort)
        this.#restoreStages()
        if (!signal.aborted) await this.#rewind()
        if (!isNoFailure) await pause()
        return
      } catch (failure) {
        // The coordinator is gone. Nobody waits for it when the run is to end.
        if (signal.aborted) throw failure
        error = failure
        isNoFailure = false
        await pause()
      }
    }
  }

  /** Counts a failure. */
  #mayTryAgain(error: unknown): boolean {
    const { renewable } = this.#transactions
    const leavesOut = (this.#plan.errorPolicy?.fate ?? 'fail') !== 'fail'
    return isWorthAnotherTransaction(error, renewable, leavesOut) && ++this.#failures <= this.#maxFailures
  }

  /** A commit whose answer was lost may have happened: then the stages go back to what it left, as the offsets do. */
  async #abort(signal: AbortSignal): Promise<void> {
    const ending = await this.#transactions.abort(signal)
    if (ending === 'committed') this.#onCommitted()
    else this.#aborts?.add(1)
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
}
