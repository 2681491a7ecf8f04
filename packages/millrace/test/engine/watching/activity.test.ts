import { expect, test } from 'vitest'
import { Activity } from '../../../src/engine/watching/activity.ts'

function clocked(): { readonly activity: Activity; readonly pass: (seconds: number) => void } {
  let now = 0
  return { activity: new Activity(() => now), pass: (seconds) => void (now += seconds * 1000) }
}

test('a source is idle until it is busy, and each second counts once', () => {
  const { activity, pass } = clocked()
  const reader = activity.reader()
  pass(1)
  reader.busy()
  pass(2)
  reader.backpressured()
  pass(4)
  reader.idle()
  pass(8)
  expect([activity.seconds('busy'), activity.seconds('backpressured'), activity.seconds('idle')]).toEqual([2, 4, 9])
  reader.ended()
  pass(16)
  expect(activity.seconds('idle')).toBe(9)
})

test('of several sources one that is busy is enough', () => {
  const { activity, pass } = clocked()
  const [first, second] = [activity.reader(), activity.reader()]
  first.busy()
  pass(1)
  second.backpressured()
  pass(1)
  first.idle()
  pass(1)
  second.idle()
  pass(1)
  expect([activity.seconds('busy'), activity.seconds('backpressured'), activity.seconds('idle')]).toEqual([2, 1, 1])
})

test('a busy source that waits for room is backpressured', async () => {
  const { activity, pass } = clocked()
  const reader = activity.reader()
  reader.busy()
  pass(1)
  const room = Promise.withResolvers<void>()
  const waiting = activity.waiting(room.promise)
  pass(2)
  room.resolve()
  await waiting
  pass(4)
  expect([activity.seconds('busy'), activity.seconds('backpressured')]).toEqual([5, 2])
})

test('a sink is busy while it has writes under way, and backpressured while the pipeline waits for them', () => {
  const { activity, pass } = clocked()
  const reader = activity.reader()
  const [sink, other] = [activity.sink(), activity.sink()]
  reader.busy()
  pass(1)
  sink.began()
  sink.began()
  pass(2)
  reader.backpressured()
  pass(4)
  sink.ended()
  reader.idle()
  pass(8)
  expect([sink.seconds('busy'), sink.seconds('backpressured')]).toEqual([10, 4])
  sink.ended()
  reader.backpressured()
  pass(16)
  expect([sink.seconds('busy'), sink.seconds('backpressured')]).toEqual([10, 4])
  expect([other.seconds('busy'), other.seconds('backpressured')]).toEqual([0, 0])
})

test('encoding counts for a sink only while it has nothing under way, as it is busy then already', () => {
  const { activity, pass } = clocked()
  const sink = activity.sink()
  sink.worked(500)
  sink.began()
  sink.worked(250)
  pass(1)
  sink.ended()
  expect(sink.seconds('busy')).toBe(1.5)
})
