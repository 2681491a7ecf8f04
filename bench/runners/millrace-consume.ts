/** Consumes a topic with the library. The clock runs from the first ask to the last record; construction and close do not count. */

import { KafkaSource, serve } from 'millrace'
import { type ConsumeTask, done, task } from './task.ts'

const { bootstrapServers, topic, groupId, records, mode, http } = task<
  ConsumeTask & { mode: 'batches' | 'records'; http?: number }
>()
const source = new KafkaSource({
  bootstrapServers,
  topics: topic,
  groupId,
  autoOffsetReset: 'earliest',
  checkCrcs: true,
})
const server = http === undefined ? undefined : await serve(http, { consume: { source } })
let read = 0
let bytes = 0
const start = performance.now()
if (mode === 'batches') {
  for await (const batch of source.batches()) {
    const { length } = batch
    for (let row = 0; row < length; row++) bytes += batch.value(row)?.length ?? 0
    read += length
    batch.ack()
    batch.release()
    if (read >= records) break
  }
} else {
  for await (const record of source) {
    bytes += record.value?.length ?? 0
    if (++read >= records) break
  }
}
const seconds = (performance.now() - start) / 1000
await server?.close()
await source.close()
done({ records: read, seconds, bytes })
