/**
 * The steps of one batch between source and sink: decode, stages, encode.
 *
 * Synchronous, so that every way of running a pipeline can share them. A row that fails leaves the batch; the others go on.
 * Where the first stages look at some fields only, values are read for these, and only what passes is decoded, if anything
 * behind needs it.
 */
import type { Sink } from '../contracts/sink.ts'
import type { RowFailed } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import type { OpenPipeline } from './open-pipeline.ts'
import type { Failed } from './stage-chain.ts'
import type { SinkActivity } from './watching/activity.ts'
import type { StageTimer } from './watching/stage-timer.ts'

/**
 * Takes a batch as it was read. Gives the batch that goes to the sink, or undefined when no row is left.
 * @param failed told of each row that fails; without it the first failure is thrown
 */
export type Steps = (batch: Batch, failed?: Failed) => Batch | undefined

export function createSteps(pipeline: Parts): Steps {
  const steps = createPlainSteps(pipeline)
  if (!pipeline.stages.changesKeys) return steps
  return (batch, failed) => {
    const passed = steps(batch, failed)
    // Were some batches to keep their partition, as none of their keys was changed, records of one key would be in two partitions.
    if (passed !== undefined) passed.keys ??= Array.from({ length: passed.length }, () => undefined)
    return passed
  }
}

type Parts = Pick<OpenPipeline, 'documents' | 'stages'> & {
  readonly sink: Pick<Sink, 'needsDocuments' | 'fields'>
  readonly codecTimers?: OpenPipeline['codecTimers'] | undefined
  /** What encodes are work of. */
  readonly sinkActivities?: readonly SinkActivity[] | undefined
}

function createPlainSteps({ documents, stages, sink, codecTimers: timers, sinkActivities = [] }: Parts): Steps {
  if (documents === undefined) return (batch, failed) => stages.process(batch, failed)
  const decode = timed(timers?.decode, (batch, failed) =>
    surviving(batch, failed, (rowFailed) => documents.decode(batch, rowFailed)),
  )
  const encode = timed(
    timers?.encode,
    (batch, failed) => surviving(batch, failed, (rowFailed) => documents.encode(batch, rowFailed)),
    sinkActivities,
  )
  const { decodeFields } = documents
  if (decodeFields === undefined)
    return (batch, failed) => {
      const decoded = decode(batch, failed)
      const passed = decoded && stages.process(decoded, failed)
      return passed && encode(passed, failed)
    }
  const [front, rest] = stages.parts()
  const needsWhole = rest.looksAtValues || (sink.needsDocuments && sink.fields === undefined)
  const look = timed(timers?.decode, (batch, failed) =>
    surviving(batch, failed, (rowFailed) => decodeFields(batch, rowFailed)),
  )
  return (batch, failed) => {
    const looked = look(batch, failed)
    const kept = looked && front.process(looked, failed)
    if (kept === undefined) return undefined
    if (!needsWhole) return forgetDocuments(encode(kept, failed)) // what is left to encode are keys
    const decoded = decode(forgetDocuments(kept), failed)
    const passed = decoded && rest.process(decoded, failed)
    return passed && encode(passed, failed)
  }
}

function timed(timer: StageTimer | undefined, step: Steps, workers: readonly SinkActivity[] = []): Steps {
  if (timer === undefined) return step
  return (batch, failed) => {
    const startedAt = performance.now()
    const passed = step(batch, failed)
    timer.count(batch.length, passed?.length ?? 0, startedAt)
    for (const worker of workers) worker.worked(performance.now() - startedAt)
    return passed
  }
}

/** Drops documents that hold some fields only, so that no later step takes them for whole. */
function forgetDocuments<B extends Batch | undefined>(batch: B): B {
  if (batch !== undefined) batch.documents = undefined
  return batch
}

/** The rows on which a step over a whole batch did not fail. */
function surviving(batch: Batch, failed: Failed | undefined, step: (failed?: RowFailed) => void): Batch | undefined {
  if (failed === undefined) {
    step()
    return batch
  }
  const lost = new Set<number>()
  // Failures are told by code, message and offset. Their stacks would cost three times as much as all else, and a batch of
  // nothing but bad values would keep heartbeats waiting.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    step((row, error) => {
      lost.add(row)
      failed(batch, row, error)
    })
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  return batch.without(lost)
}
