/**
 * Makes and opens what a plan names, in the order in which failures are cheapest: sink first, so that nothing is read
 * that could not be written.
 */
import type { Batch } from '../batch.ts'
import type { ComponentContext, Documents, Sink, Source, Stage } from '../component.ts'
import { DeadLetters } from './dead-letters.ts'
import type { Components, PipelinePlan, RunOptions } from './plan.ts'
import { limitRate } from './rate-limit.ts'
import type { Failed } from './steps.ts'

export interface OpenPipeline {
  readonly source: Source
  readonly sink: Sink
  readonly stages: StageChain
  /** Decodes and encodes values; undefined when no step looks at one. */
  readonly documents: Documents | undefined
  /** Undefined unless the error policy asks for them. */
  readonly deadLetters: DeadLetters | undefined
}

/** The stages of a pipeline as one. */
export class StageChain {
  readonly list: readonly Stage[]
  constructor(stages: readonly Stage[]) {
    this.list = stages
  }
  get needsDocuments(): boolean {
    return this.list.some(({ needs }) => needs === 'documents')
  }
  /** Whether some stage will let nothing more through. */
  get exhausted(): boolean {
    return this.list.some(({ exhausted }) => exhausted === true)
  }
  /** Runs a batch through all stages; undefined as soon as no row is left. */
  process(batch: Batch, failed?: Failed): Batch | undefined {
    let current = batch
    for (const stage of this.list) {
      const before = current
      const after = stage.process(before, failed && ((row, error) => failed(before, row, error)))
      if (after === undefined || after.length === 0) return undefined
      current = after
    }
    return current
  }
}

/**
 * Makes what a plan names, without connecting to anything.
 * @throws {ConfigError} when a component or a stage cannot be made
 */
export async function makePipeline(
  plan: PipelinePlan,
  components: Components,
  run: Pick<RunOptions, 'untilEnd' | 'warn' | 'preview'>,
): Promise<OpenPipeline> {
  const context: ComponentContext = {
    pipeline: plan.name,
    untilEnd: run.untilEnd,
    directory: plan.directory,
    warn: run.warn,
    preview: run.preview,
    // Those who only look commit nothing.
    delivery: run.preview === undefined ? plan.delivery : 'at_least_once',
  }
  const stages = new StageChain(await makeStages(plan, components))
  const source = await (await components.source(plan.source.component)).create(plan.source.options, context)
  if (plan.rateLimit !== undefined) limitRate(source, plan.rateLimit)
  const sink = await (
    await components.sink(plan.sink.component)
  ).create(plan.sink.options, { ...context, member: source.offsets?.member })
  const documents = await components.documents(source, sink, plan.stages, stages.needsDocuments || sink.needsDocuments)
  const letters = plan.errorPolicy.deadLetters
  // Those who only look leave no letters either.
  const deadLetters =
    letters === undefined || run.preview !== undefined
      ? undefined
      : new DeadLetters(
          await (
            await components.sink(letters.sink.component)
          ).create(letters.sink.options, { ...context, joins: sink }),
          letters.envelope,
          plan.name,
        )
  return { source, sink, stages, documents, deadLetters }
}

/**
 * Makes and opens what a plan names.
 * @throws {MillraceError} when something cannot be opened: what was opened before is closed again
 */
export async function openPipeline(plan: PipelinePlan, run: RunOptions): Promise<OpenPipeline> {
  const pipeline = await makePipeline(plan, run.components, run)
  const opening = AbortSignal.any([run.signal, run.abort])
  try {
    await pipeline.sink.open(opening)
    await pipeline.deadLetters?.sink.open(opening)
    await pipeline.source.open(opening)
  } catch (error) {
    await Promise.allSettled([pipeline.source.close(), pipeline.sink.close(), pipeline.deadLetters?.sink.close()])
    throw error
  }
  return pipeline
}

async function makeStages(plan: PipelinePlan, components: Components): Promise<Stage[]> {
  const stages: Stage[] = []
  for (const stage of plan.stages) stages.push(await components.stage(stage))
  return stages
}
