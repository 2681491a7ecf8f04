import { describe, expect, test } from 'vitest'
import { progressLine, ratesOf } from '../../src/cli/progress.ts'
import type { RunProgress } from '../../src/engine/plan.ts'

function moment(
  seconds: number,
  read: number,
  written: number,
  lag?: number | null,
  failures: Partial<RunProgress> = {},
): RunProgress {
  return {
    elapsedMs: seconds * 1000,
    read: { records: read, bytes: read * 150 },
    written: { records: written, bytes: written * 100 },
    lag,
    errors: { skipped: {}, deadLettered: {}, retried: {} },
    circuitBreaker: undefined,
    ...failures,
  }
}

describe('the live line', () => {
  test('has lag, the time left of a bounded run, totals, and rates since the moment before', () => {
    const line = progressLine(moment(12, 1_250_000, 620_000, 2_300_000), moment(11, 940_000, 465_000, 2_600_000), true)
    expect(line).toBe('12 s  lag 2.30M  ETA 8 s  read 1.25M (310k/s, 46.5 MB/s)  written 620k (155k/s)')
  })

  test('shows what happened to failed records, and a circuit breaker that is not closed', () => {
    const line = (columns: number): string =>
      progressLine(
        moment(1, 10, 5, undefined, {
          errors: {
            skipped: { DECODE_FAILED: 2, STAGE_FAILED: 1 },
            deadLettered: { RECORD_TOO_LARGE: 1 },
            retried: { DELIVERY_TIMED_OUT: 1500 },
          },
          circuitBreaker: { state: 'half-open', openings: 1, rejections: 0 },
        }),
        undefined,
        false,
        columns,
      )
    expect(line(200)).toMatch(
      /^1 s {2}skipped 3 \(DECODE_FAILED 2, STAGE_FAILED 1\) {2}dead letters 1 \(RECORD_TOO_LARGE 1\) {2}retried 1\.50k \(DELIVERY_TIMED_OUT 1\.50k\) {2}circuit half-open {2}read 10 /,
    )
    expect(line(100)).toMatch(/^1 s {2}skipped 3 {2}dead letters 1 {2}retried 1\.50k {2}circuit half-open {2}read 10 /)
  })

  test('has no lag where the source cannot know, and no end where there is none', () => {
    expect(progressLine(moment(2, 2000, 1000), undefined, true)).toBe(
      '2 s  read 2.00k (1.00k/s, 150 kB/s)  written 1.00k (500/s)',
    )
    expect(progressLine(moment(2, 2000, 1000, 4000), undefined, false)).not.toContain('ETA')
    expect(progressLine(moment(2, 0, 0, 4000), undefined, true)).not.toContain('ETA')
  })

  // At 60 columns the lag was what was cut off.
  test.each([
    [100, '12 s  lag 2.30M  read 1.25M (310k/s, 46.5 MB/s)  written 620k (155k/s)'],
    [60, '12 s  lag 2.30M  read 1.25M (310k/s)  written 620k (155k/s)'],
    [50, '12 s  lag 2.30M  read 1.25M  written 620k'],
    [20, '12 s  lag 2.30M  rea'],
  ])('fits into %i columns', (columns, line) => {
    const before = moment(11, 940_000, 465_000, 2_600_000)
    expect(progressLine(moment(12, 1_250_000, 620_000, 2_300_000), before, false, columns)).toBe(line)
  })

  // A dead broker looked like an idle topic: "lag 0".
  test('shows an unknown lag, and the problem instead of rates', () => {
    const problem = 'no broker answers for 40 s: connection refused'
    expect(progressLine(moment(50, 10, 5, null, { problem }), undefined, true)).toBe(
      `50 s  lag ?  ${problem}  read 10  written 5`,
    )
  })

  test.each([
    [60, '60 s'],
    [600, '10 min'],
    [7260, '2 h 1 min'],
  ])('shows %i seconds as %s', (seconds, text) => {
    expect(progressLine(moment(1, 1, 1, seconds), undefined, true)).toContain(`ETA ${text}`)
  })
})

test('rates are of the whole run when there is no moment before', () => {
  expect(ratesOf(moment(4, 400, 200))).toEqual({ readPerSecond: 100, writtenPerSecond: 50, bytesPerSecond: 15_000 })
  expect(ratesOf(moment(0, 5, 5)).readPerSecond).toBeGreaterThan(0)
})
