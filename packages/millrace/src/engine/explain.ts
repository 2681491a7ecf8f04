/**
 * Says how a pipeline would run: which lane its records take and why, what is guaranteed, who commits what when. Makes the
 * components as a run would, but opens none of them.
 */
import type { Documents } from '../contracts/codec.ts'
import type { Source } from '../contracts/source.ts'
import type { Stage, StageNeeds } from '../contracts/stage.ts'
import { describeOpening } from './breaker.ts'
import type { SinkOfAll } from './fan-out.ts'
import { IN_FLIGHT_BYTES } from './in-flight.ts'
import { meaningOf } from './meaning.ts'
import { makePipeline } from './open-pipeline.ts'
import type { Components, Explanation, Lane, PipelinePlan } from './plan.ts'
import type { StageChain } from './stage-chain.ts'

/** @throws {ConfigError} when a component or a stage cannot be made */
export async function explainPlan(plan: PipelinePlan, components: Components): Promise<Explanation> {
  const { source, sink, stages, documents } = await makePipeline(plan, components, { untilEnd: false, warn: () => {} })
  return {
    ...chooseLane(source, sink, stages, documents),
    stages: stages.list.map(({ name, needs, fields, does }) => ({
      name,
      needs,
      does: does ?? doesBy(needs, fields),
    })),
    guarantee: {
      name: plan.delivery,
      means: meaningOf(plan.delivery, sink),
    },
    commits: source.commits,
    partitions: sink.partitions,
    backpressure: `at most ${IN_FLIGHT_BYTES / 1024 / 1024} MiB${plan.maxBatchesInFlight === undefined ? '' : ` and ${plan.maxBatchesInFlight} batches`} wait for the sink; then the source waits${source.offsets === undefined ? '' : ', and its group membership goes on'}`,
    errors: errorsOf(plan),
  }
}

/** The cheapest lane that every batch can take; single batches may have to take the next one, for instance after compaction. */
function chooseLane(
  source: Source,
  sink: SinkOfAll,
  { list: stages, looksAtValues }: StageChain,
  documents: Documents | undefined,
): { readonly lane: Lane; readonly why: string } {
  const reader = stages.find(({ needs }) => needs === 'documents')
  const scanned = documents?.decodeFields === undefined ? undefined : stages.find(({ needs }) => needs === 'fields')
  if (reader !== undefined)
    return {
      lane: 'documents',
      why: `${reader.name} works on parsed values${scanned === undefined ? '' : `, of the records that ${scanned.name} keeps`}; those that no stage changes go out as the bytes that came in`,
    }
  const scans = fieldScans(scanned, sink)
  if (documents?.decodeFields !== undefined && scans !== undefined)
    return {
      lane: 'fields',
      why: `${scans} only, which is read from the bytes; values are not parsed and go out as they came in`,
    }
  if (looksAtValues && !sink.needsDocuments && !sink.includeMeta)
    return {
      lane: 'documents',
      why: `${stages.find(({ needs }) => needs !== 'metadata')!.name} works on parsed values; all go out as the bytes that came in`,
    }
  if (documents !== undefined)
    return {
      lane: 'documents',
      why: sink.includeMeta
        ? 'includeMeta writes _meta into every value'
        : sink.needsDocuments
          ? 'the sink takes something from a field'
          : sink.valueCodec === source.valueCodec
            ? `values are read as ${source.valueCodec}, and not all sinks write them so`
            : `values are read as ${source.valueCodec} and written as ${sink.valueCodec}`,
    }
  const writer = stages.find(({ does }) => does !== undefined)
  if (writer !== undefined) return { lane: 'bytes', why: `${writer.name} ${writer.does}` }
  if (stages.length > 0)
    return {
      lane: 'bytes',
      why: `${stages[0]!.name} drops records without looking at their values, which are copied unchanged`,
    }
  if (!source.readsRecordBatches || !sink.writesRecordBatches)
    return {
      lane: 'bytes',
      why: source.readsRecordBatches
        ? 'the sink chooses the partition, so records are copied one by one, unchanged'
        : source.maxBatchRecords === undefined
          ? 'records do not come from Kafka, so record batches are made of them'
          : `max.poll.records (${source.maxBatchRecords}) splits what was read, so records are copied one by one, unchanged`,
    }
  return {
    lane: 'verbatim',
    why: [
      'nothing looks at a record and partitions are kept, so whole record batches are forwarded, still compressed',
      ...(sink.unforwarded === undefined ? [] : [sink.unforwarded]),
    ].join('; '),
  }
}

function doesBy(needs: StageNeeds, fields: readonly string[] | undefined): string {
  if (needs === 'documents') return 'works on parsed values'
  return needs === 'fields' ? `looks at ${fields!.join(', ')}` : 'looks at key, headers, position or time'
}

/** Who looks at which fields; undefined where the sink looks at more. */
function fieldScans(stage: Stage | undefined, sink: SinkOfAll): string | undefined {
  if (sink.needsDocuments && sink.fields === undefined) return undefined
  const readers = [
    ...(stage === undefined ? [] : [`${stage.name} looks at ${stage.fields!.join(', ')}`]),
    ...(sink.needsDocuments ? [`the sink looks at ${sink.fields!.join(', ')}`] : []),
  ]
  return readers.join(' and ')
}

/** What happens when a record fails, step by step. */
function errorsOf({ errorPolicy: { retry, fate, deadLetters }, circuitBreaker, fanout = [] }: PipelinePlan): string {
  const letters = deadLetters?.sink
  const place = letters?.endpoints.topics[0] ?? letters?.options['path']
  const isTriedAgain = retry !== undefined || circuitBreaker !== undefined
  const refused = `${isTriedAgain ? 'what one refuses is tried again there only, and what fails for good' : 'what one refuses'} goes no further`
  const fates = {
    fail: 'the run stops at the first record that fails; nothing after it is committed',
    skip: 'a record that fails is left out and counted',
    deadLetter: `a record that fails is written as a dead letter to ${letters?.component} ${String(place)}; only then its offset may be committed`,
  }
  return [
    ...(circuitBreaker === undefined
      ? []
      : [
          `after ${describeOpening(circuitBreaker)} the pipeline waits ${circuitBreaker.openMs / 1000} s, then tries one`,
        ]),
    ...(retry === undefined ? [] : [`a delivery is tried again up to ${retry.maxRetries} times`]),
    fates[fate],
    ...(fanout.length === 0
      ? []
      : [`each of the ${fanout.length + 1} sinks gets a record after the one before it has it; ${refused}`]),
  ].join('; ')
}
