/**
 * The way of a record, from top to bottom:
 *
 * ```
 * read ──► decode ──► stages ──► encode ──► write ──► acknowledge ──► commit
 * source   codec      stages     codec      sink      batch.ack()     source, on its own clock
 * ```
 *
 * The unit is a batch. Reading, decoding, stages and encoding happen in order, one batch after the other; writes overlap,
 * bounded in bytes, and the sink keeps their order per partition. The source commits only what was acknowledged, and
 * never past a batch that was not (I1, I2). May not import a concrete component.
 */
import type { Batch } from '../records/batch.ts'
import { AbortedError } from '../errors/index.ts'
import { combinedProgress } from '../resilience/circuit-breaker.ts'
import { countedTransactions, createBreaker } from './breaker.ts'
import { committedFirst } from './committed-first.ts'
import { Delivery, writesInSteps } from './delivery.ts'
import { ErrorHandling } from './failures/error-handling.ts'
import { TransactionalRun } from './transactional-run.ts'
import { DeliveryToEach, type Writer } from './fan-out.ts'
import { InFlight, IN_FLIGHT_BYTES } from './in-flight.ts'
import { openPipeline } from './open-pipeline.ts'
import type { PipelinePlan, RunOptions, RunProgress, RunResult } from './plan.ts'
import { inSlices, sliceRowsOf } from './slices.ts'
import { createSteps } from './steps.ts'

const PROGRESS_INTERVAL_MS = 1000

/**
 * Runs a pipeline until its source ends, a stage lets nothing more through, or it is asked to stop.
 *
 * @throws {MillraceError} the first failure; everything acknowledged before it has been committed
 */
export async function runPipeline(plan: PipelinePlan, run: RunOptions): Promise<RunResult> {
  const started = performance.now()
  const pipeline = await openPipeline(plan, run)
  const { source, documents, stages, sink, targets, deadLetters } = pipeline
  const steps = createSteps(pipeline)
  const sliceRows = sliceRowsOf(plan, source, documents !== undefined)
  const errors = new ErrorHandling(plan.errorPolicy, deadLetters)
  const inFlight = new InFlight(IN_FLIGHT_BYTES, plan.maxBatchesInFlight)
  const failed = new AbortController()
  const stop = AbortSignal.any([run.signal, run.abort, failed.signal])
  // One for each, as what one sink takes says nothing about another.
  const breakers = targets.flatMap(
    (_, i) => createBreaker(plan.circuitBreaker, run, targets.length === 1 ? 'the sink' : `sink ${i + 1}`) ?? [],
  )
  let delivery: { readonly attemptEnded: AbortSignal; readonly writer: Writer } | undefined
  let ended: RunResult['ended'] = 'source'

  const progress = (): RunProgress => {
    const { records, bytes, lag } = source.progress()
    return {
      elapsedMs: performance.now() - started,
      read: { records, bytes },
      written: sink.progress(),
      lag,
      errors: errors.progress,
      circuitBreaker: combinedProgress(breakers),
    }
  }
  const timer = setInterval(() => run.onProgress?.(progress()), PROGRESS_INTERVAL_MS)

  /** What delivers to the sinks until the attempt has ended. */
  const writerUntil = (attemptEnded: AbortSignal): Writer => {
    if (delivery?.attemptEnded === attemptEnded) return delivery.writer
    const options = {
      policy: plan.errorPolicy,
      errors,
      inTransaction: sink.transactions !== undefined,
      abort: attemptEnded,
      stopWaiting: AbortSignal.any([stop, attemptEnded]),
    }
    const each = targets.map((sink, i) => new Delivery({ ...options, sink, breaker: breakers[i] }))
    delivery = { attemptEnded, writer: each.length === 1 ? each[0]! : new DeliveryToEach(each) }
    return delivery.writer
  }

  /** Decode, stages, encode; gives what is left to do, or undefined when that is nothing. */
  const begin = (batch: Batch, attemptEnded: AbortSignal): (() => Promise<void>) | undefined => {
    const failures = errors.collect() // undefined where the first failure ends the run
    const passed = steps(batch, failures?.add)
    if (passed === undefined && !failures?.list.length) return undefined
    return async () => {
      if (passed !== undefined) await writerUntil(attemptEnded).write(passed, failures)
      if (failures !== undefined) await errors.dispose(failures, attemptEnded)
    }
  }

  const deliver = async (batch: Batch, write: () => Promise<void>): Promise<void> => {
    try {
      await write()
      batch.ack() // I1: only now may its offsets be committed
    } catch (error) {
      failed.abort(error)
      throw error
    }
  }

  try {
    if (sink.transactions !== undefined) {
      const work = { begin, inSteps: writesInSteps(plan) || targets.length > 1, sliceRows }
      // The first sink's producer writes for all of them.
      const transactions = countedTransactions(sink.transactions, breakers[0])
      const transactional = { source, stages, sink: { transactions } }
      ended = await new TransactionalRun(plan, run, transactional, work, IN_FLIGHT_BYTES).run()
    } else {
      const read = source.batches(stop)
      const batches =
        plan.delivery === 'at_most_once' && run.preview === undefined ? committedFirst(read, source.offsets!) : read
      for await (const batch of sliceRows === Infinity ? batches : inSlices(batches, sliceRows)) {
        const write = begin(batch, run.abort) // decode, stages, encode
        if (write === undefined) {
          batch.ack() // every record was filtered out, and counted as dropped (I7)
        } else {
          await inFlight.room()
          inFlight.add(batch.byteLength, deliver(batch, write))
        }
        if (stages.exhausted) {
          ended = 'stage'
          break
        }
      }
      if (run.abort.aborted) throw new AbortedError(`Pipeline "${plan.name}"`, { cause: run.abort.reason })
      if (run.signal.aborted) ended = 'signal'
      await inFlight.settled()
      await sink.flush(run.abort)
      await deadLetters?.sink.flush(run.abort)
    }
  } finally {
    clearInterval(timer)
    // I4: the source commits what was acknowledged before anything else is let go.
    try {
      await source.close()
    } finally {
      await Promise.all([sink.close(), deadLetters?.sink.close()])
    }
  }
  const result = { ...progress(), ended }
  run.onProgress?.(result)
  return result
}
