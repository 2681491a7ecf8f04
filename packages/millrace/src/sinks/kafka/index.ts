/**
 * The `kafka` sink of pipelines: an idempotent producer (unless told otherwise) of one topic.
 *
 * A batch takes the cheapest lane it can: whole record batches as they were fetched when nothing was changed and the
 * partition is kept, else records copied or encoded into new record batches.
 */
import { counted } from '../../options/units.ts'
import { randomUUID } from 'node:crypto'
import { codecNameOfClass, isSchemaCodec, keyCodecNameOfClass } from '../../contracts/codec-names.ts'
import type { ComponentContext } from '../../contracts/context.ts'
import type { SchemaUse } from '../../contracts/schemas.ts'
import type { GroupOffsets } from '../../contracts/offsets.ts'
import type { Sink, SinkProgress, SinkTransactions, Weakness } from '../../contracts/sink.ts'
import type { Check } from '../../contracts/source.ts'
import type { Counter } from '../../metrics/counters.ts'
import type { Batch } from '../../records/batch.ts'
import { defineSink } from '../../contracts/definitions.ts'
import { type MillraceError, TransactionError } from '../../errors/index.ts'
import { connectionCheck, topicCheck } from '../../kafka/admin/checks.ts'
import { Cluster } from '../../kafka/cluster/cluster.ts'
import { createMissingTopics } from '../../kafka/admin/missing-topics.ts'
import type { Route } from '../../kafka/producer/append-batch.ts'
import { Producer, type ProducerOptions } from '../../kafka/producer/producer.ts'
import { KeptPartitions } from './kept-partitions.ts'
import { kafkaEndpoints } from '../../kafka/properties/endpoints.ts'
import { UNIQUE_TRANSACTION_TIMEOUT_MS } from '../../kafka/properties/producer-limits.ts'
import { clusterOptions } from '../../kafka/properties/settings.ts'
import { weaknessOf } from '../../kafka/properties/weakness.ts'
import { sourcesOf } from '../../records/sources.ts'
import { SchemaHeaders } from '../../schema-registry/record-headers.ts'
import { sinkSchemas, type ComponentSchemas } from '../../schema-registry/schema-uses.ts'
import { Deliveries } from './flush-timeout.ts'
import { Stall } from './stall.ts'
import { kafkaSinkFields, kafkaSinkRules, kafkaSinkSettings, type KafkaSinkSettings } from './options.ts'

export const kafkaSink = defineSink({
  name: 'kafka',
  summary: 'Writes to a topic.',
  options: kafkaSinkFields,
  rules: kafkaSinkRules,
  endpoints: kafkaEndpoints,
  examples: [
    { title: 'Compressed', options: { topic: 'orders-out', bootstrapServers: 'localhost:9092', compression: 'zstd' } },
  ],
  create: (options, context) => new KafkaPipelineSink(kafkaSinkSettings(options), context),
})

/** `flushTimeout` where something else than the end of the run follows it. */
const TIMEOUT_BEFORE_RETRY_MS = 10_000

class KafkaPipelineSink implements Sink, SinkTransactions {
  readonly valueCodec: string
  readonly keyCodec: string | undefined
  readonly valueSchema: SchemaUse | undefined
  readonly keySchema: SchemaUse | undefined
  readonly keyField: string | undefined
  readonly writesRecordBatches: boolean
  readonly copiesBatches = true
  readonly copies: string | undefined
  readonly unforwarded: string | undefined
  readonly weakness: Weakness | undefined
  readonly partitions: string
  readonly partitionsByKey: string | undefined
  readonly includeMeta: boolean
  readonly needsDocuments: boolean
  readonly fields: readonly string[] | undefined
  readonly transactions: SinkTransactions | undefined
  readonly failsInOrder: boolean
  readonly #settings: KafkaSinkSettings
  readonly #context: ComponentContext
  readonly #schemas: ComponentSchemas
  /** Undefined where no schema ids are written. */
  readonly #schemaHeaders: SchemaHeaders | undefined
  #cluster: Promise<Cluster> | undefined
  #own: Producer | undefined
  /** What producers before this one have written. */
  #before: SinkProgress = { records: 0, bytes: 0 }
  /** Topics that its producer writes to: its own, and those of the sinks that have joined. */
  readonly #topics: string[] = []
  #kept: KeptPartitions | undefined
  readonly #deliveries = new Deliveries()
  #stall: Stall | undefined
  /** Of what watches the deliveries. */
  #failure: { readonly error: unknown } | undefined
  readonly #forwarded: Counter

