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
import type { Batch } from '../batch.ts'
import { AbortedError } from '../errors/index.ts'
import { InFlight } from './in-flight.ts'
import { openPipeline } from './open-pipeline.ts'
import type { PipelinePlan, RunOptions, RunProgress, RunResult } from './plan.ts'
import { createSteps } from './steps.ts'

/** Bytes of fetched batches that may be on their way to the sink. */
export const IN_FLIGHT_BYTES = 32 * 1024 * 1024
const PROGRESS_INTERVAL_MS = 1000

/**
 * Runs a pipeline until its source ends, a stage lets nothing more through, or it is asked to stop.
 *
 * @throws {MillraceError} the first failure; everything acknowledged before it has been committed
 */
export async function runPipeline(plan: PipelinePlan, run: RunOptions): Promise<RunResult> {
  const started = performance.now()
  const pipeline = await openPipeline(plan, run)
  const { source, stages, sink } = pipeline
  const steps = createSteps(pipeline)
  const inFlight = new InFlight(IN_FLIGHT_BYTES)
  const failed = new AbortController()
  const stop = AbortSignal.any([run.signal, run.abort, failed.signal])
  let ended: RunResult['ended'] = 'source'

  const progress = (): RunProgress => {
    const { records, bytes, lag } = source.progress()
    return { elapsedMs: performance.now() - started, read: { records, bytes }, written: sink.progress(), lag }
  }
  const timer = setInterval(() => run.onProgress?.(progress()), PROGRESS_INTERVAL_MS)

  const deliver = async (batch: Batch): Promise<void> => {
    try {
      await sink.write(batch, run.abort)
      batch.ack() // I1: only now may its offsets be committed
    } catch (error) {
      failed.abort(error)
      throw error
    }
  }

  try {
    for await (const batch of source.batches(stop)) {
      const passed = steps(batch) // decode, stages, encode
      if (passed === undefined) {
        batch.ack() // every record was filtered out, and counted as dropped (I7)
      } else {
        await inFlight.room()
        inFlight.add(passed.byteLength, deliver(passed))
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
  } finally {
    clearInterval(timer)
    // I4: the source commits what was acknowledged before anything else is let go.
    await source.close().finally(() => sink.close())
  }
  const result = { ...progress(), ended }
  run.onProgress?.(result)
  return result
}
