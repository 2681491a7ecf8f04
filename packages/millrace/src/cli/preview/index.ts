/**
 * Runs a pipeline that only looks: its source joins no group and commits nothing, its sink is made but never opened, and
 * what it would be given is handed to the caller instead.
 */
import { catalog } from '../../catalog.ts'
import { codecNameOfClass, isSchemaCodec } from '../../contracts/codec-names.ts'
import { defineSink } from '../../contracts/definitions.ts'
import { makePipeline } from '../../engine/open-pipeline.ts'
import type { GraphPlan } from '../../engine/graph/plan.ts'
import type { Components, PipelinePlan } from '../../engine/plan.ts'
import type { Failed } from '../../engine/stage-chain.ts'
import { createSteps } from '../../engine/steps.ts'
import { sinkOfNothing, TAKES_ALL } from './nowhere.ts'
import type { PreviewOptions, PreviewResult } from './options.ts'

/** @throws {MillraceError} what a run would fail with */
export async function preview(
  plan: PipelinePlan | GraphPlan,
  options: PreviewOptions,
  known: Components = catalog,
): Promise<PreviewResult> {
  if ('nodes' in plan) return (await import('./preview-graph.ts')).previewGraph(plan, options, known)
  const { from, at, follow, sourceOnly = false, max = Infinity, signal = new AbortController().signal, onRow } = options
  const [chosen, components] = sourceOnly
    ? [
        { ...plan, stages: [], fanout: [] },
        { ...known, sink: async () => (hasSchema(plan) ? NOWHERE_AS_JSON : NOWHERE) },
      ]
    : [plan, known]
  const pipeline = await makePipeline(chosen, components, { untilEnd: !follow, preview: { from, at }, warn })
  const { source, stages, sink, documents } = pipeline
  const steps = createSteps(pipeline)
  const failed = plan.errorPolicy.fate === 'fail' ? undefined : failureTeller(plan.errorPolicy.fate)
  // Without documents every value goes out as it came in, whatever the sink calls it.
  const codec = documents === undefined ? source.valueCodec : sink.valueCodec
  let rows = 0
  try {
    await source.open(signal)
    for await (const batch of source.batches(signal)) {
      const passed = steps(batch, failed)
      if (passed !== undefined) sink.fill?.(passed)
      for (let row = 0; row < (passed?.length ?? 0) && rows < max; row++, rows++) onRow(passed!, row, codec)
      if (rows >= max || stages.exhausted) break
    }
    return { read: source.progress().records, rows }
  } finally {
    await Promise.all([source.close(), sink.close()])
  }
}

/** Takes bytes as they are. */
const NOWHERE = defineSink({ ...TAKES_ALL, create: () => sinkOfNothing('bytes') })

/** Takes values as JSON, where their bytes say nothing without a schema. */
const NOWHERE_AS_JSON = defineSink({ ...TAKES_ALL, create: () => sinkOfNothing('json') })

function hasSchema({ source }: PipelinePlan): boolean {
  const { valueDeserializer } = source.options
  return typeof valueDeserializer === 'string' && isSchemaCodec(codecNameOfClass(valueDeserializer))
}

const FATES = { skip: 'would be skipped', deadLetter: 'would become a dead letter' } as const

function failureTeller(fate: keyof typeof FATES): Failed {
  return (_batch, _row, { code, message }) => warn(`a record ${FATES[fate]}: ${code}: ${message}`)
}

function warn(message: string): void {
  process.stderr.write(`warning: ${message}\n`)
}
