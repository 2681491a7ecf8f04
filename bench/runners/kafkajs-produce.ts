/** Writes to a topic with kafkajs. */

import kafkajs from 'kafkajs'
import { done, type ProduceTask, sendAll, task } from './task.ts'

const { bootstrapServers, topic, records } = task<ProduceTask>()
const kafka = new kafkajs.Kafka({ brokers: bootstrapServers.split(','), logLevel: kafkajs.logLevel.NOTHING })
// It allows one request in flight when it is idempotent.
const producer = kafka.producer({
  idempotent: true,
  maxInFlightRequests: 1,
  createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
})
const start = performance.now()
await producer.connect()
await sendAll(records, async (values) =>
  producer.send({ topic, acks: -1, messages: values.map((value) => ({ value })) }),
)
await producer.disconnect()
done({ records, seconds: (performance.now() - start) / 1000 })
