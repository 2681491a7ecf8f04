/**
 * Measures the producer alone, without the sink around it: records of 100 bytes over the partitions of a new topic.
 *
 * ```
 * node bench/micro/produce.ts [--records 2000000] [--batch-bytes 65536] [--call 10000] [--compression none] [--acks all] [--keys] [--strings]
 *   [--bootstrap host:port] [--topic name]
 * ```
 *
 * `--call` is the number of records per call to `write`; 8 calls are under way at a time. Prints one JSON object.
 */
import { parseArgs } from 'node:util'
import { TopicAdmin } from '../../packages/millrace/src/kafka/admin/topics.ts'
import { Cluster } from '../../packages/millrace/src/kafka/cluster/cluster.ts'
import { Producer } from '../../packages/millrace/src/kafka/producer/producer.ts'
import { PRODUCER_FIELDS } from '../../packages/millrace/src/kafka/properties/producer-fields.ts'
import { producerSettings } from '../../packages/millrace/src/kafka/properties/settings.ts'
import { parseOptions } from '../../packages/millrace/src/options/parse.ts'
import { startKafka } from '../../test-bed/kafka.ts'

const CALLS_UNDER_WAY = 8

const { values: args } = parseArgs({
  options: {
    records: { type: 'string', default: '2000000' },
    'batch-bytes': { type: 'string', default: '65536' },
    call: { type: 'string', default: '10000' },
    compression: { type: 'string', default: 'none' },
    acks: { type: 'string', default: 'all' },
    bootstrap: { type: 'string' },
    topic: { type: 'string' },
    keys: { type: 'boolean', default: false },
    strings: { type: 'boolean', default: false },
  },
})

const bootstrap = args.bootstrap ?? (await startKafka()).bootstrapServers
const topic = args.topic ?? `micro-produce-${Date.now()}`
const cluster = new Cluster({ bootstrapServers: bootstrap.split(','), clientId: 'micro' })
const admin = new TopicAdmin(cluster)
if (args.topic === undefined) await admin.createTopic({ name: topic, partitions: 6, replicationFactor: 1 })
const { options } = parseOptions(
  { options: PRODUCER_FIELDS },
  { bootstrapServers: bootstrap, batchBytes: args['batch-bytes'], compression: args.compression, acks: args.acks },
)
const producer = new Producer(cluster, producerSettings(options).producer)
await producer.open()
await producer.learn(topic)

const perCall = Number(args.call)
const calls = Math.ceil(Number(args.records) / perCall)
const value = args.strings ? 'x'.repeat(100) : Buffer.alloc(100, 'x')
const records = Array.from({ length: perCall }, (_, i) => (args.keys ? { key: `key-${i}`, value } : { value }))

const cpuBefore = process.cpuUsage()
const started = performance.now()
let called = 0
await Promise.all(
  Array.from({ length: CALLS_UNDER_WAY }, async () => {
    while (called++ < calls) {
      const reports = await producer.write(records, topic)
      if (reports.failures.size > 0) throw reports.failures.values().next().value!
    }
  }),
)
const seconds = (performance.now() - started) / 1000
const { user, system } = process.cpuUsage(cpuBefore)
const { batches, requests, retries } = producer.progress
process.stdout.write(
  `${JSON.stringify({ records: calls * perCall, recordsPerSecond: Math.round((calls * perCall) / seconds), cpuSeconds: (user + system) / 1e6, batches, requests, retries })}\n`,
)
await producer.close()
if (args.topic === undefined) await admin.deleteTopics([topic])
await cluster.close()
