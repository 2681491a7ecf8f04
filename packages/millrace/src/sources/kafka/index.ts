/**
 * The `kafka` source of pipelines: a consumer of one group, whose offsets are committed as the sink acknowledges.
 */
import { codecNameOfClass, keyCodecNameOfClass } from '../../contracts/codec-names.ts'
import type { ComponentContext } from '../../contracts/context.ts'
import { defineSource } from '../../contracts/definitions.ts'
import type { SchemaUse } from '../../contracts/schemas.ts'
import type { GroupOffsets, ReleaseListener, SourceOffsets } from '../../contracts/offsets.ts'
import type { Check, DiscoveredStream, Source, SourceProgress, SourceStatus } from '../../contracts/source.ts'
import type { Batch } from '../../records/batch.ts'
import type { CommittablePart } from '../../records/cut-off.ts'
import { ConfigError } from '../../errors/index.ts'
import { connectionCheck, describeStreams, groupCheck, topicCheck } from '../../kafka/admin/checks.ts'
import { Cluster } from '../../kafka/cluster/cluster.ts'
import { Consumer } from '../../kafka/consumer/consumer.ts'
import { createMissingTopics } from '../../kafka/admin/missing-topics.ts'
import { kafkaEndpoints } from '../../kafka/properties/endpoints.ts'
import { clusterOptions } from '../../kafka/properties/settings.ts'
import { sourceSchemas, type ComponentSchemas } from '../../schema-registry/schema-uses.ts'
import { kafkaSourceFields, kafkaSourceRules, kafkaSourceSettings, type KafkaSourceSettings } from './options.ts'

export const kafkaSource = defineSource({
  name: 'kafka',
  summary: 'Reads one or more topics as a member of a consumer group.',
  options: kafkaSourceFields,
  rules: kafkaSourceRules,
  endpoints: kafkaEndpoints,
  examples: [
    {
      title: 'From the beginning',
      options: {
        topic: 'orders',
        bootstrapServers: 'localhost:9092',
        groupId: 'orders-etl',
        'auto.offset.reset': 'earliest',
      },
    },
  ],
  create: (options, context) => new KafkaPipelineSource(kafkaSourceSettings(options), context),
})

class KafkaPipelineSource implements Source, SourceOffsets {
  readonly valueCodec: string
  readonly keyCodec: string | undefined
  readonly valueSchema: SchemaUse | undefined
  readonly keySchema: SchemaUse | undefined
  readonly readsRecordBatches: boolean
  readonly maxBatchRecords: number | undefined
  readonly offsets: SourceOffsets = this
  readonly member: string | undefined
  readonly starts: string
  readonly commits: string
  readonly #settings: KafkaSourceSettings
  readonly #context: ComponentContext
  readonly #schemas: ComponentSchemas
  #cluster: Promise<Cluster> | undefined
  #consumer: Consumer | undefined
  #timeUp: AbortSignal | undefined

