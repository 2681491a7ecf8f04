/**
 * Writes single records and notes how long each takes to be acknowledged.
 *
 * With `perSecond` 0 each record is sent when the one before is acknowledged. Otherwise they are due at that pace, in one go every
 * millisecond, and the time of each counts from when it was due, so that a sender that falls behind cannot hide it.
 */

import { KafkaSink } from 'millrace'
import { Metronome } from './metronome.ts'
import { done, type LatencyTask, percentiles, task } from './task.ts'

const { bootstrapServers, topic, records, warmUp, perSecond, lingerMs } = task<LatencyTask>()
const sink = new KafkaSink({ bootstrapServers, topic, acks: 'all', lingerMs, compression: 'none' })
const value = Buffer.alloc(100, 'x')
const milliseconds = new Float64Array(warmUp + records)
await sink.send({ value })
const start = performance.now()
if (perSecond === 0) {
  for (let i = 0; i < milliseconds.length; i++) {
    const sentAt = performance.now()
    await sink.send({ value })
    milliseconds[i] = performance.now() - sentAt
  }
} else {
  const metronome = new Metronome(start)
  const all = Promise.withResolvers<void>()
  let left = milliseconds.length
  const sendOne = async (i: number, due: number): Promise<void> => {
    await sink.send({ value })
    milliseconds[i] = performance.now() - due
    if (--left === 0) all.resolve()
  }
  for (let i = 0; i < milliseconds.length;) {
    const due = start + Math.floor((i * 1000) / perSecond)
    if (due > performance.now()) await metronome.next()
    else sendOne(i++, due).catch(all.reject)
  }
  await all.promise
  await metronome.stop()
}
const seconds = (performance.now() - start) / 1000
await sink.close()
done({ records: milliseconds.length, seconds, milliseconds: percentiles(milliseconds.subarray(warmUp)) })
