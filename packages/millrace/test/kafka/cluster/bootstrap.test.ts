import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConnectionError } from '../../../src/errors/index.ts'
import { untilReached } from '../../../src/kafka/cluster/bootstrap.ts'

const refused = new ConnectionError('BROKER_UNREACHABLE', 'connection refused')

describe('the first contact with a cluster', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const contact = (attempt: (failures: Map<string, Error>) => Promise<void>, waitMs: number) => {
    const warnings: string[] = []
    const stop = new AbortController()
    const outcome = untilReached(attempt, {
      timeoutMs: 60_000,
      backoff: { initialMs: waitMs, maxMs: waitMs, jitter: 0 },
      signal: stop.signal,
      warn: (message) => void warnings.push(message),
    }).catch((error: unknown) => error)
    return { warnings, outcome, stop: () => stop.abort() }
  }

  const cases = {
    'although the next attempt is far off': {
      attempt: (failures: Map<string, Error>) => {
        failures.set('a:1', refused)
        return Promise.reject(refused)
      },
      reason: 'connection refused',
    },
    'although the first attempt hangs': { attempt: () => new Promise<void>(() => {}), reason: 'no answer so far' },
  }
  test.each(Object.entries(cases))(
    'is reported after three seconds without an answer, once, %s',
    async (_, { attempt, reason }) => {
      const { warnings, stop } = contact(attempt, 20_000)
      await vi.advanceTimersByTimeAsync(2900)
      expect(warnings).toEqual([])
      await vi.advanceTimersByTimeAsync(200)
      expect(warnings).toEqual([`No broker could be reached yet; retrying for up to 60 s: ${reason}`])
      await vi.advanceTimersByTimeAsync(30_000)
      expect(warnings).toHaveLength(1)
      stop()
    },
  )

  test('is not reported when a broker answers in time', async () => {
    const { warnings, outcome } = contact(() => Promise.resolve(), 100)
    await expect(outcome).resolves.toBeUndefined()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(warnings).toEqual([])
  })
})
