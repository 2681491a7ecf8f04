import { describe, expect, test } from 'vitest'
import { CircuitBreaker } from '../../src/resilience/circuit-breaker.ts'
import { describeRate, FailureWindow, type FailureRate } from '../../src/resilience/failure-rate.ts'

const OF_CALLS: FailureRate = { percent: 50, minimumCalls: 4, window: { calls: 6 } }
const OF_TIME: FailureRate = { percent: 50, minimumCalls: 4, window: { seconds: 10 } }

/** @param calls `x` for a failure, `.` for a success, each a second after the one before it */
function exceeds(rate: FailureRate, calls: string): boolean {
  const window = new FailureWindow(rate)
  let now = 0
  for (const call of calls) window.add(call === 'x', (now += 1000))
  return window.isExceeded(now)
}

describe('the share of failures', () => {
  test.each([
    { calls: 'xxx', exceeded: false, why: 'too few calls' },
    { calls: '...x', exceeded: false, why: 'too few failures' },
    { calls: 'x.x.', exceeded: true, why: 'half of them' },
    { calls: '....', exceeded: false, why: 'none of them' },
    { calls: 'xxx......', exceeded: false, why: 'those are long ago' },
    { calls: '......xxx', exceeded: true, why: 'the last six count' },
  ])('of the last 6 calls in $calls: $why', ({ calls, exceeded }) => {
    expect(exceeds(OF_CALLS, calls)).toBe(exceeded)
  })

  test.each([
    { calls: 'xxx', exceeded: false, why: 'too few calls' },
    { calls: '.....xxxxx', exceeded: true, why: 'half of them' },
    { calls: '......xxxxx', exceeded: true, why: 'what is older than 10 s does not count' },
    { calls: 'xxxxxxx..........', exceeded: false, why: 'those are long ago' },
  ])('of the last 10 seconds in $calls: $why', ({ calls, exceeded }) => {
    expect(exceeds(OF_TIME, calls)).toBe(exceeded)
  })

  test('counts all calls of a second', () => {
    const window = new FailureWindow(OF_TIME)
    for (const failed of [true, true, false, false]) window.add(failed, 500)
    expect(window.isExceeded(900)).toBe(true)
    expect(window.isExceeded(10_500)).toBe(false)
  })

  test('is described in words', () => {
    expect(describeRate(OF_CALLS)).toBe('50 % of the last 6 deliveries (of at least 4) have failed')
    expect(describeRate(OF_TIME)).toBe('50 % of the deliveries of the last 10 s (of at least 4) have failed')
  })
})

describe('a circuit breaker by rate', () => {
  function breaker() {
    let now = 0
    const made = new CircuitBreaker({
      failureThreshold: 1,
      failureRate: OF_CALLS,
      openMs: 1000,
      name: 'The sink',
      now: () => now,
    })
    const call = (calls: string): void => {
      for (const one of calls) {
        const pass = made.enter()
        if (one === 'x') pass.failed()
        else pass.succeeded()
      }
    }
    const pass = (ms: number): void => {
      now += ms
    }
    return { made, call, pass }
  }

  test('opens when the share is reached, whatever failures there were in a row', () => {
    const { made, call } = breaker()
    call('..x')
    expect(made.progress.state).toBe('closed')
    call('x')
    expect(made.progress).toMatchObject({ state: 'open', openings: 1 })
  })

  test('does not open with a success', () => {
    const { made, call } = breaker()
    call('xxx.')
    expect(made.progress.state).toBe('closed')
    call('x')
    expect(made.progress.state).toBe('open')
  })

  test('starts to count again when the probe has succeeded', () => {
    const { made, call, pass } = breaker()
    call('..xx')
    pass(1000)
    call('.xxx')
    expect(made.progress.state).toBe('closed')
    call('x')
    expect(made.progress.state).toBe('open')
  })

  test('opens again when the probe fails', () => {
    const { made, call, pass } = breaker()
    call('..xx')
    pass(1000)
    call('x')
    expect(made.progress).toMatchObject({ state: 'open', openings: 2 })
  })
})
