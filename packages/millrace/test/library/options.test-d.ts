/**
 * What compiles and what does not, for people who write programs: `tsc` checks this file, and nothing runs it. Each line below
 * `@ts-expect-error` must be refused.
 */
import { Admin, type ConsumerRecord, KafkaSink, KafkaSource } from '../../src/index.ts'

interface Order {
  readonly id: number
}
const parse = (bytes: Buffer): Order => JSON.parse(bytes.toString()) as Order
const bootstrapServers = 'localhost:9092'

// Every option that the documentation shows, as it shows it. `'timestamp:...'`, `'PT5S'` and `'64MiB'` did not compile.
export const sources = [
  new KafkaSource({ bootstrapServers, topics: 'orders' }),
  new KafkaSource({ bootstrapServers: ['a:9092', 'b:9092'], topic: 'orders' }),
  new KafkaSource({ 'bootstrap.servers': 'a:9092', topics: ['orders', 'payments'], 'group.id': 'g' }),
  new KafkaSource({ brokers: 'a:9092', topics: 'orders', autoOffsetReset: 'timestamp:2026-01-31T00:00:00Z' }),
  new KafkaSource({ bootstrapServers, topics: 'orders', 'auto.offset.reset': 'by_duration:PT1H' }),
  new KafkaSource({ bootstrapServers, topics: 'orders', sessionTimeoutMs: 'PT30S', fetchBufferBytes: '64MiB' }),
  new KafkaSource({ bootstrapServers, topics: 'orders', commit: { strategy: 'periodic', interval: 'PT5S' } }),
  new KafkaSource({ bootstrapServers, topics: 'orders', 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'PLAIN' }),
  // Without effect, and accepted with a warning.
  new KafkaSource({ bootstrapServers, topics: 'orders', 'client.dns.lookup': 'use_all_dns_ips' }),
]

export const sinks = [
  new KafkaSink({ bootstrapServers, topic: 'orders', acks: 1, lingerMs: 'PT0.005S', bufferBytes: '64MiB' }),
  new KafkaSink({ 'bootstrap.servers': 'a:9092', 'linger.ms': 5, 'compression.type': 'zstd', acks: 'all' }),
  new KafkaSink({ brokers: ['a:9092'], linger_ms: 5, partitioner: () => 0 }),
]
export const written = sinks[0]!.write([{ value: new Uint8Array(4) }, { key: Buffer.from('k'), value: 'text' }])
export const admin = new Admin({ 'bootstrap.servers': 'a:9092', apiTimeoutMs: 'PT5S' })

// @ts-expect-error -- a misspelled name
export const misspelled = new KafkaSource({ bootstrapServers, topics: 'orders', gruopId: 'g' })
// @ts-expect-error -- a misspelled property of Kafka
export const dotted = new KafkaSource({ bootstrapServers, topics: 'orders', 'group.ids': 'g' })
// @ts-expect-error -- a misspelled name of a sink
export const sink = new KafkaSink({ bootstrapServers, topic: 'orders', lingerMS: 5 })
// @ts-expect-error -- a misspelled name of an administrator
export const administrator = new Admin({ bootstrapServers, requestTimeoutMS: 5 })
// @ts-expect-error -- a value that is none of the choices
export const choice = new KafkaSource({ bootstrapServers, topics: 'orders', autoOffsetReset: 'begining' })
// @ts-expect-error -- no brokers
export const nowhere = new KafkaSource({ topics: 'orders' })
// @ts-expect-error -- no topics
export const nothing = new KafkaSource({ bootstrapServers })

// Values are Buffers unless a decoder makes something else of them: this compiled, and `record.value.id` was undefined.
// @ts-expect-error -- no decoder
export const undecoded = new KafkaSource<string, Order>({ bootstrapServers, topics: 'orders' })
// @ts-expect-error -- a decoder of values alone
export const halfDecoded = new KafkaSource<string, Order>({ bootstrapServers, topics: 'o', decode: { value: parse } })
export const decoded = new KafkaSource<string, Order>({
  bootstrapServers,
  topics: 'orders',
  decode: { key: String, value: parse },
})
export const inferred: KafkaSource<Buffer, Order> = new KafkaSource({
  bootstrapServers,
  topics: 'orders',
  decode: { value: parse },
})

export async function idOf(source: typeof inferred): Promise<number | undefined> {
  for await (const record of source) {
    const typed: ConsumerRecord<Buffer, Order> = record
    return typed.value?.id
  }
  return undefined
}