  constructor(settings: KafkaSourceSettings, context: ComponentContext) {
    this.#settings = settings
    this.#context = context
    const { metrics } = context
    metrics.observe('millrace_offset_commits_total', () => this.#consumer?.progress().commits)
    metrics.observe('millrace_offset_commit_failures_total', () => this.#consumer?.progress().commitFailures)
    metrics.observe('millrace_group_rebalances_total', () => this.#consumer?.progress().rebalances)
    const { groupId, autoCommitIntervalMs, maxPollRecords, keyDeserializer, valueDeserializer } = settings.consumer
    this.valueCodec = codecNameOfClass(valueDeserializer)!
    this.keyCodec = keyCodecNameOfClass(keyDeserializer)
    this.#schemas = sourceSchemas(settings.schemas, { key: keyDeserializer, value: valueDeserializer }, context)
    this.valueSchema = this.#schemas.value
    this.keySchema = this.#schemas.key
    this.maxBatchRecords = maxPollRecords
    this.readsRecordBatches = maxPollRecords === undefined
    this.member = settings.consumer.instanceId
    this.starts = startOf(settings.consumer)
    this.commits = {
      at_least_once: `group "${groupId}" commits the offsets of records that the sink has acknowledged: every ${autoCommitIntervalMs / 1000} s, when partitions are revoked, and at the end`,
      exactly_once: `the transactions of the sink commit the offsets of group "${groupId}" together with what was written`,
      at_most_once: `group "${groupId}" commits the offsets of each batch before it is written`,
    }[context.delivery ?? 'at_least_once']
  }

  async open(signal: AbortSignal): Promise<void> {
    const { consumer, topics, maxRecords, createTopic } = this.#settings
    const { untilEnd, warn, inform, preview } = this.#context
    const { from, at } = preview ?? { from: 'run' }
    const reset = from === 'run' ? consumer.autoOffsetReset : from
    const settings =
      from === 'run' && at === undefined ? consumer : { ...consumer, groupId: undefined, autoOffsetReset: reset }
    this.#consumer = new Consumer({
      cluster: await this.#connected(),
      topics,
      settings,
      untilEnd,
      maxRecords,
      onlyLook: preview !== undefined,
      only: at,
      commits: this.#context.delivery === 'exactly_once' ? 'transaction' : 'interval',
      component: kafkaSource.name,
      warn,
      inform,
    })
    if (createTopic !== undefined && preview === undefined)
      await createMissingTopics(await this.#connected(), topics, createTopic, signal)
    await this.#consumer.open(signal)
    if (at !== undefined && this.#consumer.assignment.length === 0)
      throw new ConfigError(`Cannot read partition ${at.partition} of "${topics.join('", "')}" as there is none`)
  }

  checks(): readonly Check[] {
    const { topics, consumer, createTopic } = this.#settings
    const cluster = (): Promise<Cluster> => this.#connected()
    return [
      connectionCheck(cluster),
      topicCheck(cluster, topics, createTopic !== undefined, 'READ'),
      groupCheck(cluster, consumer.groupId, topics),
      ...this.#schemas.checks,
    ]
  }

  async discover(signal: AbortSignal): Promise<readonly DiscoveredStream[]> {
    const cluster = await this.#connected()
    await connectionCheck(async () => cluster).run(signal)
    return describeStreams(cluster, undefined, signal)
  }

  batches(signal: AbortSignal): AsyncIterable<Batch> {
    const { maxDurationMs } = this.#settings
    // Once for the run, in which a transaction that is aborted begins to read anew.
    if (maxDurationMs !== undefined) this.#timeUp ??= AbortSignal.timeout(maxDurationMs)
    return this.#consumer!.batches(this.#timeUp === undefined ? signal : AbortSignal.any([signal, this.#timeUp]))
  }

  taken(): GroupOffsets {
    return this.#consumer!.taken()
  }

  committed(offsets: GroupOffsets): void {
    this.#consumer!.committed(offsets)
  }

  rewind(signal: AbortSignal): Promise<void> {
    return this.#consumer!.rewind(signal)
  }

  onRelease(listener: ReleaseListener): void {
    this.#consumer!.onRelease(listener)
  }

  commitBefore(part: CommittablePart): Promise<boolean> {
    return this.#consumer!.commitBefore(part)
  }

  progress(): SourceProgress {
    const consumer = this.#consumer
    if (consumer === undefined) return { records: 0, bytes: 0, lag: null }
    const { records, bytes, lag = null, problem = this.#schemas.problem } = consumer.progress()
    return { records, bytes, lag, problem, committed: () => consumer.lastCommitted }
  }

  status(): SourceStatus | undefined {
    return this.#consumer?.status()
  }

  async close(): Promise<void> {
    try {
      await this.#consumer?.close()
    } finally {
      await this.#schemas.close()
      await (await this.#cluster?.catch(() => undefined))?.close()
    }
  }

  #connected(): Promise<Cluster> {
    const { directory, pipeline } = this.#context
    this.#cluster ??= clusterOptions(this.#settings.cluster, { directory, clientId: `millrace-${pipeline}` }).then(
      (options) => new Cluster({ ...options, meter: this.#context.metrics }),
    )
    return this.#cluster
  }
}

/** For `explain`: the first run of a new group often reads nothing, because it starts at the end. */
function startOf({ groupId, autoOffsetReset }: KafkaSourceSettings['consumer']): string {
  const start =
    typeof autoOffsetReset === 'object'
      ? `at the records of ${new Date(autoOffsetReset.timestampMs).toISOString()}`
      : { earliest: 'at the first record', latest: 'at the end', none: 'not at all' }[autoOffsetReset]
  const reset = `${start} (auto.offset.reset)`
  return groupId === undefined ? reset : `at the committed offsets of group "${groupId}"; without any, ${reset}`
}
