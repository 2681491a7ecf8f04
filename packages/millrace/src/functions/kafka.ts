/**
 * `kafka`: a consumer as a stage without inputs, a producer as one with them.
 *
 * Besides the names of Conveyor every Kafka property is an option. Loads no client, so that lint stays fast.
 */
import { defineSinkFunction, defineSourceFunction, type FunctionContext } from '../contracts/functions.ts'
import type { SourceOffsets } from '../contracts/offsets.ts'
import type { Sink, SinkTransactions, Weakness } from '../contracts/sink.ts'
import type { Check, DiscoveredStream, Source, SourceStatus } from '../contracts/source.ts'
import type { Batch } from '../records/batch.ts'
import { FieldScanner } from '../codecs/field-scanner.ts'
import { textKeys } from '../codecs/keys.ts'
import type { KeyRewriting } from '../codecs/key-rewriting.ts'
import { codecNameOfClass, isSchemaCodec } from '../contracts/codec-names.ts'
import { preparing, type Prepare } from '../contracts/preparing.ts'
import type { RowFailed } from '../contracts/stage.ts'
import { BatchError, type MillraceError } from '../errors/index.ts'
import { counted } from '../options/units.ts'
import {
  decodeRows,
  encodeRows,
  ORIGIN_COLUMNS,
  rowFormats,
  type RowFormats,
  type WrittenRows,
} from './rows/kafka-rows.ts'
import { fillKeys, fillRewritten, rewritingOf } from './rows/sink-keys.ts'
import { CONSUMER_FIELDS } from '../kafka/properties/consumer-fields.ts'
import { kafkaEndpoints } from '../kafka/properties/endpoints.ts'
import type { OptionRule, Options } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { kafkaSinkFields, kafkaSinkRules, type KafkaSinkOptions } from '../sinks/kafka/options.ts'
import { kafkaSourceFields, kafkaSourceRules, type KafkaSourceOptions } from '../sources/kafka/options.ts'

const brokers = CONSUMER_FIELDS.bootstrapServers
  .aliases('bootstrapServers')
  .doc('Addresses of some brokers as `host:port`, separated by commas or as a list.')

const {
  bootstrapServers: _b,
  groupId: _g,
  autoOffsetReset,
  topic: sourceTopic,
  maxRecords: _r,
  maxDuration: _d,
  ...moreConsumer
} = kafkaSourceFields

const consumerFields = {
  brokers,
  topic: sourceTopic.doc('Topic to read, or several, separated by commas or as a list.').example('raw-events'),
  group_id: field
    .string()
    .kafka('group.id')
    .aliases('groupId')
    .doc('Consumer group. Reading resumes at its committed offsets.')
    .example('etl-processor'),
  max_messages: field
    .int({ min: 1 })
    .optional()
    .doc(
      'Number of records after which the run ends. By default 1000, or no limit with `execution_mode = "streaming"`.',
    )
    .example(10_000),
  timeout_ms: field
    .durationMs({ min: 1 })
    .optional()
    .doc('Time after which the run ends. By default 30 s, or no limit with `execution_mode = "streaming"`.')
    .example(60_000),
  ...moreConsumer,
  autoOffsetReset: autoOffsetReset.default('earliest'),
}

type ConsumerOptions = Options<typeof consumerFields>

function toSourceOptions({
  brokers,
  group_id,
  max_messages,
  timeout_ms,
  ...rest
}: ConsumerOptions): KafkaSourceOptions {
  return { ...rest, bootstrapServers: brokers, groupId: group_id, maxRecords: max_messages, maxDuration: timeout_ms }
}

export const kafkaConsumer = defineSourceFunction({
  name: 'kafka',
  summary: 'Reads a topic as a member of a consumer group.',
  options: consumerFields,
  rules: kafkaSourceRules.map(
    (rule): OptionRule<typeof consumerFields> =>
      (options, isSet) =>
        rule(toSourceOptions(options), isSet as never),
  ),
  examples: [
    {
      title: 'Events of a topic',
      options: { brokers: 'localhost:9092', topic: 'raw-events', group_id: 'etl-processor', max_messages: '10000' },
    },
  ],
  endpoints: ({ topic, brokers }) => kafkaEndpoints({ topic, bootstrapServers: brokers }),
  asComponent: (options) => toSourceOptions(options as ConsumerOptions),
  knowsOrigin: true,
  valueFormat: ({ valueDeserializer }) => codecNameOfClass(valueDeserializer)!,
  isEndless: ({ max_messages, timeout_ms }) => max_messages === undefined && timeout_ms === undefined,
  bounds: { max_messages: 1000, timeout_ms: 30_000 },
  async create(options, context) {
    const { kafkaSource } = await import('../sources/kafka/index.ts')
    return new RowSource(await kafkaSource.create(toSourceOptions(options), context), context)
  },
})

