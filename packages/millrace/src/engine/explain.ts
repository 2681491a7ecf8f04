/**
 * Says how a pipeline would run: which lane its records take and why, what is guaranteed, who commits what when. Makes the
 * components as a run would, but opens none of them.
 */
import { isSchemaCodec } from '../contracts/codec-names.ts'
import type { Documents } from '../contracts/codec.ts'
import type { SchemaUse } from '../contracts/schemas.ts'
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
    ...(source.starts === undefined ? {} : { starts: source.starts }),
    commits: source.commits,
    ...schemasOf(source, sink),
    partitions: stages.changesKeys ? (sink.partitionsByKey ?? sink.partitions) : sink.partitions,
    backpressure: `at most ${IN_FLIGHT_BYTES / 1024 / 1024} MiB${plan.maxBatchesInFlight === undefined ? '' : ` and ${plan.maxBatchesInFlight} batches`} may be in flight to the sinks; beyond that the source waits${source.offsets === undefined ? '' : ' and stays a member of its group'}`,
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
      why: `${reader.name} works on parsed values${scanned === undefined ? '' : `, of the records that ${scanned.name} keeps`}; values that no stage changes are written as the bytes that were read`,
    }
  const scans = fieldScans(scanned, sink)
  if (documents?.decodeFields !== undefined && scans !== undefined)
    return {
      lane: 'fields',
      why: `${scans} only, read from the bytes; values are not parsed and are written unchanged`,
    }
  if (looksAtValues && !sink.needsDocuments && !sink.includeMeta)
    return {
      lane: 'documents',
      why: `${stages.find(({ needs }) => needs !== 'metadata')!.name} works on parsed values; all are written as the bytes that were read`,
    }
  if (documents?.keysOnly === true)
    return {
      lane: 'bytes',
      why: 'keys have schemas of another registry, or another format, than where they are written, so each is rewritten; values are copied unchanged',
    }
  if (documents !== undefined)
    return {
      lane: 'documents',
      why: sink.includeMeta
        ? 'includeMeta writes _meta into every value'
        : sink.needsDocuments
          ? 'the sink uses a field of the value'
          : sink.valueCodec === source.valueCodec
            ? isSchemaCodec(source.valueCodec)
              ? `values are ${source.valueCodec} with schemas of another registry, or another schema, than the sink’s: without a schema of its own, the sink registers those of the source and replaces the ids`
              : `values are read as ${source.valueCodec}, and not all sinks write that format`
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
        ? (sink.copies ?? 'the sink chooses the partition, so records are copied one by one, unchanged')
        : source.maxBatchRecords === undefined
          ? 'records do not come from Kafka, so new record batches are created'
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

function schemasOf(source: Source, sink: SinkOfAll): { readonly schemas?: string } {
  const parts = [
    schemaText('values are read', source.valueCodec, source.valueSchema),
    schemaText('keys are read', source.keyCodec, source.keySchema),
    schemaText('values are written', sink.valueCodec, sink.valueSchema),
    schemaText('keys are written', sink.keyCodec, sink.keySchema),
  ].filter((text) => text !== undefined)
  return parts.length === 0 ? {} : { schemas: parts.join('; ') }
}

function schemaText(what: string, codec: string | undefined, use: SchemaUse | undefined): string | undefined {
  if (use === undefined) return undefined
  const { store, own, writing } = use
  const registry = store === undefined ? '' : ` of the schema registry at ${store.urls.join(', ')}`
  const written = `${what} as ${codec}`
  if (store === undefined) return `${written} with ${own!.what}`
  if (writing === undefined)
    return `${written} with the schemas${registry}${own === undefined ? '' : `, as ${own.what} has them`}`
  if (own === undefined) return `${written} with the latest schema of subject "${writing.subject('RECORD')}"${registry}`
  return `${written} with ${own.what}, ${writing.register ? 'which is registered' : 'which must be registered'} in subject "${writing.subject('RECORD')}"${registry}`
}

function doesBy(needs: StageNeeds, fields: readonly string[] | undefined): string {
  if (needs === 'documents') return 'works on parsed values'
  return needs === 'fields' ? `looks at ${fields!.join(', ')}` : 'uses only key, headers, position or time'
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
  const refused = `${isTriedAgain ? 'a record that one refuses is retried only there, and one that fails permanently' : 'a record that one refuses'} does not go to the next`
  const fates = {
    fail: 'the run stops at the first record that fails; nothing after it is committed',
    skip: 'a record that fails is skipped and counted',
    deadLetter: `a record that fails is written as a dead letter to ${letters?.component} ${String(place)}; only then may its offset be committed`,
  }
  return [
    ...(circuitBreaker === undefined
      ? []
      : [
          `after ${describeOpening(circuitBreaker)} the pipeline waits ${circuitBreaker.openMs / 1000} s, then tries one delivery`,
        ]),
    ...(retry === undefined ? [] : [`a delivery is retried up to ${retry.maxRetries} times`]),
    fates[fate],
    ...(fanout.length === 0
      ? []
      : [
          `each of the ${fanout.length + 1} sinks gets a record once the sink before it has acknowledged it; ${refused}`,
        ]),
  ].join('; ')
}
