/** Sends single records from many callers at a time with the library. The clock runs from the first call to the last acknowledgement. */

import { KafkaSink } from 'millrace'
import { callers, done, type SendTask, task } from './task.ts'

const { bootstrapServers, topic, records, callers: count } = task<SendTask>()
const sink = new KafkaSink({ bootstrapServers, topic, acks: 'all', compression: 'none' })
await sink.open()
const start = performance.now()
await callers(count, records, (value) => sink.send({ value }))
const seconds = (performance.now() - start) / 1000
await sink.close()
done({ records, seconds })
