/**
 * Makes and opens what a plan names, in the order in which failures are cheapest: sink first, so that nothing is read
 * that could not be written.
 */
import type { Documents } from '../contracts/codec.ts'
import type { ComponentContext } from '../contracts/context.ts'
import { preparing, type Prepare } from '../contracts/preparing.ts'
import type { Sink } from '../contracts/sink.ts'
import type { Source } from '../contracts/source.ts'
import type { Stage } from '../contracts/stage.ts'
import { makeDeadLetters, type DeadLetters } from './failures/dead-letters.ts'
import { retries, triesAgain } from './delivery.ts'
import { Counters, type Meter } from '../metrics/counters.ts'
import type { WritableSink } from './delivery.ts'
import { FanOut, FormattedSink, type SinkOfAll } from './fan-out.ts'
import { observeSink, observeSource } from './watching/observed.ts'
import { allSinksOf, type Components, type PipelinePlan, type RunOptions } from './plan.ts'
import { prepareBatches } from './prepared-batches.ts'
import { limitRate } from './rate-limit.ts'
import { StageChain } from './stage-chain.ts'
import { sinkId } from './watching/pipeline-watch.ts'
import { traceBatches } from './traced-batches.ts'
import { StageTimer } from './watching/stage-timer.ts'

export interface OpenPipeline {
  readonly source: Source
  /** All sinks as one. */
  readonly sink: SinkOfAll
  /** What is written to, in this order: one for each sink. */
  readonly targets: readonly WritableSink[]
  readonly stages: StageChain
  /** Decodes and encodes values; undefined when no step looks at one. */
  readonly documents: Documents | undefined
  /** What the batches of the source have gone through; for batches from elsewhere. Undefined where nothing has to be prepared. */
  readonly prepare: Prepare | undefined
  /** Undefined unless the error policy asks for them. */
  readonly deadLetters: DeadLetters | undefined
  /** Undefined when no step looks at a value. */
  readonly codecTimers: { readonly decode: StageTimer; readonly encode: StageTimer } | undefined
  /** How the run counts what the components do not count themselves. */
  readonly meters: { readonly pipeline: Meter; readonly source: Meter; readonly sinks: readonly Meter[] }
}

/**
 * Makes what a plan names, without connecting to anything.
 * @throws {ConfigError} when a component or a stage cannot be made
 */
export async function makePipeline(
  plan: PipelinePlan,
  components: Components,
  run: Pick<RunOptions, 'untilEnd' | 'warn' | 'inform' | 'preview' | 'metrics'>,
): Promise<OpenPipeline> {
  const meter = (run.metrics ?? new Counters()).meter({ pipeline: plan.name })
  const context: Omit<ComponentContext, 'metrics'> = {
    pipeline: plan.name,
    untilEnd: run.untilEnd,
    directory: plan.directory,
    warn: run.warn,
    inform: run.inform,
    preview: run.preview,
    // Those who only look commit nothing.
    delivery: run.preview === undefined ? plan.delivery : 'at_least_once',
    triesAgain: triesAgain(plan),
    retries: retries(plan),
  }
  const timers = plan.stages.map(
    ({ name }, i) => new StageTimer(meter.with({ stage: `stage-${i + 1}`, component: name })),
  )
  const stages = new StageChain(await makeStages(plan, components, run.warn), timers)
  const sourceMeter = meter.with({ stage: 'source', component: plan.source.component })
  const definition = await components.source(plan.source.component)
  const source = await definition.create(plan.source.options, { ...context, metrics: sourceMeter })
  observeSource(sourceMeter, source)
  if (plan.rateLimit !== undefined) limitRate(source, plan.rateLimit)
  const sinks: Sink[] = []
  const sinkMeters: Meter[] = []
  for (const [i, { component, options }] of allSinksOf(plan).entries()) {
    const joins = sinks[0] === undefined ? {} : { joins: sinks[0] }
    const metrics = meter.with({ stage: sinkId(i), component })
    const definition = await components.sink(component)
    const sink = await definition.create(options, { ...context, metrics, member: source.offsets?.member, ...joins })
    observeSink(metrics, sink)
    sinks.push(sink)
    sinkMeters.push(metrics)
  }
  const outputs = await makeOutputs(plan, components, { source, sinks, stages })
  const deadLetters = await makeDeadLetters(plan, components, {
    ...context,
    // No letter is written again: the sink has to wait for its brokers itself.
    retries: false,
    metrics: meter,
    joins: sinks[0],
  })
  const prepare = preparing([source, outputs.documents, outputs.sink])
  prepareBatches(source, prepare)
  const looks = outputs.documents !== undefined || plan.stages.length > 0 || !outputs.sink.writesRecordBatches
  traceBatches(source, { pipeline: plan.name, forwards: !looks })
  return {
    source,
    ...outputs,
    stages,
    prepare,
    deadLetters,
    codecTimers: outputs.documents && {
      decode: new StageTimer(meter.with({ stage: 'decode', component: source.valueCodec })),
      encode: new StageTimer(meter.with({ stage: 'encode', component: sinks[0]!.valueCodec })),
    },
    meters: { pipeline: meter, source: sourceMeter, sinks: sinkMeters },
  }
}

