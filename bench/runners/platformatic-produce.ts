/** Writes to a topic with the producer of @platformatic/kafka. */

import { ProduceAcks, Producer } from '@platformatic/kafka'
import { done, type ProduceTask, sendAll, task } from './task.ts'

const { bootstrapServers, topic, records } = task<ProduceTask>()
const producer = new Producer({
  clientId: 'bench',
  bootstrapBrokers: bootstrapServers.split(','),
  acks: ProduceAcks.ALL,
  idempotent: true,
})
const start = performance.now()
await sendAll(records, async (values) => producer.send({ messages: values.map((value) => ({ topic, value })) }))
await producer.close()
done({ records, seconds: (performance.now() - start) / 1000 })
