/**
 * The steps of one batch between source and sink: decode, stages, encode.
 *
 * Synchronous and without a state of their own, so that every way of running a pipeline can share them.
 */
import type { Batch } from '../batch.ts'
import type { OpenPipeline } from './open-pipeline.ts'

/** Takes a batch as it was read. Gives the batch that goes to the sink, or undefined when no row is left. */
export type Steps = (batch: Batch) => Batch | undefined

export function createSteps({ documents, stages }: Pick<OpenPipeline, 'documents' | 'stages'>): Steps {
  return (batch) => {
    documents?.decode(batch)
    const passed = stages.process(batch)
    if (passed !== undefined) documents?.encode(passed)
    return passed
  }
}
