/** Writes to a topic with the library. The clock runs from the first write to the end of close; construction does not count. */

import { KafkaSink } from 'millrace'
import { done, type ProduceTask, sendAll, task } from './task.ts'

const { bootstrapServers, topic, records } = task<ProduceTask>()
const sink = new KafkaSink({
  bootstrapServers,
  topic,
  acks: 'all',
  lingerMs: 5,
  batchBytes: 65_536,
  compression: 'none',
})
const start = performance.now()
await sendAll(records, async (values) => {
  const { failures } = await sink.write(values.map((value) => ({ value })))
  if (failures.size > 0) throw failures.values().next().value
})
await sink.close()
done({ records, seconds: (performance.now() - start) / 1000 })