/** The sinks as the engine sees them. Values are encoded once where all sinks want them alike, else once for each. */
async function makeOutputs(
  { stages: planned }: PipelinePlan,
  components: Components,
  { source, sinks, stages }: { readonly source: Source; readonly sinks: readonly Sink[]; readonly stages: StageChain },
): Promise<Pick<OpenPipeline, 'sink' | 'targets' | 'documents'>> {
  const [first] = sinks
  const all = sinks.length === 1 ? first! : new FanOut(sinks)
  const [front, rest] = stages.parts()
  const ofSink = rest.looksAtValues ? [] : (all.fields ?? [])
  const fields = [...new Set([...front.fields, ...ofSink])]
  const needs = {
    needsDocuments: stages.looksAtValues || all.needsDocuments,
    fields: fields.length > 0 ? fields : undefined,
    attachesMeta: sinks.some(({ includeMeta }) => includeMeta),
  }
  const formatFor = (sink: Sink): Promise<Documents | undefined> => components.documents(source, sink, planned, needs)
  if (sinks.length === 1) return { sink: all, targets: sinks, documents: await formatFor(first!) }
  const areAlike = sinks.every(
    ({ valueCodec, keyCodec, valueSchema, keySchema, keyField, includeMeta }) =>
      valueCodec === first!.valueCodec &&
      keyCodec === first!.keyCodec &&
      // Each writes with the schema of its own subject.
      valueSchema === first!.valueSchema &&
      keySchema === first!.keySchema &&
      keyField === first!.keyField &&
      includeMeta === first!.includeMeta,
  )
  if (areAlike)
    return {
      sink: all,
      targets: sinks.map((sink) => new FormattedSink(sink, undefined)),
      documents: await formatFor(first!),
    }
  const targets: FormattedSink[] = []
  const formats: Documents[] = []
  let decoder: Documents | undefined
  for (const sink of sinks) {
    const documents = await formatFor(sink)
    targets.push(new FormattedSink(sink, documents))
    if (documents !== undefined) formats.push(documents)
    // One decodes for all of them: not one for whose sink values pass as they are, and rather one that attaches `_meta`.
    if (decoder === undefined || decoder.leavesValues === true || sink.includeMeta) decoder = documents ?? decoder
  }
  return {
    sink: all,
    targets,
    documents: decoder && { ...decoder, decodeFields: undefined, encode: () => {}, prepare: preparing(formats) },
  }
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

async function makeStages(plan: PipelinePlan, components: Components, warn: RunOptions['warn']): Promise<Stage[]> {
  const stages: Stage[] = []
  for (const stage of plan.stages) stages.push(await components.stage(stage, warn))
  return stages
}
