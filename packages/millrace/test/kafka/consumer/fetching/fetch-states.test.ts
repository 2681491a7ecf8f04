import { describe, expect, test } from 'vitest'
import {
  FETCH_EVENTS,
  FETCH_STATES,
  FETCH_TRANSITIONS,
  type FetchEvent,
  type FetchState,
} from '../../../../src/kafka/consumer/fetching/fetch-states.ts'

/** What may happen; everything that is not named here is refused. */
const ALLOWED: Readonly<Record<FetchState, Partial<Record<FetchEvent, FetchState>>>> = {
  idle: {
    validate: 'validating',
    ask: 'asked',
    failed: 'stale',
    refreshed: 'idle',
    positionLost: 'lost',
    drained: 'idle',
    remove: 'removed',
  },
  validating: {
    validated: 'idle',
    failed: 'stale',
    refreshed: 'validating',
    positionLost: 'lost',
    drained: 'validating',
    remove: 'removed',
  },
  asked: { answered: 'idle', failed: 'stale', refreshed: 'asked', drained: 'asked', remove: 'removed' },
  stale: { failed: 'stale', refreshed: 'idle', drained: 'stale', remove: 'removed' },
  lost: { refreshed: 'lost', drained: 'moving', remove: 'removed' },
  moving: { refreshed: 'moving', moved: 'idle', remove: 'removed' },
  removed: { validated: 'removed', answered: 'removed', failed: 'removed', moved: 'removed' },
}

const cells = FETCH_STATES.flatMap((state) =>
  FETCH_EVENTS.map((event) => ({ state, event, next: ALLOWED[state][event] ?? 'refused' })),
)

/** States that can be reached without passing through those of `except`. */
function reachable(from: FetchState, except: readonly FetchState[] = []): Set<FetchState> {
  const reached = new Set<FetchState>([from])
  for (const state of reached) {
    for (const event of FETCH_EVENTS) {
      const next = FETCH_TRANSITIONS[state][event]
      if (next !== 'refused' && !except.includes(next)) reached.add(next)
    }
  }
  return reached
}

describe('states of a fetched partition', () => {
  test.each(cells)('$state, $event: $next', ({ state, event, next }) => {
    expect(FETCH_TRANSITIONS[state][event]).toBe(next)
  })

  test('every state can be reached from the first, and from every state but removed a partition can be asked for again', () => {
    expect(reachable('idle')).toEqual(new Set(FETCH_STATES))
    for (const state of FETCH_STATES) expect(reachable(state).has('asked'), state).toBe(state !== 'removed')
  })

  test('one request at a time names a partition', () => {
    const asking = FETCH_STATES.filter((state) => FETCH_TRANSITIONS[state].ask !== 'refused')
    expect(asking).toEqual(['idle'])
  })

  test('a partition that has lost its position is asked for only at the new one, when everything before was taken', () => {
    expect([...reachable('lost', ['moving'])].toSorted()).toEqual(['lost', 'removed'])
    expect([...reachable('moving', ['idle'])].toSorted()).toEqual(['moving', 'removed'])
  })

  test('nothing leads out of removed', () => {
    expect([...reachable('removed')]).toEqual(['removed'])
  })
})