/** Gives every record its row when a stage looks at it, and not before large batches have been cut. */
class RowSource implements Source {
  readonly valueCodec = 'json'
  readonly readsRecordBatches: boolean
  readonly maxBatchRecords: number | undefined
  readonly commits: string
  readonly offsets: SourceOffsets | undefined
  readonly decode: Source['decode']
  readonly prepare: Prepare | undefined
  readonly keyCodec: string | undefined
  readonly keySchema: Source['keySchema']
  readonly #source: Source

  constructor(source: Source, { needsDocuments, needsOrigin, fields }: FunctionContext) {
    this.#source = source
    const formats = rowFormats(source)
    const scanner =
      fields === undefined || needsOrigin || formats.values !== undefined ? undefined : new FieldScanner(fields)
    if (needsDocuments) {
      this.decode = (batch, failed) => decodeRows(batch, needsOrigin, { ...formats, scanner }, failed)
      this.prepare = preparing([formats.values, needsOrigin ? formats.keys : undefined])
    }
    this.commits = source.commits
    this.readsRecordBatches = source.readsRecordBatches
    this.maxBatchRecords = source.maxBatchRecords
    this.offsets = source.offsets
    this.keyCodec = source.keyCodec
    this.keySchema = source.keySchema
  }
  open(signal: AbortSignal): Promise<void> {
    return this.#source.open(signal)
  }
  batches(signal: AbortSignal): AsyncIterable<Batch> {
    return this.#source.batches(signal)
  }
  checks(): readonly Check[] {
    return this.#source.checks?.() ?? []
  }
  async discover(signal: AbortSignal): Promise<readonly DiscoveredStream[]> {
    return (await this.#source.discover?.(signal)) ?? []
  }
  progress(): ReturnType<Source['progress']> {
    return this.#source.progress()
  }
  status(): SourceStatus | undefined {
    return this.#source.status?.()
  }
  close(): Promise<void> {
    return this.#source.close()
  }
}

const {
  bootstrapServers: _s,
  topic: sinkTopic,
  keyField,
  includeMeta: _m,
  batchSize: _batch,
  ...moreProducer
} = kafkaSinkFields

const producerFields = {
  brokers,
  topic: sinkTopic.example('processed-events'),
  key_field: keyField
    .aliases('keyField')
    .doc('Column to use as the key, of any type. By default the key of the record that was read.')
    .example('user_id'),
  include_metadata: field
    .boolean()
    .default(false)
    .doc(
      'Whether to write `_kafka_key`, `_kafka_partition`, `_kafka_offset` and `_kafka_timestamp` of the record that was read into values. Stages can always read them, and `select.apply` keeps them.',
    ),
  ...moreProducer,
}

type ProducerOptions = Options<typeof producerFields>

function toSinkOptions({ brokers, key_field, include_metadata: _m, ...rest }: ProducerOptions): KafkaSinkOptions {
  return { ...rest, bootstrapServers: brokers, keyField: key_field, includeMeta: false }
}

export const kafkaProducer = defineSinkFunction({
  name: 'kafka',
  summary: 'Writes rows to a topic and passes them on.',
  options: producerFields,
  rules: kafkaSinkRules.map(
    (rule): OptionRule<typeof producerFields> =>
      (options, isSet) =>
        rule(toSinkOptions(options), isSet as never),
  ),
  examples: [
    {
      title: 'With a column as key',
      options: { brokers: 'localhost:9092', topic: 'processed-events', key_field: 'user_id' },
    },
  ],
  endpoints: ({ topic, brokers }) => kafkaEndpoints({ topic, bootstrapServers: brokers }),
  asComponent: (options) => toSinkOptions(options as ProducerOptions),
  seesAllColumns: ({ include_metadata }) => include_metadata,
  async create(options, context) {
    const { kafkaSink } = await import('../sinks/kafka/index.ts')
    const includesOrigin = options.include_metadata
    const hidden =
      context.hasOrigin && !includesOrigin ? ORIGIN_COLUMNS.filter((column) => !context.made.has(column)) : []
    const sink = await kafkaSink.create(toSinkOptions(options), context)
    return new RowSink(sink, {
      hidden: new Set<string>(hidden),
      which: writtenRows(sink, includesOrigin, context),
      context,
    })
  },
})

const TEXT_FORMATS: ReadonlySet<string> = new Set(['json', 'string'])

/** Rows go out as the bytes that were read where source and sink have the same format. */
function writtenRows({ valueCodec }: Sink, includesOrigin: boolean, { formats }: FunctionContext): WrittenRows {
  // With a schema each row is written with that of this sink.
  if (includesOrigin || isSchemaCodec(valueCodec)) return 'all'
  const pass = (format: string): boolean =>
    format === valueCodec ||
    // Raw bytes go in and out of any format as they are.
    format === 'bytes' ||
    valueCodec === 'bytes' ||
    (TEXT_FORMATS.has(format) && TEXT_FORMATS.has(valueCodec))
  return [...formats].every(pass) ? 'changed' : 'values'
}

/** Writes rows in the format of the sink, without the columns that only tell where a record came from. */
class RowSink implements Sink {
  readonly valueCodec = 'json'
  readonly includeMeta = false
  readonly needsDocuments: boolean
  readonly fields: readonly string[] | undefined
  readonly partitions: string
  readonly writesRecordBatches: boolean
  readonly copiesBatches: boolean
  readonly unforwarded: string | undefined
  readonly weakness: Weakness | undefined
  readonly transactions: SinkTransactions | undefined
  readonly failsInOrder: boolean
  readonly giveUp: Sink['giveUp']
  readonly prepare: Prepare | undefined
  readonly #sink: Sink
  readonly #hidden: ReadonlySet<string>
  readonly #which: WrittenRows
  readonly #formats: RowFormats
  readonly #context: RowSinkOptions['context']
  /** How keys of the sources become keys of this sink; undefined where they pass as they are. */
  #rewriting: KeyRewriting | undefined
  /** What is written of batches in which rows failed: the sink knows what it has under way by its batch. */
  readonly #parts = new WeakMap<Batch, WritablePart>()

