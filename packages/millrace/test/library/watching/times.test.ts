import { describe, expect, test } from 'vitest'
import { ReadTimes } from '../../../src/library/watching/read-times.ts'
import { WriteTimes } from '../../../src/library/watching/write-times.ts'
import { batchOf } from '../../support/batches.ts'

const never = new AbortController().signal

/** A clock that a test moves, and a consumer whose batches come when the test says. */
function bed(): {
  readonly clock: { ms: number }
  readonly times: ReadTimes
  readonly consumer: Parameters<ReadTimes['next']>[0]
  readonly arrive: () => void
} {
  const clock = { ms: 0 }
  let arrive = (): void => {}
  const consumer = {
    next: () => {
      clock.ms += 100 // of its own
      return new Promise<ReturnType<typeof batchOf>>((resolve) => (arrive = () => resolve(batchOf(['1']))))
    },
  }
  return { clock, times: new ReadTimes(() => clock.ms), consumer, arrive: () => arrive() }
}

function secondsOf({ activity, reading, program }: ReadTimes): object {
  return { reading: reading.seconds, program: program.seconds, idle: activity.seconds('idle') }
}

// A program's own source had neither busy nor idle time, though that of a pipeline has.
describe('the time of a source that a program reads', () => {
  test('is that of its own, of waiting for records, and of the program between two batches', async () => {
    const { clock, times, consumer, arrive } = bed()
    clock.ms += 5000 // nothing reads yet
    const first = times.next(consumer, never)
    clock.ms += 2000
    arrive()
    await first
    clock.ms += 3000
    const second = times.next(consumer, never)
    arrive()
    await second
    times.ended()
    clock.ms += 5000 // nothing reads any more
    expect(secondsOf(times)).toEqual({ reading: 0.2, program: 3, idle: 2 })
  })

  test('is that of the program while handlers are at work beside the loop', async () => {
    const { clock, times, consumer, arrive } = bed()
    times.workBegan()
    times.workBegan()
    const next = times.next(consumer, never)
    clock.ms += 1000
    times.workEnded()
    clock.ms += 1000
    times.workEnded()
    clock.ms += 4000
    arrive()
    await next
    expect(secondsOf(times)).toEqual({ reading: 0.1, program: 2, idle: 4 })
  })
})

test('a sink is busy while at least one of its writes is under way', () => {
  const clock = { ms: 1000 }
  const times = new WriteTimes(() => clock.ms)
  times.began(2000)
  times.began(3000)
  times.ended(4000)
  clock.ms = 5000
  expect([times.busySeconds, times.seconds]).toEqual([3, 4])
  times.ended(6000)
  clock.ms = 9000
  expect([times.busySeconds, times.seconds]).toEqual([4, 8])
})
