/** Sends single records from many callers at a time with the producer of @platformatic/kafka. */

import { ProduceAcks, Producer } from '@platformatic/kafka'
import { callers, done, type SendTask, task } from './task.ts'

const { bootstrapServers, topic, records, callers: count } = task<SendTask>()
const producer = new Producer({
  clientId: 'bench',
  bootstrapBrokers: bootstrapServers.split(','),
  acks: ProduceAcks.ALL,
})
const start = performance.now()
await callers(count, records, async (value) => producer.send({ messages: [{ topic, value }] }))
const seconds = (performance.now() - start) / 1000
await producer.close()
done({ records, seconds })
