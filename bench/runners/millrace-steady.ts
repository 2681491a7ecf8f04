/** Consumes a topic to which little is written, and counts the CPU seconds of a while after warming up. */

import { KafkaSource } from 'millrace'
import { done, type SteadyTask, task } from './task.ts'

const { bootstrapServers, topic, groupId, warmUpSeconds, seconds } = task<SteadyTask>()
let bytes = 0
let records = 0
let from = 0
let cpuBefore: NodeJS.CpuUsage | undefined
let first = 0
const start = performance.now()
const source = new KafkaSource({ bootstrapServers, topics: topic, groupId, autoOffsetReset: 'earliest' })
for await (const batch of source.batches()) {
  const now = performance.now()
  first ||= now - start
  const { length } = batch
  for (let row = 0; row < length; row++) bytes += batch.value(row)?.length ?? 0
  batch.ack()
  if (cpuBefore === undefined) {
    if (now - start < warmUpSeconds * 1000) continue
    from = now
    cpuBefore = process.cpuUsage()
    continue
  }
  records += length
  if (now - from >= seconds * 1000) break
}
const { user, system } = process.cpuUsage(cpuBefore)
// Leaving the group does not count, and nobody waits for it.
done({
  records,
  seconds: (performance.now() - from) / 1000,
  cpuSeconds: (user + system) / 1e6,
  milliseconds: { first },
  bytes,
})
