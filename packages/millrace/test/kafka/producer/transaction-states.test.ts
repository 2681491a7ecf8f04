import { describe, expect, test } from 'vitest'
import {
  STATE_HINTS,
  TRANSACTION_EVENTS,
  TRANSACTION_STATES,
  type TransactionEvent,
  type TransactionState,
  TRANSITIONS,
} from '../../../src/kafka/producer/transaction-states.ts'

/** What is allowed; everything that is not named here is refused. */
const ALLOWED: Readonly<Record<TransactionState, Partial<Record<TransactionEvent, TransactionState>>>> = {
  new: { initialized: 'ready', failed: 'new', lost: 'new', fenced: 'fatal' },
  ready: { begin: 'open', failed: 'ready', fenced: 'fatal' },
  open: { commit: 'committing', abort: 'aborting', failed: 'doomed', fenced: 'fatal' },
  doomed: { abort: 'aborting', failed: 'doomed', fenced: 'fatal' },
  committing: { ended: 'ready', failed: 'doomed', lost: 'unknown', fenced: 'fatal' },
  aborting: { ended: 'ready', committed: 'ready', failed: 'aborting', lost: 'unknown', fenced: 'fatal' },
  unknown: { abort: 'aborting', failed: 'unknown', fenced: 'fatal' },
  fatal: { ended: 'fatal', committed: 'fatal', failed: 'fatal', lost: 'fatal', fenced: 'fatal' },
}

const cells = TRANSACTION_STATES.flatMap((state) =>
  TRANSACTION_EVENTS.map((event) => ({ state, event, next: ALLOWED[state][event] ?? 'refused' })),
)

describe('states of a transaction', () => {
  test.each(cells)('$state, $event: $next', ({ state, event, next }) => {
    expect(TRANSITIONS[state][event]).toBe(next)
  })

  test('nothing leads out of fatal: a fenced producer never writes again (I5)', () => {
    for (const event of TRANSACTION_EVENTS) expect(['fatal', 'refused']).toContain(TRANSITIONS.fatal[event])
  })

  test('being fenced ends every state', () => {
    for (const state of TRANSACTION_STATES) expect(TRANSITIONS[state].fenced).toBe('fatal')
  })

  test('a transaction that lost something never commits', () => {
    const reached = new Set<TransactionState>(['doomed'])
    for (const state of reached) {
      for (const event of TRANSACTION_EVENTS) {
        const next = TRANSITIONS[state][event]
        // A new transaction begins only after the old one was aborted.
        if (next !== 'refused' && next !== 'ready') reached.add(next)
      }
    }
    expect([...reached]).not.toContain('committing')
    expect([...reached]).not.toContain('open')
  })

  // An abort asked for a commit again when it was not known whether that had happened.
  test('what is being aborted is never asked to be committed again', () => {
    const reached = new Set<TransactionState>(['unknown'])
    for (const state of reached) {
      for (const event of TRANSACTION_EVENTS) {
        const next = TRANSITIONS[state][event]
        if (next !== 'refused' && next !== 'ready') reached.add(next)
      }
    }
    expect([...reached].toSorted()).toEqual(['aborting', 'fatal', 'unknown'])
  })

  test('every state says what to do', () => {
    expect(Object.keys(STATE_HINTS)).toEqual([...TRANSACTION_STATES])
  })
})
