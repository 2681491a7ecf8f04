/**
 * What a fetched partition waits for, and what each event means in each of these states. Whether it is paused is another
 * matter: a paused partition is neither asked for nor served, whatever it waits for.
 *
 * | state | means |
 * |---|---|
 * | idle | it may be asked for |
 * | validating | its leader is asked whether the position is still in the log |
 * | asked | a request that names it is under way |
 * | stale | its last request failed: it is asked for again when metadata has been refreshed |
 * | lost | its position is not in the log: it gets a new one when everything fetched before has been taken |
 * | moving | the new position is being found |
 * | removed | nothing that still arrives for it counts |
 */

export const FETCH_STATES = ['idle', 'validating', 'asked', 'stale', 'lost', 'moving', 'removed'] as const
export type FetchState = (typeof FETCH_STATES)[number]

/**
 * `validate`: its leader has changed; `validated`: the position is still in the log; `ask`: a request that names it is sent; `answered`: the answer has arrived; `failed`: the request, or the answer for this
 * partition, says to try again later; `refreshed`: metadata is new; `positionLost`: the position is not in this log;
 * `drained`: everything that was fetched has been taken; `moved`: the new position is known; `remove`: it is given up.
 */
export const FETCH_EVENTS = [
  'validate',
  'validated',
  'ask',
  'answered',
  'failed',
  'refreshed',
  'positionLost',
  'drained',
  'moved',
  'remove',
] as const
export type FetchEvent = (typeof FETCH_EVENTS)[number]

/** What cannot happen in a state. */
const REFUSED = 'refused'

export const FETCH_TRANSITIONS: Readonly<
  Record<FetchState, Readonly<Record<FetchEvent, FetchState | typeof REFUSED>>>
> = {
  idle: {
    validate: 'validating',
    validated: REFUSED,
    ask: 'asked',
    answered: REFUSED,
    failed: 'stale',
    refreshed: 'idle',
    positionLost: 'lost',
    drained: 'idle',
    moved: REFUSED,
    remove: 'removed',
  },
  validating: {
    validate: REFUSED,
    validated: 'idle',
    ask: REFUSED,
    answered: REFUSED,
    failed: 'stale',
    refreshed: 'validating',
    positionLost: 'lost',
    drained: 'validating',
    moved: REFUSED,
    remove: 'removed',
  },
  asked: {
    validate: REFUSED,
    validated: REFUSED,
    ask: REFUSED,
    answered: 'idle',
    failed: 'stale',
    refreshed: 'asked',
    positionLost: REFUSED,
    drained: 'asked',
    moved: REFUSED,
    remove: 'removed',
  },
  stale: {
    validate: REFUSED,
    validated: REFUSED,
    ask: REFUSED,
    answered: REFUSED,
    failed: 'stale',
    refreshed: 'idle',
    positionLost: REFUSED,
    drained: 'stale',
    moved: REFUSED,
    remove: 'removed',
  },
  lost: {
    validate: REFUSED,
    validated: REFUSED,
    ask: REFUSED,
    answered: REFUSED,
    failed: REFUSED,
    refreshed: 'lost',
    positionLost: REFUSED,
    drained: 'moving',
    moved: REFUSED,
    remove: 'removed',
  },
  moving: {
    validate: REFUSED,
    validated: REFUSED,
    ask: REFUSED,
    answered: REFUSED,
    failed: REFUSED,
    refreshed: 'moving',
    positionLost: REFUSED,
    drained: REFUSED,
    moved: 'idle',
    remove: 'removed',
  },
  removed: {
    validate: REFUSED,
    validated: 'removed',
    ask: REFUSED,
    answered: 'removed',
    failed: 'removed',
    refreshed: REFUSED,
    positionLost: REFUSED,
    drained: REFUSED,
    moved: 'removed',
    remove: REFUSED,
  },
}
