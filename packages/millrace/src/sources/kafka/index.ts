/**
 * The `kafka` source of pipelines: a consumer of one group, whose offsets are committed as the sink acknowledges.
 */
import { type ComponentContext, defineSource, type Source, type SourceProgress } from '../../component.ts'
import type { Batch } from '../../batch.ts'
import { Cluster } from '../../kafka/cluster.ts'
import { Consumer } from '../../kafka/consumer.ts'
import { clusterOptions } from '../../kafka/settings.ts'
import { kafkaSourceFields, kafkaSourceRules, kafkaSourceSettings, type KafkaSourceSettings } from './options.ts'

export const kafkaSource = defineSource({
  name: 'kafka',
  summary: 'Reads one or more topics as a member of a consumer group.',
  options: kafkaSourceFields,
  rules: kafkaSourceRules,
  examples: [{ title: 'From the beginning', options: { topic: 'orders', bootstrapServers: 'localhost:9092', 'auto.offset.reset': 'earliest' } }],
  create: (options, context) => new KafkaPipelineSource(kafkaSourceSettings(options), context),
})

class KafkaPipelineSource implements Source {
  readonly valueCodec: string
  readonly readsRecordBatches = true
  readonly commits: string
  readonly #settings: KafkaSourceSettings
  readonly #context: ComponentContext
  #cluster: Cluster | undefined
  #consumer: Consumer | undefined

  constructor(settings: KafkaSourceSettings, context: ComponentContext) {
    this.#settings = settings
    this.#context = context
    const { groupId, autoCommitIntervalMs, valueDeserializer } = settings.consumer
    this.valueCodec = valueDeserializer
    this.commits = `group "${groupId}" commits the offsets of records that the sink has acknowledged, every ${autoCommitIntervalMs / 1000} s, when partitions are given back and at the end`
  }

  async open(signal: AbortSignal): Promise<void> {
    const { cluster, consumer, topics, maxRecords } = this.#settings
    const { directory, pipeline, untilEnd, warn } = this.#context
    this.#cluster = new Cluster(await clusterOptions(cluster, { directory, clientId: `millrace-${pipeline}` }))
    this.#consumer = new Consumer({ cluster: this.#cluster, topics, settings: consumer, untilEnd, maxRecords, component: kafkaSource.name, warn })
    await this.#consumer.open(signal)
  }

  batches(signal: AbortSignal): AsyncIterable<Batch> {
    const { maxDurationMs } = this.#settings
    return this.#consumer!.batches(maxDurationMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(maxDurationMs)]))
  }

  progress(): SourceProgress {
    return this.#consumer?.progress() ?? { records: 0, bytes: 0, lag: undefined }
  }

  async close(): Promise<void> {
    try {
      await this.#consumer?.close()
    } finally {
      await this.#cluster?.close()
    }
  }
}
