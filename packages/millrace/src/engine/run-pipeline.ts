/**
 * The way of a record, from top to bottom:
 *
 * ```
 * read ──► decode ──► stages ──► encode ──► write ──► acknowledge ──► commit
 * source   codec      stages     codec      sink      batch.ack()     source, on its own clock
 * ```
 *
 * The unit is a batch. What its steps need from elsewhere, a schema for instance, is fetched before it is read. Reading, decoding, stages and encoding happen in order, one batch after the other; writes overlap,
 * bounded in bytes, and the sink keeps their order per partition. The source commits only what was acknowledged, and
 * never past a batch that was not (I1, I2). May not import a concrete component.
 */
import type { Acknowledgement, Batch } from '../records/batch.ts'
import { NO_ACKNOWLEDGEMENT } from '../records/acknowledgement.ts'
import { type CommittablePart, deliveredPart, firstCutOff, partBefore, splitAtCutOff } from '../records/cut-off.ts'
import { AbortedError } from '../errors/index.ts'
import { type Counter, Counters, type Histogram } from '../metrics/counters.ts'
import { type CircuitBreaker, combinedProgress } from '../resilience/circuit-breaker.ts'
import { guarded } from '../resilience/background.ts'
import type { Pace } from '../resilience/pace.ts'
import { countedTransactions, createBreaker } from './breaker.ts'
import { Delivery, writesInSteps } from './delivery.ts'
import { ErrorHandling } from './failures/error-handling.ts'
import { TransactionalRun } from './transactional-run.ts'
import type { Work } from './transactional-work.ts'
import { DeliveryToEach, type Writer } from './fan-out.ts'
import { InFlight, IN_FLIGHT_BYTES } from './in-flight.ts'
import { Activity, type ActivityOfReader, type SinkActivity } from './watching/activity.ts'
import { observeBreaker } from './watching/observed.ts'
import { observeLine, ReadingTime } from './watching/part-times.ts'
import { PipelineWatch, sinkId } from './watching/pipeline-watch.ts'
import { openPipeline, type OpenPipeline } from './open-pipeline.ts'
import { keepsNothing } from './keeps-nothing.ts'
import type { Failures } from './failures/failures.ts'
import { createSkipTrace } from './failures/skip-trace.ts'
import { partBeforeFailure, rowsBeforeFailure } from './failures/rows-before.ts'
import type { PipelinePlan, RunOptions, RunProgress, RunResult } from './plan.ts'
import { inSlices, paceOf } from './slices.ts'
import { markStages } from './stage-chain.ts'
import { createSteps, type Steps } from './steps.ts'

const PROGRESS_INTERVAL_MS = 1000

/**
 * Runs a pipeline until its source ends, a stage lets nothing more through, or it is asked to stop.
 *
 * @throws {MillraceError} the first failure; everything acknowledged before it has been committed
 */
export async function runPipeline(plan: PipelinePlan, run: RunOptions): Promise<RunResult> {
  const started = performance.now()
  const metrics = run.metrics ?? new Counters()
  const watch = new PipelineWatch(plan, metrics, run.signal)
  run.onPipeline?.(watch)
  return watch.follow(async () => {
    const pipeline = await openPipeline(plan, { ...run, metrics })
    watch.opened()
    return new PipelineRun(plan, run, pipeline, watch, started).run()
  })
}

/** A batch that was decoded, and has gone through stages and encoding. */
interface Begun {
  readonly passed?: readonly Batch[] | undefined
  readonly failures?: Failures | undefined
  /** What is left to do; undefined when that is nothing. */
  readonly write: (() => Promise<void>) | undefined
}

class PipelineRun {
  readonly #plan: PipelinePlan
  readonly #run: RunOptions
  readonly #pipeline: OpenPipeline
  readonly #watch: PipelineWatch
  readonly #started: number
  readonly #steps: Steps
  readonly #pace: Pace
  /** Whether no record batch is forwarded as it was read. */
  readonly #isLocated: boolean
  /** Whether the memory of what was read is freed as soon as it is delivered. */
  readonly #isReleased: boolean
  readonly #errors: ErrorHandling
  readonly #inFlight: InFlight
  readonly #batchCounter: Counter
  readonly #latency: Histogram
  readonly #activity = new Activity()
  readonly #reading = new ReadingTime()
  readonly #sinkActivities: readonly SinkActivity[]
  readonly #failed = new AbortController()
  /** Ends reading. */
  readonly #stop: AbortSignal
  /** One for each sink, as what one sink takes says nothing about another; none where the plan asks for none. */
  readonly #breakers: readonly CircuitBreaker[]
  /** What delivers to the sinks, until the attempt has ended. */
  #delivery: { readonly attemptEnded: AbortSignal; readonly writer: Writer } | undefined

