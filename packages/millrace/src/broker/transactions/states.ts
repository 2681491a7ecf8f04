/**
 * The states of a transactional id, and what its producer may do in each. Markers are written within the request that ends a
 * transaction, so nothing is ever seen between preparing and completing.
 *
 * ```
 *                 partitions or offsets are added                 EndTxn (commit)
 *  Empty ───────────────────────────────────────────► Ongoing ───────────────────► CompleteCommit
 *                 ▲                                      │ EndTxn (abort), timeout, a new producer
 *                 └── also from both complete states     └───────────────────────► CompleteAbort
 * ```
 *
 * TV1 is the protocol before KIP-890; in TV2 the epoch grows with every transaction that ends, so that what comes late from the
 * one before is fenced.
 *
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-890
 */
export const TRANSACTION_STATES = ['Empty', 'Ongoing', 'CompleteCommit', 'CompleteAbort'] as const
export type TransactionState = (typeof TRANSACTION_STATES)[number]

/**
 * What ending a transaction leads to:
 * - `end`: markers are written
 * - `done`: nothing to do, it has been ended in this way already
 * - `bump`: nothing was written, but the epoch grows
 * - `invalid`: INVALID_TXN_STATE
 */
export type Ending = 'end' | 'done' | 'bump' | 'invalid'

export interface Endings {
  readonly commit: Ending
  readonly abort: Ending
}

/** In TV1. */
export const ENDINGS_TV1: { readonly [state in TransactionState]: Endings } = {
  Empty: { commit: 'invalid', abort: 'invalid' },
  Ongoing: { commit: 'end', abort: 'end' },
  CompleteCommit: { commit: 'done', abort: 'invalid' },
  CompleteAbort: { commit: 'invalid', abort: 'done' },
}

/** In TV2, with the current epoch. A producer may abort what it never began. */
export const ENDINGS_TV2: { readonly [state in TransactionState]: Endings } = {
  Empty: { commit: 'invalid', abort: 'bump' },
  Ongoing: { commit: 'end', abort: 'end' },
  CompleteCommit: { commit: 'invalid', abort: 'bump' },
  CompleteAbort: { commit: 'invalid', abort: 'bump' },
}

/** In TV2, with the epoch before: the answer was lost, and the producer asks again. */
export const ENDINGS_TV2_REPEATED: { readonly [state in TransactionState]: Endings } = {
  Empty: { commit: 'invalid', abort: 'invalid' },
  Ongoing: { commit: 'invalid', abort: 'invalid' },
  CompleteCommit: { commit: 'done', abort: 'invalid' },
  CompleteAbort: { commit: 'invalid', abort: 'done' },
}
