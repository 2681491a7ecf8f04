/** Which pipelines give the memory of what they have read back at once (`Batch.release`), instead of leaving it to the garbage collector. */
import type { Sink } from '../contracts/sink.ts'
import type { Source } from '../contracts/source.ts'
import type { Stage } from '../contracts/stage.ts'
import type { OpenPipeline } from './open-pipeline.ts'

/**
 * Whether no part of a pipeline reads a batch that was delivered. Stages that make documents may keep some, and those that count keep
 * what they cut off. Values of other formats than JSON may have become views of their bytes.
 */
export function keepsNothing({ documents, stages, targets, sink }: OpenPipeline): boolean {
  return (
    targets.length === 1 &&
    sink.copiesBatches === true &&
    (documents === undefined || documents.decodeFields !== undefined) &&
    stages.list.every(isPassing)
  )
}

/** The same of a graph: where nothing stands between one source and one sink, and nothing looks at what passes. */
export function graphKeepsNothing(
  sources: readonly { readonly source: Pick<Source, 'decode'> }[],
  transforms: readonly unknown[],
  sinks: readonly { readonly sink: Pick<Sink, 'copiesBatches'> }[],
): boolean {
  return (
    sources.length === 1 &&
    sources[0]!.source.decode === undefined &&
    transforms.length === 0 &&
    sinks.length === 1 &&
    sinks[0]!.sink.copiesBatches === true
  )
}

function isPassing(stage: Stage): boolean {
  return stage.needs !== 'documents' && stage.mark === undefined && stage.exhausted === undefined
}
