import { describe, expect, test } from 'vitest'
import { CircuitOpenError } from '../../src/errors/index.ts'
import { CircuitBreaker, type CircuitState, type Pass } from '../../src/resilience/circuit-breaker.ts'

const OPEN_MS = 1000

/** A breaker of threshold 3 with a clock of its own, brought into a state. */
function breakerIn(state: CircuitState) {
  let now = 0
  const changes: CircuitState[] = []
  const breaker = new CircuitBreaker({
    failureThreshold: 3,
    openMs: OPEN_MS,
    name: 'The sink',
    now: () => now,
    onChange: (next) => changes.push(next),
  })
  const early = breaker.enter()
  const pass = (ms: number): void => {
    now += ms
  }
  let probe: Pass | undefined
  if (state !== 'closed') for (let i = 0; i < 3; i++) breaker.enter().failed()
  if (state === 'half-open') {
    pass(OPEN_MS)
    probe = breaker.enter()
  }
  changes.length = 0
  return { breaker, changes, pass, early, probe }
}

type Bed = ReturnType<typeof breakerIn>

/** What can happen, and how it is brought about. */
const EVENTS = {
  'a call': ({ breaker }: Bed) => void breaker.enter(),
  'a success': ({ breaker, probe }: Bed) => (probe ?? breaker.enter()).succeeded(),
  'a failure': ({ breaker, probe }: Bed) => (probe ?? breaker.enter()).failed(),
  'a stopped call': ({ breaker, probe }: Bed) => (probe ?? breaker.enter()).cancelled(),
  'three failures in a row': ({ breaker, probe }: Bed) => {
    for (let i = 0; i < 3; i++) (probe ?? breaker.enter()).failed()
  },
  'two failures, a success, two failures': ({ breaker, probe }: Bed) => {
    for (const failed of [true, true, false, true, true]) {
      const call = probe ?? breaker.enter()
      if (failed) call.failed()
      else call.succeeded()
    }
  },
  'half the time': ({ breaker, pass }: Bed) => {
    pass(OPEN_MS / 2)
    breaker.enter()
  },
  'the whole time': ({ breaker, pass }: Bed) => {
    pass(OPEN_MS)
    breaker.enter()
  },
  'a late failure of a call from before': ({ early }: Bed) => early.failed(),
  'a late success of a call from before': ({ early }: Bed) => early.succeeded(),
} as const

const REFUSED = 'refused'

/** The state afterwards, or that the call was refused. */
const TABLE: Record<CircuitState, Record<keyof typeof EVENTS, CircuitState | typeof REFUSED>> = {
  closed: {
    'a call': 'closed',
    'a success': 'closed',
    'a failure': 'closed',
    'a stopped call': 'closed',
    'three failures in a row': 'open',
    'two failures, a success, two failures': 'closed',
    'half the time': 'closed',
    'the whole time': 'closed',
    'a late failure of a call from before': 'closed',
    'a late success of a call from before': 'closed',
  },
  open: {
    'a call': REFUSED,
    'a success': REFUSED,
    'a failure': REFUSED,
    'a stopped call': REFUSED,
    'three failures in a row': REFUSED,
    'two failures, a success, two failures': REFUSED,
    'half the time': REFUSED,
    'the whole time': 'half-open',
    'a late failure of a call from before': 'open',
    'a late success of a call from before': 'open',
  },
  'half-open': {
    'a call': REFUSED,
    'a success': 'closed',
    'a failure': 'open',
    'a stopped call': 'open',
    'three failures in a row': 'open',
    'two failures, a success, two failures': 'open',
    'half the time': REFUSED,
    'the whole time': REFUSED,
    'a late failure of a call from before': 'half-open',
    'a late success of a call from before': 'half-open',
  },
}

const CELLS = Object.entries(TABLE).flatMap(([state, row]) =>
  Object.entries(row).map(
    ([event, wanted]) =>
      ({ state, event, wanted }) as {
        state: CircuitState
        event: keyof typeof EVENTS
        wanted: CircuitState | typeof REFUSED
      },
  ),
)

