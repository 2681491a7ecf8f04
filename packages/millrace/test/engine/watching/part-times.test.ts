import { expect, test } from 'vitest'
import { Activity } from '../../../src/engine/watching/activity.ts'
import { observeLine, ReadingTime } from '../../../src/engine/watching/part-times.ts'
import { StageTimer } from '../../../src/engine/watching/stage-timer.ts'
import { Counters } from '../../../src/metrics/counters.ts'

function statesOf(counters: Counters): { readonly [stage: string]: readonly number[] } {
  const states: { [stage: string]: number[] } = {}
  for (const { metric, labels, value } of counters.snapshot())
    if (metric === 'millrace_component_state_seconds_total')
      (states[labels.stage!] ??= []).push(Math.round(value * 1000) / 1000)
  return states
}

/** A line of two stages that were running for a second each, and a source that decoded for as long. */
function line() {
  let now = 0
  const counters = new Counters()
  const meter = counters.meter({ pipeline: 'p' })
  const [first, second] = [1, 2].map((i) => new StageTimer(meter.with({ stage: `stage-${i}`, component: '$set' })))
  const activity = new Activity(() => now)
  const reading = new ReadingTime()
  const sink = activity.sink()
  const codecs = { decode: { seconds: 0 }, encode: { seconds: 0 } }
  observeLine(
    {
      stages: { timers: [first!, second!] },
      codecTimers: codecs,
      meters: { source: meter.with({ stage: 'source' }), sinks: [meter.with({ stage: 'sink' })] },
    },
    activity,
    reading,
    [sink],
  )
  const pass = (seconds: number): void => void (now += seconds * 1000)
  return { counters, activity, reading, sink, codecs, pass, first: first!, second: second! }
}

/** A stage that has worked for some seconds. */
function worked(timer: StageTimer, seconds: number): void {
  timer.count(1, 1, performance.now() - seconds * 1000)
}

test('parts are busy with their own work, backpressured by what is behind them, and otherwise idle', () => {
  const { counters, activity, reading, sink, codecs, pass, first, second } = line()
  const reader = activity.reader()
  pass(100) // nothing to read
  reading.add(5000)
  reader.busy()
  pass(60)
  codecs.decode.seconds = 10
  worked(first, 20)
  worked(second, 25)
  codecs.encode.seconds = 5
  reader.backpressured()
  sink.began()
  pass(40)
  reader.idle()
  expect(statesOf(counters)).toEqual({
    source: [15, 90, 95],
    'stage-1': [20, 70, 110],
    'stage-2': [25, 45, 130],
    sink: [0, 40, 160],
  })
})

// Counters that fall look like a restart to Prometheus.
test('no time falls where stages work longer than the pipeline runs', () => {
  const { counters, activity, pass, first } = line()
  activity.reader()
  pass(10)
  expect(statesOf(counters)['stage-1']).toEqual([0, 0, 10])
  worked(first, 30)
  expect(statesOf(counters)['stage-1']).toEqual([30, 0, 10])
})

test('a source works from when it is asked until it waits', async () => {
  const reading = new ReadingTime()
  let isClosed = false
  async function* batches(): AsyncGenerator<number> {
    try {
      for (let i = 0; ; i++) {
        const until = performance.now() + 5
        while (performance.now() < until);
        await new Promise((resolve) => setTimeout(resolve, 50))
        yield i
      }
    } finally {
      isClosed = true
    }
  }
  for await (const i of reading.of(batches())) if (i === 1) break
  expect(reading.seconds).toBeGreaterThanOrEqual(0.01)
  expect(isClosed).toBe(true)
})
