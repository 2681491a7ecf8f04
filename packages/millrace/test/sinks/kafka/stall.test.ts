import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Stall } from '../../../src/sinks/kafka/stall.ts'

// A run whose output broker was down showed "written 0/s" without a word until it failed.
describe('a topic to which nothing can be written', () => {
  let now = 0
  let acknowledged = 0
  let areWaiting = true
  let cause: string | undefined
  let warnings: string[] = []
  let stall: Stall
  beforeEach(() => {
    now = 1000
    acknowledged = 0
    areWaiting = true
    cause = 'connection refused'
    warnings = []
    stall = new Stall(
      'out',
      { acknowledged: () => acknowledged, areWaiting: () => areWaiting, cause: () => cause },
      (message) => warnings.push(message),
      () => expect.unreachable(),
      () => now,
    )
  })
  afterEach(() => stall.close())
  const pass = (ms: number): void => {
    for (const end = now + ms; now < end; now += 1000) stall.look()
    stall.look()
  }

  test('is reported after five seconds, then every minute, with the cause, and when it is written again', () => {
    pass(4000)
    expect([warnings, stall.problem]).toEqual([[], undefined])
    pass(1000)
    expect(warnings).toEqual(['Topic "out" cannot be written: nothing acknowledged for 5 s: connection refused'])
    pass(60_000)
    expect([warnings.length, stall.problem]).toEqual([2, 'nothing acknowledged for 65 s: connection refused'])
    acknowledged = 10
    stall.look()
    expect([warnings.at(-1), stall.problem]).toEqual(['Topic "out" is written again, after 65 s', undefined])
  })

  test.each([
    ['nothing waits for it', () => (areWaiting = false)],
    ['some are acknowledged all the time', () => acknowledged++],
  ])('is none when %s', (_, change) => {
    for (let second = 0; second < 20; second++) {
      change()
      pass(1000)
    }
    expect([warnings, stall.problem]).toEqual([[], undefined])
  })

  test('is reported without a cause where none is known', () => {
    cause = undefined
    pass(6000)
    expect(stall.problem).toBe('nothing acknowledged for 6 s')
  })
})

// It ended the process.
test('what a listener throws goes to the owner of the watch', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const failures: unknown[] = []
  const broken = (): void => {
    throw new Error('broken listener')
  }
  let now = 0
  const deliveries = { acknowledged: () => 0, areWaiting: () => true, cause: () => undefined }
  const stall = new Stall(
    'out',
    deliveries,
    broken,
    (error) => failures.push(error),
    () => (now += 3000),
  )
  try {
    vi.advanceTimersByTime(5000)
    expect(failures).not.toHaveLength(0)
  } finally {
    stall.close()
    vi.useRealTimers()
  }
})
