/**
 * Consumes a topic and stands still for a while in the middle, as a program does whose database does not answer.
 *
 * Answers with the records and seconds after the stall.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaSource } from 'millrace'
import { type ConsumeTask, done, task } from './task.ts'

const { bootstrapServers, topic, groupId, records, stallAfter, stallSeconds, sessionTimeoutMs } = task<
  ConsumeTask & { stallAfter: number; stallSeconds: number; sessionTimeoutMs: number }
>()
const source = new KafkaSource({
  bootstrapServers,
  topics: topic,
  groupId,
  autoOffsetReset: 'earliest',
  sessionTimeoutMs,
})
let read = 0
let bytes = 0
let resumedAt = 0
let resumedWith = 0
for await (const batch of source.batches()) {
  const { length } = batch
  for (let row = 0; row < length; row++) bytes += batch.value(row)?.length ?? 0
  read += length
  if (resumedAt === 0 && read >= stallAfter) {
    // Not acknowledged before it is over: this batch and whatever was fetched meanwhile stay in memory.
    if (stallSeconds > 0) await sleep(stallSeconds * 1000)
    resumedAt = performance.now()
    resumedWith = read
  }
  batch.ack()
  if (read >= records) break
}
const seconds = (performance.now() - resumedAt) / 1000
await source.close()
done({ records: read - resumedWith, seconds, bytes })
