/** Sends single records from many callers at a time with kafkajs. */

import kafkajs from 'kafkajs'
import { callers, done, type SendTask, task } from './task.ts'

const { bootstrapServers, topic, records, callers: count } = task<SendTask>()
const kafka = new kafkajs.Kafka({ brokers: bootstrapServers.split(','), logLevel: kafkajs.logLevel.NOTHING })
// Not idempotent: that would allow one request at a time, and a request has one record here.
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
await producer.connect()
const start = performance.now()
await callers(count, records, async (value) => producer.send({ topic, acks: -1, messages: [{ value }] }))
const seconds = (performance.now() - start) / 1000
await producer.disconnect()
done({ records, seconds })