  constructor(sink: Sink, { hidden, which, context }: RowSinkOptions) {
    this.#sink = sink
    this.#hidden = hidden
    this.#which = which
    this.#context = context
    this.#formats = rowFormats(sink)
    const hasKeySchema = this.#formats.keys?.wire !== undefined
    this.prepare = preparing([
      this.#formats.values,
      sink.keyField === undefined ? undefined : this.#formats.keys,
      hasKeySchema ? { prepare: (batch, signal) => this.#rewriting?.prepare?.(batch, signal) } : undefined,
    ])
    this.needsDocuments = which !== 'changed' || sink.needsDocuments
    this.fields = which === 'changed' ? sink.fields : undefined
    this.partitions = sink.partitions
    // Keys with a schema may have to be rewritten.
    this.writesRecordBatches = sink.writesRecordBatches && !hasKeySchema
    this.copiesBatches = sink.copiesBatches === true
    this.unforwarded = sink.unforwarded
    this.weakness = sink.weakness
    this.transactions = sink.transactions
    this.failsInOrder = sink.failsInOrder === true
    if (sink.giveUp !== undefined) this.giveUp = (batch) => this.#settle(batch, (part) => sink.giveUp!(part))
  }
  checks(): readonly Check[] {
    return this.#sink.checks?.() ?? []
  }
  open(signal: AbortSignal): Promise<void> {
    this.#rewriting = rewritingOf(this.#context, this.#formats.keys)
    return this.#sink.open(signal)
  }
  fill(batch: Batch, failed?: RowFailed): void {
    encodeRows(batch, this.#hidden, this.#which, this.#formats, failed)
    const path = this.#sink.keyField?.split('.')
    if (path !== undefined) fillKeys(batch, path, this.#formats.keys ?? textKeys, failed)
    if (this.#rewriting !== undefined) fillRewritten(batch, this.#rewriting, failed)
  }
  write(batch: Batch, signal: AbortSignal): Promise<void> {
    return this.#settle(batch, (part) => this.#sink.write(part, signal))
  }

  /** A batch is encoded once, so that a retry and `giveUp` are about the same rows. */
  async #settle<T>(batch: Batch, settle: (part: Batch) => Promise<T>): Promise<T> {
    let own = this.#parts.get(batch)
    if (own === undefined) this.#parts.set(batch, (own = this.#fillPart(batch)))
    const { part, rows, failures } = own
    if (part === batch) return settle(batch)
    const failed = new Map(failures)
    try {
      const result = part === undefined ? undefined : await settle(part)
      if (result === false) return result
    } catch (error) {
      if (!(error instanceof BatchError)) throw error
      for (const [row, reason] of error.failures) failed.set(rows[row]!, reason)
    }
    throw new BatchError(`Cannot write ${failed.size} of ${counted(batch.length, 'row')}`, failed)
  }

  #fillPart(batch: Batch): WritablePart {
    const failures = new Map<number, MillraceError>()
    this.fill(batch, this.#context.collectsFailures ? (row, error) => failures.set(row, error) : undefined)
    if (failures.size === 0) return { part: batch, rows: [], failures }
    const rows = Array.from({ length: batch.length }, (_, row) => row).filter((row) => !failures.has(row))
    return { part: batch.pick(rows), rows, failures }
  }

  flush(signal: AbortSignal): Promise<void> {
    return this.#sink.flush(signal)
  }
  progress(): ReturnType<Sink['progress']> {
    return this.#sink.progress()
  }
  close(): Promise<void> {
    return this.#sink.close()
  }
}

interface RowSinkOptions {
  /** Columns that are left out. */
  readonly hidden: ReadonlySet<string>
  readonly which: WrittenRows
  readonly context: Pick<FunctionContext, 'collectsFailures' | 'sources' | 'stage'>
}

/** What of a batch can be written. */
interface WritablePart {
  /** The batch itself where nothing failed; undefined where everything did. */
  readonly part: Batch | undefined
  /** Row of the batch that each row of a part was. */
  readonly rows: readonly number[]
  readonly failures: ReadonlyMap<number, MillraceError>
}
