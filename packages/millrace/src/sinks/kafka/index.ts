/**
 * The `kafka` sink of pipelines: an idempotent producer (unless told otherwise) of one topic.
 *
 * A batch takes the cheapest lane it can: whole record batches as they were fetched when nothing was changed and the
 * partition is kept, else records copied or encoded into new record batches.
 */
import type { Batch } from '../../batch.ts'
import { type ComponentContext, defineSink, type Sink, type SinkProgress } from '../../component.ts'
import { Cluster } from '../../kafka/cluster.ts'
import { Producer } from '../../kafka/producer.ts'
import { clusterOptions } from '../../kafka/settings.ts'
import { keysFromField } from './key-field.ts'
import { kafkaSinkFields, kafkaSinkRules, kafkaSinkSettings, type KafkaSinkSettings } from './options.ts'

export const kafkaSink = defineSink({
  name: 'kafka',
  summary: 'Writes to a topic.',
  options: kafkaSinkFields,
  rules: kafkaSinkRules,
  examples: [{ title: 'With all guarantees', options: { topic: 'orders-out', bootstrapServers: 'localhost:9092', acks: 'all' } }],
  create: (options, context) => new KafkaPipelineSink(kafkaSinkSettings(options), context),
})

class KafkaPipelineSink implements Sink {
  readonly valueCodec: string
  readonly includeMeta: boolean
  readonly needsDocuments: boolean
  readonly #settings: KafkaSinkSettings
  readonly #context: ComponentContext
  #cluster: Cluster | undefined
  #producer: Producer | undefined
  #partitionCount = 0

  constructor(settings: KafkaSinkSettings, context: ComponentContext) {
    this.#settings = settings
    this.#context = context
    this.valueCodec = settings.producer.valueSerializer
    this.includeMeta = settings.includeMeta
    this.needsDocuments = settings.keyField !== undefined
  }

  async open(signal: AbortSignal): Promise<void> {
    const { cluster, producer, topic } = this.#settings
    const { directory, pipeline } = this.#context
    this.#cluster = new Cluster(await clusterOptions(cluster, { directory, clientId: `millrace-${pipeline}` }))
    await this.#cluster.connect(signal)
    this.#partitionCount = (await this.#cluster.topic(topic, signal)).partitions.length
    this.#producer = new Producer(this.#cluster, producer)
    await this.#producer.open(signal)
    await this.#producer.learn(topic, signal)
  }

  async write(batch: Batch, signal: AbortSignal): Promise<void> {
    const { topic, keyField } = this.#settings
    if (keyField !== undefined) batch.keys = keysFromField(batch, keyField)
    const producer = this.#producer!
    if (!this.#keepsPartition(batch)) return producer.writeBatch(batch, { topic }, signal)
    const route = { topic, partition: 'keep' } as const
    const forwarding = producer.writeRaw(batch, route, signal)
    await (forwarding === false ? producer.writeBatch(batch, route, signal) : forwarding)
  }

  flush(signal: AbortSignal): Promise<void> {
    return this.#producer!.flush(signal)
  }

  progress(): SinkProgress {
    return this.#producer?.progress ?? { records: 0, bytes: 0 }
  }

  async close(): Promise<void> {
    try {
      await this.#producer?.close()
    } finally {
      await this.#cluster?.close()
    }
  }

  #keepsPartition(batch: Batch): boolean {
    const { keepPartition } = this.#settings
    if (keepPartition !== undefined) return keepPartition
    return batch.keys === undefined && batch.origin.partitionCount === this.#partitionCount
  }
}

