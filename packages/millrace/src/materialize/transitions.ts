/**
 * The session as a table: what each request means in each state.
 *
 * | state | since | expects |
 * |---|---|---|
 * | `unopened` | the start | `spec`, `validate`, `apply`, any number of them, or `open` |
 * | `recovering` | `opened` | `acknowledge`, about a commit of an earlier session |
 * | `loading` | `acknowledged` | `load`, which is ignored as nothing is ever loaded, then `flush` |
 * | `storing` | `flushed` | `store`, then `startCommit` |
 * | `committed` | `startedCommit` | `acknowledge`; the next transaction begins with it |
 *
 * A runtime may skip `acknowledge` after `open`, and repeat it while nothing is stored; both are harmless. Requests of a newer
 * runtime are ignored once the session is open. Everything else is refused: it would mean that the two sides do not agree on what is
 * committed. The end of input ends the session in any state.
 */
import type { RequestKind } from './messages.ts'

export const STATES = ['unopened', 'recovering', 'loading', 'storing', 'committed'] as const
export type State = (typeof STATES)[number]

export type SessionEvent = RequestKind | 'unknown'

/** The state after a request was answered (or taken, for `store`); or what happens instead. */
export type Transition = State | 'ignore' | 'refuse'

export const TRANSITIONS: Readonly<Record<State, Readonly<Record<SessionEvent, Transition>>>> = {
  unopened: {
    spec: 'unopened',
    validate: 'unopened',
    apply: 'unopened',
    open: 'recovering',
    load: 'refuse',
    flush: 'refuse',
    store: 'refuse',
    startCommit: 'refuse',
    acknowledge: 'refuse',
    unknown: 'refuse',
  },
  recovering: {
    spec: 'refuse',
    validate: 'refuse',
    apply: 'refuse',
    open: 'refuse',
    load: 'ignore',
    flush: 'storing',
    store: 'refuse',
    startCommit: 'refuse',
    acknowledge: 'loading',
    unknown: 'ignore',
  },
  loading: {
    spec: 'refuse',
    validate: 'refuse',
    apply: 'refuse',
    open: 'refuse',
    load: 'ignore',
    flush: 'storing',
    store: 'refuse',
    startCommit: 'refuse',
    acknowledge: 'loading',
    unknown: 'ignore',
  },
  storing: {
    spec: 'refuse',
    validate: 'refuse',
    apply: 'refuse',
    open: 'refuse',
    load: 'refuse',
    flush: 'refuse',
    store: 'storing',
    startCommit: 'committed',
    acknowledge: 'refuse',
    unknown: 'ignore',
  },
  committed: {
    spec: 'refuse',
    validate: 'refuse',
    apply: 'refuse',
    open: 'refuse',
    load: 'refuse',
    flush: 'refuse',
    store: 'refuse',
    startCommit: 'refuse',
    acknowledge: 'loading',
    unknown: 'ignore',
  },
}

/** The requests that have an answer in a state, for messages. */
export function expectedIn(state: State): string[] {
  return Object.entries(TRANSITIONS[state])
    .filter(([, transition]) => transition !== 'ignore' && transition !== 'refuse')
    .map(([event]) => event)
}
