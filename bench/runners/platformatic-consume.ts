/** Consumes a topic with the record stream of @platformatic/kafka. */

import { Consumer } from '@platformatic/kafka'
import { type ConsumeTask, done, task } from './task.ts'

const { bootstrapServers, topic, groupId, records } = task<ConsumeTask>()
const consumer = new Consumer({ clientId: 'bench', bootstrapBrokers: bootstrapServers.split(','), groupId })
let read = 0
let bytes = 0
const start = performance.now()
const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: true, maxBytes: 50 << 20 })
for await (const { value } of stream) {
  bytes += value.length
  if (++read >= records) break
}
done({ records: read, seconds: (performance.now() - start) / 1000, bytes })
