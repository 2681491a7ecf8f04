/**
 * The states of a transactional producer, and what each event means in each of them.
 *
 * | state | means |
 * |---|---|
 * | new | no producer id yet |
 * | ready | no transaction |
 * | open | records and offsets may be added |
 * | doomed | something of it failed: it can only be aborted |
 * | committing, aborting | the coordinator is asked to end it |
 * | unknown | the coordinator did not say how it ended; `abort` finds out |
 * | fatal | fenced, or refused for good: this producer never writes again (I5) |
 */

export const TRANSACTION_STATES = [
  'new',
  'ready',
  'open',
  'doomed',
  'committing',
  'aborting',
  'unknown',
  'fatal',
] as const
export type TransactionState = (typeof TRANSACTION_STATES)[number]

/**
 * `initialized`: an id was given; `begin`, `commit`, `abort`: the caller asks for it; `ended`: the coordinator has ended the
 * transaction as it was asked to; `committed`: asked to abort it, the coordinator said that it had committed it before; `failed`: a
 * record or an offset of it was lost, or the commit was given up before the coordinator could hear of it; `lost`: it may have heard of it,
 * and no answer came; `fenced`: nothing will be accepted any more.
 */
export const TRANSACTION_EVENTS = [
  'initialized',
  'begin',
  'commit',
  'abort',
  'ended',
  'committed',
  'failed',
  'lost',
  'fenced',
] as const
export type TransactionEvent = (typeof TRANSACTION_EVENTS)[number]

/** What cannot happen or must not be asked for in a state. */
const REFUSED = 'refused'

export const TRANSITIONS: Readonly<
  Record<TransactionState, Readonly<Record<TransactionEvent, TransactionState | typeof REFUSED>>>
> = {
  new: {
    initialized: 'ready',
    begin: REFUSED,
    commit: REFUSED,
    abort: REFUSED,
    ended: REFUSED,
    committed: REFUSED,
    failed: 'new',
    lost: 'new',
    fenced: 'fatal',
  },
  ready: {
    initialized: REFUSED,
    begin: 'open',
    commit: REFUSED,
    abort: REFUSED,
    ended: REFUSED,
    committed: REFUSED,
    failed: 'ready',
    lost: REFUSED,
    fenced: 'fatal',
  },
  open: {
    initialized: REFUSED,
    begin: REFUSED,
    commit: 'committing',
    abort: 'aborting',
    ended: REFUSED,
    committed: REFUSED,
    failed: 'doomed',
    lost: REFUSED,
    fenced: 'fatal',
  },
  doomed: {
    initialized: REFUSED,
    begin: REFUSED,
    commit: REFUSED,
    abort: 'aborting',
    ended: REFUSED,
    committed: REFUSED,
    failed: 'doomed',
    lost: REFUSED,
    fenced: 'fatal',
  },
  committing: {
    initialized: REFUSED,
    begin: REFUSED,
    commit: REFUSED,
    abort: REFUSED,
    ended: 'ready',
    committed: REFUSED,
    failed: 'doomed',
    lost: 'unknown',
    fenced: 'fatal',
  },
  aborting: {
    initialized: REFUSED,
    begin: REFUSED,
    commit: REFUSED,
    abort: REFUSED,
    ended: 'ready',
    committed: 'ready',
    failed: 'aborting',
    lost: 'unknown',
    fenced: 'fatal',
  },
  unknown: {
    initialized: REFUSED,
    begin: REFUSED,
    commit: REFUSED,
    abort: 'aborting',
    ended: REFUSED,
    committed: REFUSED,
    failed: 'unknown',
    lost: REFUSED,
    fenced: 'fatal',
  },
  fatal: {
    initialized: REFUSED,
    begin: REFUSED,
    commit: REFUSED,
    abort: REFUSED,
    ended: 'fatal',
    committed: 'fatal',
    failed: 'fatal',
    lost: 'fatal',
    fenced: 'fatal',
  },
}

/** Why something cannot be done in a state, and what to do instead. */
export const STATE_HINTS: Readonly<Record<TransactionState, string>> = {
  new: 'the producer has no id yet: open it first',
  ready: 'no transaction is open: begin one first',
  open: 'a transaction is already open: commit or abort it first',
  doomed: 'a part of this transaction failed: abort it',
  committing: 'the transaction is being committed: wait for it',
  aborting: 'the transaction is being aborted: wait for it',
  unknown: 'it is unknown how the last transaction ended: abort it to find out',
  fatal: 'this producer can no longer write: create a new one',
}
