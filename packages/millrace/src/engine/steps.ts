/**
 * The steps of one batch between source and sink: decode, stages, encode.
 *
 * Synchronous, so that every way of running a pipeline can share them. A row that fails leaves the batch; the others go on.
 */
import type { Documents } from '../contracts/codec.ts'
import type { RowFailed } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import type { Failed, StageChain } from './stage-chain.ts'

/**
 * Takes a batch as it was read. Gives the batch that goes to the sink, or undefined when no row is left.
 * @param failed told of each row that fails; without it the first failure is thrown
 */
export type Steps = (batch: Batch, failed?: Failed) => Batch | undefined

export function createSteps({
  documents,
  stages,
}: {
  readonly documents: Documents | undefined
  readonly stages: StageChain
}): Steps {
  if (documents === undefined) return (batch, failed) => stages.process(batch, failed)
  return (batch, failed) => {
    const decoded = surviving(batch, failed, (rowFailed) => documents.decode(batch, rowFailed))
    const passed = decoded && stages.process(decoded, failed)
    return passed && surviving(passed, failed, (rowFailed) => documents.encode(passed, rowFailed))
  }
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
