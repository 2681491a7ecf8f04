/** Writes orders to a topic with the library, keys and values as materialize-kafka writes them. Timed as `millrace-produce.ts`. */

import { KafkaSink } from 'millrace'
import { orders, recordOf } from './orders.ts'
import { CALLS_IN_FLIGHT, CHUNK, done, type ProduceTask, task } from './task.ts'

const { bootstrapServers, topic, records } = task<ProduceTask>()
const sink = new KafkaSink({ bootstrapServers, topic, partitioner: 'crc32', batchBytes: 131_072 })
const prepared = orders(CHUNK).map((order) => {
  const { key, value } = recordOf(order)
  return { key: Buffer.from(key), value: Buffer.from(value) }
})
const start = performance.now()
const inFlight = new Set<Promise<unknown>>()
for (let sent = 0; sent < records; sent += CHUNK) {
  const call = sink
    .write(records - sent < CHUNK ? prepared.slice(0, records - sent) : prepared)
    .then(({ failures }) => {
      inFlight.delete(call)
      for (const failure of failures.values()) throw failure
    })
  inFlight.add(call)
  if (inFlight.size >= CALLS_IN_FLIGHT) await Promise.race(inFlight)
}
await Promise.all(inFlight)
await sink.close()
done({ records, seconds: (performance.now() - start) / 1000 })