describe('a circuit breaker', () => {
  test.each(CELLS)('that is $state and sees $event: $wanted', ({ state, event, wanted }) => {
    const bed = breakerIn(state)
    const before = bed.breaker.progress
    if (wanted === REFUSED) {
      expect(() => EVENTS[event](bed)).toThrow(CircuitOpenError)
      expect(bed.breaker.progress).toEqual({ ...before, rejections: before.rejections + 1 })
      return
    }
    EVENTS[event](bed)
    expect(bed.breaker.progress).toEqual({
      state: wanted,
      openings:
        before.openings +
        bed.changes.filter((change) => change === 'open').length -
        (event === 'a stopped call' && state === 'half-open' ? 1 : 0),
      rejections: before.rejections,
    })
    expect(bed.changes.at(-1) ?? state).toBe(wanted)
  })

  test('says when to come back', () => {
    const { breaker, pass } = breakerIn('open')
    pass(300)
    expect(() => breaker.enter()).toThrow(
      expect.objectContaining({ code: 'CIRCUIT_OPEN', retryAfterMs: 700, retriable: true }),
    )
  })

  test('lets the next call probe when a probe was stopped', () => {
    const { breaker, probe } = breakerIn('half-open')
    probe!.cancelled()
    breaker.enter().succeeded()
    expect(breaker.progress.state).toBe('closed')
  })

  test('releases waiting callers one by one until a probe has succeeded, then all of them', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 1, openMs: 20, name: 'The sink' })
    breaker.enter().failed()
    const never = new AbortController().signal
    const order: string[] = []
    const call = async (name: string): Promise<void> => {
      const pass = await breaker.entered(never)
      const isFirst = order.push(name) === 1
      await new Promise((resolve) => setTimeout(resolve, 5))
      if (isFirst) pass.failed()
      else pass.succeeded()
    }
    await Promise.all([call('a'), call('b'), call('c')])
    expect(order).toHaveLength(3)
    // The failed probe opened it again.
    expect(breaker.progress).toEqual({ state: 'closed', openings: 2, rejections: 3 })
  })

  test('admits callers in the order of their requests, no matter when they arrive (I2)', async () => {
    let now = 0
    const breaker = new CircuitBreaker({ failureThreshold: 1, openMs: 20, name: 'The sink', now: () => now })
    breaker.enter().failed()
    const never = new AbortController().signal
    const order: string[] = []
    const call = (name: string): Promise<Pass> =>
      breaker.entered(never).then((pass) => {
        order.push(name)
        return pass
      })
    const early = [call('a'), call('b'), call('c')]
    now = 20 // before any timer has noticed
    const late = call('late')
    ;(await early[0]!).succeeded()
    const later = call('later')
    await Promise.all([...early, late, later])
    expect(order).toEqual(['a', 'b', 'c', 'late', 'later'])
    // Nobody waits any more.
    const { rejections } = breaker.progress
    await breaker.entered(never)
    expect(breaker.progress.rejections).toBe(rejections)
  })

  test('a caller that stops waiting lets no caller overtake earlier ones', async () => {
    let now = 0
    const breaker = new CircuitBreaker({ failureThreshold: 1, openMs: 20, name: 'The sink', now: () => now })
    breaker.enter().failed()
    const [never, stop] = [new AbortController(), new AbortController()]
    const order: string[] = []
    const call = (name: string, { signal }: AbortController): Promise<void> =>
      breaker.entered(signal).then((pass) => {
        order.push(name)
        pass.succeeded()
      })
    const first = call('first', never)
    const given = call('gives up', stop)
    stop.abort()
    await expect(given).rejects.toBeInstanceOf(CircuitOpenError)
    now = 20
    await Promise.all([call('last', never), first])
    expect(order).toEqual(['first', 'last'])
  })

  test('stops waiting on request', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 1, openMs: 60_000, name: 'The sink' })
    breaker.enter().failed()
    const stop = new AbortController()
    const waiting = breaker.entered(stop.signal)
    stop.abort()
    await expect(waiting).rejects.toBeInstanceOf(CircuitOpenError)
  })
})
