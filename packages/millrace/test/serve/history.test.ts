import { describe, expect, test } from 'vitest'
import { Counters } from '../../src/metrics/counters.ts'
import { reasonsOf, STALL_MS } from '../../src/serve/health.ts'
import { History } from '../../src/serve/history.ts'
import { Numbers, quantile } from '../../src/serve/numbers.ts'
import { fakePipeline } from '../support/watched.ts'

describe('the history of a pipeline', () => {
  test('has a row for each second, and forgets after five minutes', () => {
    const counters = new Counters()
    const meter = counters.meter({ pipeline: 'p', stage: 'source', component: 'kafka' })
    let records = 0
    let busy = 0
    meter.observe('millrace_source_records_total', () => records)
    meter.observe('millrace_pipeline_state_seconds_total', () => busy, { state: 'busy' })
    meter.observe('millrace_pipeline_state_seconds_total', () => 3 * busy, { state: 'idle' })
    const history = new History('p')
    for (let second = 0; second <= 400; second++) {
      history.add(new Numbers([counters]), second * 1000)
      records += 50
      busy += 0.25
    }
    expect(history.points).toHaveLength(300)
    expect(history.points[0]).toMatchObject({ at: 101 })
    expect(history.latest).toEqual({
      at: 400,
      readPerSecond: 50,
      writtenPerSecond: 0,
      bytesPerSecond: 0,
      lag: null,
      lagSeconds: null,
      latencySeconds: null,
      busy: 0.25,
      backpressured: 0,
      idle: 0.75,
    })
  })

  test('has what each part spent the last second on, in parts of one', () => {
    const counters = new Counters()
    let busy = 0
    counters
      .meter({ pipeline: 'p', stage: 'stage-1', component: '$set' })
      .observeEach('millrace_component_state_seconds_total', () => [
        [{ state: 'busy' }, busy],
        [{ state: 'backpressured' }, 3 * busy],
        [{ state: 'idle' }, 7],
      ])
    const history = new History('p')
    for (const second of [0, 1, 2]) {
      history.add(new Numbers([counters]), second * 1000)
      busy += 0.3
    }
    expect([...history.parts]).toEqual([['stage-1', { busy: 0.25, backpressured: 0.75, idle: 0 }]])
  })

  test('latencies are of the last ten seconds', () => {
    const counters = new Counters()
    const latency = counters.meter({ pipeline: 'p' }).histogram('millrace_pipeline_latency_seconds')
    const history = new History('p')
    history.add(new Numbers([counters]), 0)
    latency.observe(100)
    history.add(new Numbers([counters]), 1000)
    expect(history.latest!.latencySeconds).toBeGreaterThan(60)
    for (let second = 2; second < 20; second++) {
      latency.observe(0.02)
      history.add(new Numbers([counters]), second * 1000)
    }
    expect(history.latest!.latencySeconds).toBeLessThanOrEqual(0.05)
  })

  test('numbers that a new run counts from zero again are no negative rate', () => {
    const counters = new Counters()
    let records = 100
    counters.meter({ pipeline: 'p', stage: 'source' }).observe('millrace_source_records_total', () => records)
    const history = new History('p')
    history.add(new Numbers([counters]), 0)
    records = 5
    history.add(new Numbers([counters]), 1000)
    expect(history.latest!.readPerSecond).toBe(0)
  })
})

test.each([
  [0.5, [0, 0, 0], undefined],
  [0.5, [10, 0, 0], 0.5],
  [0.5, [0, 10, 0], 1.5],
  [0.99, [0, 0, 10], 2],
  [0.75, [10, 10, 0], 1.5],
] as const)('quantile %s of %s', (share, counts, want) => {
  expect(quantile(share, [1, 2], counts)).toBe(want)
})

describe('a pipeline that has records to read and reads none', () => {
  const ago = { idleMs: STALL_MS, lag: 7 }

  test('is stalled after a minute', () => {
    expect(reasonsOf(fakePipeline(), ago)).toEqual([
      { reason: 'stalled', pipeline: 'orders', message: '7 records are to be read, and none was for 60 s' },
    ])
  })

  test('is not stalled before, nor without lag, nor while its lag is not known', () => {
    expect(reasonsOf(fakePipeline(), { ...ago, idleMs: STALL_MS - 1 })).toEqual([])
    expect(reasonsOf(fakePipeline(), { ...ago, lag: 0 })).toEqual([])
    expect(reasonsOf(fakePipeline(), { ...ago, lag: undefined })).toEqual([])
  })
})
