/** Options of the source of a retry topic, and of the sink for failed records, from those of the source. */
import { CLUSTER_FIELDS } from '../../kafka/properties/cluster-fields.ts'
import { CONSUMER_FIELDS } from '../../kafka/properties/consumer-fields.ts'
import { nameTable } from '../../options/spellings.ts'
import type { KafkaSourceOptions } from '../source/options.ts'
import type { KafkaSinkOptions } from '../sink/options.ts'

/** Names under which a source has its topics and its group. */
const TOPIC_NAMES: ReadonlySet<string> = new Set(['topics', 'topic', 'partitions'])
const CONSUMER_NAMES = nameTable(CONSUMER_FIELDS)
const CLUSTER_NAMES = nameTable(CLUSTER_FIELDS)

/** Options of the main source only. A program cannot ask the source of a retry topic to commit, so that does so by itself. */
const MAIN_FIELDS: ReadonlySet<string | undefined> = new Set(['groupId', 'autoOffsetReset', 'enableAutoCommit'])

/** The same options for one topic, in a group of its own, from the beginning: what was written before the group existed counts. It commits what is done. */
export function retryOptions<K, V>(options: object, topic: string, groupId: string): KafkaSourceOptions<K, V> {
  const others = Object.entries(options).filter(([name]) => {
    const field = CONSUMER_NAMES.get(name)
    return !TOPIC_NAMES.has(name) && name !== 'commit' && !MAIN_FIELDS.has(field)
  })
  const derived = {
    ...Object.fromEntries(others),
    topics: [topic],
    groupId: `${groupId}.${topic}`,
    autoOffsetReset: 'earliest',
  }
  // They were options of a source with the same decoders.
  return derived as unknown as KafkaSourceOptions<K, V>
}

/** Where the brokers are and how they are reached, and the patience that records deserve which have nowhere else to go. */
export function sinkOptions(options: object): KafkaSinkOptions {
  const shared = Object.entries(options).filter(([name]) => isOfCluster(name))
  return {
    ...(Object.fromEntries(shared) as unknown as KafkaSinkOptions),
    compression: 'none',
    deliveryTimeoutMs: 120_000,
    maxRetries: 0x7fffffff,
    enableCircuitBreaker: false,
  }
}

/** Also of options that were written as nested objects: `sasl: { mechanism }`. */
function isOfCluster(name: string): boolean {
  if (CLUSTER_NAMES.has(name)) return name !== 'requestTimeoutMs' && name !== 'request.timeout.ms'
  return [...CLUSTER_NAMES.keys()].some((known) => known.startsWith(`${name}.`))
}