  constructor(plan: PipelinePlan, run: RunOptions, pipeline: OpenPipeline, watch: PipelineWatch, started: number) {
    const { source, documents, targets, deadLetters, meters } = pipeline
    this.#plan = plan
    this.#run = run
    this.#pipeline = pipeline
    this.#watch = watch
    this.#started = started
    this.#sinkActivities = targets.map(() => this.#activity.sink())
    this.#steps = createSteps({ ...pipeline, sinkActivities: this.#sinkActivities })
    this.#isLocated = documents !== undefined || pipeline.stages.list.length > 0 || !pipeline.sink.writesRecordBatches
    this.#isReleased = run.preview === undefined && keepsNothing(pipeline)
    this.#pace = paceOf(plan, source, pipeline.stages.list, documents !== undefined)
    const trace = plan.errorPolicy.fate === 'skip' ? createSkipTrace(run.warn) : undefined
    const inTransactions = pipeline.sink.transactions !== undefined
    this.#errors = new ErrorHandling(
      plan.errorPolicy,
      deadLetters,
      meters.pipeline,
      trace,
      inTransactions,
      watch.failures,
    )
    this.#batchCounter = meters.source.counter('millrace_source_batches_total')
    this.#inFlight = new InFlight(IN_FLIGHT_BYTES, plan.maxBatchesInFlight)
    this.#stop = AbortSignal.any([run.signal, run.abort, this.#failed.signal])
    this.#breakers = targets.flatMap(
      (_, i) => createBreaker(plan.circuitBreaker, run, targets.length === 1 ? 'the sink' : `sink ${i + 1}`) ?? [],
    )
    for (const [i, breaker] of this.#breakers.entries()) observeBreaker(meters.sinks[i]!, breaker)
    watch.breakers = this.#breakers.map((breaker, i) => ({ id: sinkId(i), breaker }))
    watch.problem = () => ({ reading: source.progress().problem, writing: pipeline.sink.progress().problem })
    watch.sources = [{ id: 'source', status: () => source.status?.() }]
    watch.taps = new Map(pipeline.stages.timers.map(({ tap }, i) => [`stage-${i + 1}`, tap]))
    this.#latency = meters.pipeline.histogram('millrace_pipeline_latency_seconds')
    this.#activity.observe(meters.pipeline)
    observeLine(pipeline, this.#activity, this.#reading, this.#sinkActivities)
    meters.pipeline.observe('millrace_pipeline_flight_bytes', () => this.#inFlight.bytes)
  }

  async run(): Promise<RunResult> {
    const report = guarded(
      () => this.#run.onProgress?.(this.#progress()),
      (error) => this.#failed.abort(error),
    )
    const timer = setInterval(report, PROGRESS_INTERVAL_MS)
    let ended: RunResult['ended']
    try {
      ended = await (this.#pipeline.sink.transactions === undefined ? this.#stream() : this.#transact())
    } finally {
      clearInterval(timer)
      try {
        await this.#close()
      } finally {
        this.#run.onProgress?.(this.#lastProgress())
      }
    }
    return { ...this.#lastProgress(), ended }
  }

  /** Batch by batch, from the source to the sinks; the source commits behind them, or with `at_most_once` ahead of them. */
  async #stream(): Promise<RunResult['ended']> {
    const { source, stages, sink, deadLetters } = this.#pipeline
    const { signal, abort } = this.#run
    const isCommittedFirst = this.#plan.delivery === 'at_most_once' && this.#run.preview === undefined
    let ended: RunResult['ended'] = 'source'
    const activity = this.#activity.reader()
    try {
      for await (const batch of inSlices(source.batches(this.#stop), this.#pace, this.#isLocated, this.#reading)) {
        activity.busy()
        await (isCommittedFirst ? this.#commitFirst(batch) : this.#take(batch, activity))
        if (stages.exhausted) {
          ended = 'stage'
          break
        }
        activity.idle()
      }
    } finally {
      activity.ended()
      // Whatever ended the run: what was read before still counts, and what is committed already will not be read again.
      await this.#inFlight.settled().catch(() => {})
    }
    if (abort.aborted) throw new AbortedError(`Pipeline "${this.#plan.name}"`, { cause: abort.reason })
    if (signal.aborted) ended = 'signal'
    await this.#inFlight.settled()
    this.#failed.signal.throwIfAborted()
    await sink.flush(abort)
    await deadLetters?.sink.flush(abort)
    return ended
  }

  async #take(batch: Batch, activity: ActivityOfReader): Promise<void> {
    const restoreStages = markStages(this.#pipeline.stages.list)
    let begun: Begun
    try {
      begun = this.#begin(batch, this.#run.abort) // decode, stages, encode
    } catch (error) {
      restoreStages()
      if (this.#deliverBefore(error, batch)) return
      throw error
    }
    if (begun.write === undefined) return this.#doneOf(batch).ack() // every record was filtered out, and counted as dropped (I7)
    activity.backpressured()
    await this.#inFlight.room()
    activity.busy() // what the sink does at once is work
    this.#send(batch, begun.write)
  }

  /** What is acknowledged with a batch: where the run ends with a limit, what it cut off is the next run's. */
  #doneOf(batch: Batch): Acknowledgement {
    const { stages } = this.#pipeline
    const [done] = (stages.exhausted && splitAtCutOff(batch, stages.cutOff)) || [batch.acknowledgement]
    return done
  }

  #send(batch: Batch, write: () => Promise<void>, done = this.#doneOf(batch)): void {
    // May locate the records, and so decompress them.
    const delivery = this.#deliver(done, write, batch.newestTimestamp)
    this.#inFlight.add(batch.byteLength, delivery)
  }

  /** The same with `at_most_once`: the offsets of what is written are committed before it is. */
  async #commitFirst(batch: Batch): Promise<void> {
    const { source, stages } = this.#pipeline
    const restoreStages = markStages(stages.list)
    const commit = async (part: CommittablePart | undefined): Promise<boolean> => {
      await this.#inFlight.room()
      return part !== undefined && source.offsets!.commitBefore(part)
    }
    let taken = batch
    let begun: Begun
    try {
      begun = this.#begin(batch, this.#run.abort)
    } catch (error) {
      restoreStages()
      const before = this.#beginBefore(error, batch)
      if (before === undefined || !stages.exhausted) {
        // Nor is the record that ends the run read again.
        const rows = rowsBeforeFailure(error, batch)
        const end = rows === undefined ? batch : partBefore(batch, Number(batch.offset(rows)) + 1)
        if ((await commit(end)) && before?.begun.write !== undefined)
          this.#send(before.part, before.begun.write, NO_ACKNOWLEDGEMENT)
        throw error
      }
      taken = before.part
      begun = before.begun
    }
    const { passed = [], failures, write } = begun
    const part = stages.exhausted ? deliveredPart(taken, passed, failures?.list ?? [], stages.cutOff) : taken
    if (write === undefined) part?.acknowledgement.ack()
    else if (await commit(part)) this.#send(taken, write, NO_ACKNOWLEDGEMENT)
    else restoreStages() // the partition has gone: they are the next owner's
  }

  /** The same in transactions, which commit outputs and offsets together: `exactly_once`. */
  async #transact(): Promise<RunResult['ended']> {
    const { source, stages, sink, targets, meters } = this.#pipeline
    const inSteps = writesInSteps(this.#plan) || targets.length > 1
    const work: Work = {
      begin: (batch, attemptEnded) => this.#begin(batch, attemptEnded).write,
      inSteps,
      pace: this.#pace,
      isLocated: this.#isLocated,
      errors: this.#errors,
    }
    // The first sink's producer writes for all of them.
    const transactions = countedTransactions(sink.transactions!, this.#breakers[0])
    const pipeline = {
      source,
      stages,
      sink: { transactions },
      meter: meters.pipeline,
      activity: this.#activity.reader(),
      reading: this.#reading,
    }
    const run = { ...this.#run, signal: AbortSignal.any([this.#run.signal, this.#failed.signal]) }
    const ended = await new TransactionalRun(this.#plan, run, pipeline, work, IN_FLIGHT_BYTES).run()
    this.#failed.signal.throwIfAborted()
    return ended
  }

  /** Decode, stages, encode. */
  #begin(batch: Batch, attemptEnded: AbortSignal): Begun {
    this.#batchCounter.add(1)
    const failures = this.#errors.collect() // undefined where the first failure ends the run
    let passed: Batch | undefined
    try {
      passed = this.#steps(batch, failures?.add)
    } catch (error) {
      this.#errors.failing(error, batch)
      throw error
    }
    const { stages } = this.#pipeline
    if (stages.exhausted) failures?.leave(batch, firstCutOff(batch, stages.cutOff))
    if (passed === undefined && !failures?.list.length) {
      if (this.#isReleased) batch.release()
      return { write: undefined }
    }
    const write = async (): Promise<void> => {
      try {
        if (passed !== undefined) await this.#writerUntil(attemptEnded).write(passed, failures)
        if (failures !== undefined) await this.#errors.dispose(failures, attemptEnded)
        if (this.#isReleased && !failures?.list.length) batch.release()
      } catch (error) {
        this.#errors.failing(error, batch)
        throw error
      }
    }
    return { passed: passed && [passed], failures, write }
  }

  /**
   * Delivers what comes before the record that ends the run, so that the next run begins with it.
   * @returns whether a limit is reached before it: then the run ends there, and the record is the next run's
   */
  #deliverBefore(error: unknown, batch: Batch): boolean {
    const before = this.#beginBefore(error, batch)
    if (before === undefined) return false
    const { source, stages } = this.#pipeline
    const { part, begun } = before
    // Without offsets the next run reads everything again.
    if (!stages.exhausted && source.offsets === undefined) return false
    if (begun.write === undefined) this.#doneOf(part).ack()
    else this.#send(part, begun.write)
    return stages.exhausted
  }

  /** Decode, stages, encode for what comes before the record that an error is about; undefined when that is nothing. */
  #beginBefore(error: unknown, batch: Batch): { readonly part: Batch; readonly begun: Begun } | undefined {
    const part = partBeforeFailure(error, batch)
    if (part === undefined) return undefined
    try {
      return { part, begun: this.#begin(part, this.#run.abort) }
    } catch {
      // A stage that combines rows fails here, too: the next run reads the whole batch again.
      return undefined
    }
  }

  async #deliver(done: Acknowledgement, write: () => Promise<void>, newest?: number): Promise<void> {
    try {
      await write()
      done.ack() // I1: only now may its offsets be committed
      if (newest !== undefined) this.#latency.observe((Date.now() - newest) / 1000)
    } catch (error) {
      this.#failed.abort(error)
      throw error
    }
  }

  /** What delivers to the sinks until the attempt has ended. */
  #writerUntil(attemptEnded: AbortSignal): Writer {
    if (this.#delivery?.attemptEnded === attemptEnded) return this.#delivery.writer
    const { sink, targets, meters } = this.#pipeline
    const options = {
      policy: this.#plan.errorPolicy,
      errors: this.#errors,
      inTransaction: sink.transactions !== undefined,
      abort: attemptEnded,
      stopWaiting: AbortSignal.any([this.#stop, attemptEnded]),
    }
    const each = targets.map((target, i) => {
      const batches = meters.sinks[i]!.counter('millrace_sink_batches_total')
      const seconds = meters.sinks[i]!.histogram('millrace_sink_write_seconds')
      const activity = this.#sinkActivities[i]
      return new Delivery({ ...options, sink: target, breaker: this.#breakers[i], batches, activity, seconds })
    })
    this.#delivery = { attemptEnded, writer: each.length === 1 ? each[0]! : new DeliveryToEach(each) }
    return this.#delivery.writer
  }

  #progress(): RunProgress {
    const { records, bytes, lag, problem } = this.#pipeline.source.progress()
    const written = this.#pipeline.sink.progress()
    return {
      elapsedMs: performance.now() - this.#started,
      read: { records, bytes },
      written: { records: written.records, bytes: written.bytes },
      lag,
      problem: problem ?? written.problem,
      errors: this.#errors.progress,
      circuitBreaker: combinedProgress(this.#breakers),
    }
  }

  #lastProgress(): RunProgress {
    return { ...this.#progress(), committed: this.#pipeline.source.progress().committed?.() }
  }

  /** I4: the source commits what was acknowledged before anything else is released. */
  async #close(): Promise<void> {
    const { source, sink, deadLetters } = this.#pipeline
    this.#watch.closing()
    try {
      await source.close()
    } finally {
      await Promise.all([sink.close(), deadLetters?.sink.close()])
    }
  }
}
