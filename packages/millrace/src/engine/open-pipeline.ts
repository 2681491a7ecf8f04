/**
 * Makes and opens what a plan names, in the order in which failures are cheapest: sink first, so that nothing is read
 * that could not be written.
 */
import type { Batch } from '../batch.ts'
import type { ComponentContext, Documents, Sink, Source, Stage } from '../component.ts'
import type { Components, PipelinePlan, RunOptions } from './plan.ts'

export interface OpenPipeline {
  readonly source: Source
  readonly sink: Sink
  readonly stages: StageChain
  /** Decodes and encodes values; undefined when no step looks at one. */
  readonly documents: Documents | undefined
}

/** The stages of a pipeline as one. */
export class StageChain {
  readonly #stages: readonly Stage[]
  constructor(stages: readonly Stage[]) {
    this.#stages = stages
  }
  get needsDocuments(): boolean {
    return this.#stages.some(({ needs }) => needs === 'documents')
  }
  /** Whether some stage will let nothing more through. */
  get exhausted(): boolean {
    return this.#stages.some(({ exhausted }) => exhausted === true)
  }
  /** Runs a batch through all stages; undefined as soon as no row is left. */
  process(batch: Batch): Batch | undefined {
    let current: Batch | undefined = batch
    for (const stage of this.#stages) {
      current = stage.process(current)
      if (current === undefined || current.length === 0) return undefined
    }
    return current
  }
}

/**
 * @throws {ConfigError} when a component or a stage cannot be made; {MillraceError} when one cannot be opened: what was
 *   opened before is closed again
 */
export async function openPipeline(plan: PipelinePlan, run: RunOptions): Promise<OpenPipeline> {
  const context: ComponentContext = { pipeline: plan.name, untilEnd: run.untilEnd, directory: plan.directory, warn: run.warn }
  const { components } = run
  const stages = new StageChain(await makeStages(plan, components))
  const source = await (await components.source(plan.source.component)).create(plan.source.options as never, context)
  const sink = await (await components.sink(plan.sink.component)).create(plan.sink.options as never, context)
  const documents = await components.documents(source, sink, plan.stages, stages.needsDocuments || sink.needsDocuments)
  const opening = AbortSignal.any([run.signal, run.abort])
  try {
    await sink.open(opening)
    await source.open(opening)
  } catch (error) {
    await Promise.allSettled([source.close(), sink.close()])
    throw error
  }
  return { source, sink, stages, documents }
}

async function makeStages(plan: PipelinePlan, components: Components): Promise<Stage[]> {
  const stages: Stage[] = []
  for (const stage of plan.stages) stages.push(await components.stage(stage))
  return stages
}
