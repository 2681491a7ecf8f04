/**
 * Runs given documents through the real steps of a pipeline, decode to encode, and tells what the sink would be given.
 */
import { catalog } from '../../catalog.ts'
import { codecByName } from '../../codecs/index.ts'
import { readAnyPlan, type ReadingOptions } from '../../dialects/index.ts'
import { makePipeline } from '../../engine/open-pipeline.ts'
import type { Components, PipelinePlan } from '../../engine/plan.ts'
import { createSteps } from '../../engine/steps.ts'
import { ConfigError } from '../../errors/index.ts'
import { asData, batchesOf, nameOf } from './given-batches.ts'
import { recordLine } from '../preview/record-line.ts'
import { pipelineOf } from '../preview/source-plan.ts'
import { isByStage, type Documents, type TestCase } from './test-cases.ts'

/**
 * @returns what came out, as data; of a graph by stage where that is how it is expected
 * @throws {MillraceError} what a run would fail with
 */
export async function runCase(
  file: string,
  environment: { readonly [name: string]: string },
  { given, expect, pipeline }: Pick<TestCase, 'given'> & Partial<TestCase>,
  reading?: ReadingOptions,
): Promise<Documents> {
  const plan = await readAnyPlan(file, { ...process.env, ...environment }, reading)
  if ('nodes' in plan) return (await import('./run-graph-case.ts')).runGraphCase(plan, given, expect)
  if (isByStage(given) || isByStage(expect))
    throw new ConfigError(
      'Cannot run a case by stages as the file is not a stage graph: write given and expect as lists',
    )
  return runLine('pipelines' in plan ? pipelineOf(plan, pipeline) : plan, given, expect)
}

/** What a case gives is JSON, also where the source reads values with a schema: a case needs no registry. */
const READING_JSON: Components = {
  ...catalog,
  async source(name) {
    const definition = await catalog.source(name)
    return {
      ...definition,
      async create(options, context) {
        const source = await definition.create(options, context)
        return source.valueSchema === undefined
          ? source
          : Object.assign(source, { valueCodec: 'json', valueSchema: undefined })
      },
    }
  },
}

async function runLine(
  plan: PipelinePlan,
  given: readonly unknown[],
  expected: readonly unknown[] = [],
): Promise<unknown[]> {
  const pipeline = await makePipeline(plan, READING_JSON, { untilEnd: false, preview: { from: 'run' }, warn: () => {} })
  const { source, prepare, sink, documents } = pipeline
  const steps = createSteps(pipeline)
  const failed = plan.errorPolicy.fate === 'fail' ? undefined : (): void => {}
  const codec = documents === undefined ? source.valueCodec : sink.valueCodec
  const topic = nameOf(plan.source.options)
  const never = new AbortController().signal
  const found: unknown[] = []
  try {
    for (const batch of batchesOf(given, topic, codecByName(source.valueCodec))) {
      await prepare?.(batch, never)
      const passed = steps(batch, failed)
      if (passed === undefined) continue
      sink.fill?.(passed)
      for (let row = 0; row < passed.length; row++)
        found.push(asData(recordLine(passed, row, codec), expected[found.length]))
    }
    return found
  } finally {
    await Promise.all([source.close(), sink.close()])
  }
}