  constructor(settings: KafkaSinkSettings, context: ComponentContext) {
    this.#settings = settings
    this.#context = context
    const { metrics } = context
    this.#forwarded = metrics.counter('millrace_sink_forwarded_batches_total')
    const { topic } = settings
    metrics.observe('millrace_topic_written_records_total', () => this.progress().records, { topic })
    metrics.observe('millrace_topic_written_bytes_total', () => this.progress().bytes, { topic })
    metrics.observe('millrace_producer_batches_total', () => this.#own?.progress.batches)
    metrics.observe('millrace_producer_retries_total', () => this.#own?.progress.retries)
    metrics.observe('millrace_producer_buffered_bytes', () => this.#own?.progress.bufferedBytes)
    this.valueCodec = codecNameOfClass(settings.producer.valueSerializer)!
    this.keyCodec = keyCodecNameOfClass(settings.producer.keySerializer)
    const classes = { key: settings.producer.keySerializer, value: settings.producer.valueSerializer }
    this.#schemas = sinkSchemas(settings.schemas, classes, settings.topic, context)
    this.valueSchema = this.#schemas.value
    this.keySchema = this.#schemas.key
    this.#schemaHeaders = schemaHeadersOf(this, settings.schemas.schemaIdLocation)
    if (context.preview !== undefined) {
      // Who only looks registers no schema, and is shown what would be written as JSON.
      if (this.valueSchema !== undefined) this.valueCodec = 'json'
      if (this.keySchema !== undefined) this.keyCodec = undefined
    }
    this.includeMeta = settings.includeMeta
    this.keyField = settings.keyField
    this.needsDocuments = settings.keyField !== undefined
    this.fields = settings.keyField?.split('.').slice(0, 1)
    const writesHeaders = this.#schemaHeaders !== undefined && settings.schemas.schemaIdLocation === 'header'
    this.writesRecordBatches = settings.keepPartition !== false && !writesHeaders
    this.copies = writesHeaders
      ? 'schema ids are written into headers (schemaIdLocation), so records are copied one by one; keys and values are not parsed'
      : undefined
    this.partitions = partitionsOf(settings)
    this.partitionsByKey =
      settings.keepPartition === true ? undefined : partitionsOf({ ...settings, keepPartition: false })
    this.transactions = context.delivery === 'exactly_once' ? this : undefined
    this.failsInOrder = context.triesAgain === true
    this.weakness = weaknessOf(settings.producer.acks, settings.producer.idempotence, context.delivery)
    this.unforwarded = unforwardedOf(settings)
  }

  async open(signal: AbortSignal): Promise<void> {
    const { topic, createTopic } = this.#settings
    const cluster = await this.#connected()
    await cluster.connect(signal, undefined, this.#context.warn)
    if (createTopic !== undefined) await createMissingTopics(cluster, [topic], createTopic, signal)
    const { partitions } = await cluster.newTopic(topic, signal)
    this.#kept = new KeptPartitions(topic, partitions.length, this.#context.warn)
    this.#leader.#topics.push(topic)
    if (this.#leader === this) this.#own = await this.#newProducer(cluster, signal)
    else await this.#producer.learn(topic, signal)
    this.#stall = this.#watchDeliveries(cluster)
  }

  /** Nobody else can have a name that was made up for this run. */
  get renewable(): boolean {
    return this.#settings.producer.transactionalId === undefined && this.#context.member === undefined
  }

  get timeoutMs(): number | undefined {
    return this.#producer.transactionTimeoutMs
  }

  commit(offsets: () => Promise<GroupOffsets>, signal: AbortSignal): Promise<GroupOffsets> {
    return this.#producer.commitAndBegin(offsets, signal)
  }

  async abort(signal: AbortSignal): Promise<'aborted' | 'committed'> {
    try {
      return await this.#producer.abortAndBegin(signal)
    } catch (error) {
      if (!this.renewable || !(error instanceof TransactionError && error.fatal)) throw error
      // I5: the fenced one never writes again. What it left behind is settled before the committed offsets can be read.
      const fenced = this.#producer
      // Where this fails, the next abort finds the fenced one and tries again.
      const successor = await this.#newProducer(await this.#connected(), signal)
      this.#before = this.progress()
      this.#own = successor
      await fenced.close(AbortSignal.abort())
      return 'aborted'
    }
  }

  /** With `at_most_once`: goes on without records that may have been written. */
  get #onUncertain(): ((records: number, reason: MillraceError) => void) | undefined {
    const { delivery, warn } = this.#context
    if (delivery !== 'at_most_once') return undefined
    return (records, { code, message }) =>
      warn(
        `It is unknown whether ${counted(records, 'record')} for topic "${this.#settings.topic}" ${records === 1 ? 'was' : 'were'} written, and at_most_once does not write ${records === 1 ? 'it' : 'them'} again: ${message}`,
        { code, records },
      )
  }

  checks(): readonly Check[] {
    const { topic, createTopic } = this.#settings
    const cluster = (): Promise<Cluster> => this.#connected()
    const topics = topicCheck(cluster, [topic], createTopic !== undefined, 'WRITE')
    return [connectionCheck(cluster), topics, ...this.#schemas.checks]
  }

  async write(batch: Batch, signal: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    const { topic, flushTimeoutMs = this.#context.retries === true ? TIMEOUT_BEFORE_RETRY_MS : undefined } =
      this.#settings
    const producer = this.#producer
    const acknowledged = (): number => producer.progress.records
    await this.#deliveries.wait(batch, () => this.#begin(producer, batch, signal), {
      topic,
      timeoutMs: flushTimeoutMs,
      acknowledged,
    })
  }

  #begin(producer: Producer, batch: Batch, signal: AbortSignal): Promise<void> {
    const { topic } = this.#settings
    const route = { topic, partition: this.#partitionOf(batch) }
    const settled = this.#settled(batch)
    const forwarding = settled === batch && route.partition === 'keep' && producer.writeRaw(batch, route, signal)
    if (forwarding === false) return producer.writeBatch(settled, route, signal)
    this.#forwarded.add(1)
    return forwarding
  }

  giveUp(batch: Batch): Promise<boolean> {
    return this.#deliveries.end(batch, () => this.#producer.giveUp(this.#settled(batch)))
  }

  /** With the schema ids where they belong. */
  #settled(batch: Batch): Batch {
    return this.#schemaHeaders?.settle(batch) ?? batch
  }

  async flush(signal: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    await this.#producer.flush(signal)
  }

  /** What was written by the producer of another sink, that sink tells. */
  progress(): SinkProgress {
    const { records, bytes } = this.#own?.progress ?? { records: 0, bytes: 0 }
    const problem = this.#stall?.problem ?? this.#schemas.problem
    return { records: this.#before.records + records, bytes: this.#before.bytes + bytes, problem }
  }

  async close(): Promise<void> {
    this.#stall?.close()
    try {
      // The engine has flushed before; after a failure nobody waits for the rest any more.
      await this.#own?.close(AbortSignal.abort())
    } finally {
      await this.#schemas.close()
      await (await this.#cluster?.catch(() => undefined))?.close()
    }
  }

  /** The sink whose producer this one writes with. */
  get #leader(): KafkaPipelineSink {
    const joined = this.transactions && this.#context.joins?.transactions
    return joined instanceof KafkaPipelineSink ? joined : this
  }

  get #producer(): Producer {
    return this.#leader.#own!
  }

  /** Whether nothing is written behind a failed record of its partition: where no attempt of this run follows, the next run is one (I2). */
  get #failsFollowing(): ProducerOptions['failsFollowing'] {
    return this.failsInOrder || ((this.#context.delivery ?? 'at_least_once') === 'at_least_once' && 'for good')
  }

  /** Open, with a transaction begun where there are any. */
  async #newProducer(cluster: Cluster, signal: AbortSignal): Promise<Producer> {
    const { producer: settings, batchSize: batchRecords } = this.#settings
    const { transactionTimeoutMs = this.renewable ? UNIQUE_TRANSACTION_TIMEOUT_MS : undefined } = settings
    const transactionalId = settings.transactionalId ?? transactionalIdOf(this.#context)
    const producer = new Producer(
      cluster,
      { ...settings, batchRecords, failsFollowing: this.#failsFollowing, onUncertain: this.#onUncertain },
      this.transactions && { transactionalId, timeoutMs: transactionTimeoutMs },
    )
    await producer.open(signal)
    if (this.transactions !== undefined) producer.beginTransaction()
    for (const topic of this.#topics) await producer.learn(topic, signal)
    return producer
  }

  /** One that writes with the producer of another is watched there. */
  #watchDeliveries(cluster: Cluster): Stall | undefined {
    if (this.#leader !== this) return undefined
    const deliveries = {
      acknowledged: () => this.progress().records,
      areWaiting: () => this.#producer.progress.bufferedBytes > 0,
      cause: () => cluster.unreachable?.reason ?? this.#producer.problem,
    }
    return new Stall(this.#settings.topic, deliveries, this.#context.warn, (error) => (this.#failure ??= { error }))
  }

  #connected(): Promise<Cluster> {
    const { directory, pipeline } = this.#context
    this.#cluster ??= clusterOptions(this.#settings.cluster, { directory, clientId: `millrace-${pipeline}` }).then(
      (options) => new Cluster({ ...options, meter: this.#context.metrics }),
    )
    return this.#cluster
  }

  #partitionOf(batch: Batch): Route['partition'] {
    const { keepPartition } = this.#settings
    // Rows that were gathered here are of several partitions, or of none.
    if (keepPartition === true) return batch.origin.partitionCount < 0 ? (row) => readFrom(batch, row) : 'keep'
    if (keepPartition === false) return undefined
    return batch.keys === undefined && this.#kept!.keeps(batch.origin) ? 'keep' : undefined
  }
}

/** The partition of the records that a row was made of; undefined when they are of several, or of none. */
function readFrom(batch: Batch, row: number): number | undefined {
  const [first, ...others] = sourcesOf(batch, row)
  const { partition, origin } = first!.batch
  return origin.partitionCount < 0 || others.some((other) => other.batch.partition !== partition)
    ? undefined
    : partition
}

/**
 * Stable for a member that has a name of its own, so that after a restart it fences what is left of the run before. Otherwise
 * unique, so that two runs of the same pipeline do not fence one another; then the group's generation keeps the dead out.
 */
function transactionalIdOf({ pipeline, member }: ComponentContext): string {
  return `${pipeline}-${member ?? randomUUID()}`
}

function schemaHeadersOf(
  { valueCodec, keyCodec, valueSchema, keySchema }: Sink,
  location: KafkaSinkSettings['schemas']['schemaIdLocation'],
): SchemaHeaders | undefined {
  const parts = [
    { part: 'value', codec: valueCodec, use: valueSchema } as const,
    { part: 'key', codec: keyCodec, use: keySchema } as const,
  ].filter(({ codec, use }) => isSchemaCodec(codec) && use?.store !== undefined)
  if (parts.length === 0) return undefined
  return new SchemaHeaders(
    parts.map(({ part, codec }) => ({ part, hasIndexes: codec === 'protobuf' })),
    location,
  )
}

function unforwardedOf({ producer: { compression } }: KafkaSinkSettings): string | undefined {
  if (compression === 'none') return undefined
  return `compression.type (${compression}) applies to batches that are made here only: those that are forwarded keep theirs`
}

function partitionsOf({ keepPartition, keyField, producer: { partitioner } }: KafkaSinkSettings): string {
  if (keepPartition === true) return 'each record keeps its partition number'
  const by = `${partitioner} over ${keyField === undefined ? 'the key of the record' : `the key from field "${keyField}"`}`
  return keepPartition === false
    ? by
    : `records from a topic with the same number of partitions keep their partition number; others: ${by}`
}
