/** Consumes a topic with kafkajs, batch by batch. */

import kafkajs from 'kafkajs'
import { type ConsumeTask, done, task } from './task.ts'

const { bootstrapServers, topic, groupId, records } = task<ConsumeTask>()
const kafka = new kafkajs.Kafka({ brokers: bootstrapServers.split(','), logLevel: kafkajs.logLevel.NOTHING })
const consumer = kafka.consumer({ groupId })
let read = 0
let bytes = 0
const start = performance.now()
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await consumer.run({
  eachBatch: async ({ batch }) => {
    for (const { value } of batch.messages) bytes += value?.length ?? 0
    read += batch.messages.length
    if (read >= records) done({ records: read, seconds: (performance.now() - start) / 1000, bytes })
  },
})
