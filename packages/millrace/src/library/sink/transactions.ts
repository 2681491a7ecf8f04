/**
 * The transactions of a `KafkaSink`, and which call belongs to which: a call is part of the one in which it was made, also when its values
 * are still being serialized while that ends. It must not become part of the next one.
 */
import { TransactionError } from '../../errors/index.ts'
import type { Producer } from '../../kafka/producer/producer.ts'
import { untilAborted } from '../../resilience/abort.ts'
import { sleep } from '../../resilience/retry.ts'
import type { PendingCalls } from '../pending-calls.ts'

/** How long closing waits for a commit or an abort that is under way. */
const CLOSE_COMMIT_MS = 10_000
/** How long closing tries to abort an open transaction. */
const CLOSE_ABORT_MS = 5000

/** A call that writes. */
export interface TransactionalCall {
  /** How many transactions had ended when it was made. */
  readonly ended: number
  /** Whether its records are the producer's, which knows then what they mean for the transaction. */
  isHandedOver: boolean
}

export class SinkTransactions {
  readonly #pending: PendingCalls
  readonly #report: (state: 'begun' | 'committed' | 'aborted') => void
  #ended = 0
  #isOpen = false
  /** A commit or an abort that has not settled yet. */
  #ending: Promise<unknown> | undefined

  /** @param pending calls that are not the producer's yet */
  constructor(pending: PendingCalls, report: (state: 'begun' | 'committed' | 'aborted') => void) {
    this.#pending = pending
    this.#report = report
  }

  /** Notes that a call is made. */
  call(): TransactionalCall {
    return { ended: this.#ended, isHandedOver: false }
  }

  /** @throws {TransactionError} when the records of a call cannot become part of the transaction in which it was made */
  admit(call: TransactionalCall, producer: Producer): void {
    if (!producer.hasTransaction)
      throw new TransactionError('Cannot write as no transaction is open: call beginTransaction first', {
        fatal: false,
      })
    // Of one that has failed, the producer knows more to say.
    if (producer.isTransactionOpen && !this.#isOf(call))
      throw new TransactionError(
        'Cannot write as the transaction is being committed or aborted, or was before the values were serialized: await each write before you end its transaction',
        { fatal: false },
      )
    call.isHandedOver = true
  }

  /** Of a call that failed before its records were the producer's nothing is written, so the transaction must not be committed without them. */
  failed(call: TransactionalCall, producer: Producer | undefined, error: unknown): void {
    if (!call.isHandedOver && this.#isOf(call)) producer?.doomTransaction(error)
  }

  begin(producer: Producer): void {
    producer.beginTransaction()
    this.#isOpen = true
    this.#report('begun')
  }

  commit(opened: Promise<Producer>, signal: AbortSignal | undefined): Promise<void> {
    return this.#noting(this.#commit(opened, signal))
  }

  abort(opened: Promise<Producer>, signal: AbortSignal | undefined): Promise<void> {
    return this.#noting(this.#abort(opened, signal))
  }

  /**
   * Waits for what ends a transaction, and aborts one that is open all the same: the coordinator would do it too, but only after the
   * transaction timeout, and readers wait for it.
   * @returns `committed` when that is how it had ended, although no response said so
   */
  async close(producer: Producer): Promise<'aborted' | 'committed' | undefined> {
    await this.#settled()
    if (!producer.hasTransaction) return undefined
    return producer.abortTransaction(AbortSignal.timeout(CLOSE_ABORT_MS)).catch(() => undefined)
  }

  async #commit(opened: Promise<Producer>, signal: AbortSignal | undefined): Promise<void> {
    const producer = await opened
    try {
      await untilAborted(this.#pending.none(), 'Committing a transaction', signal)
    } catch (error) {
      producer.doomTransaction(error)
      throw error
    }
    this.#ends()
    await producer.commitTransaction(() => undefined, signal)
    this.#report('committed')
  }

  async #abort(opened: Promise<Producer>, signal: AbortSignal | undefined): Promise<void> {
    const producer = await opened
    this.#ends()
    if ((await producer.abortTransaction(signal)) === 'committed')
      throw new TransactionError(
        'Cannot abort the transaction as it is committed: the response to commitTransaction was lost, so do not write its records again',
        { fatal: false, code: 'TRANSACTION_COMMITTED' },
      )
    this.#report('aborted')
  }

  /** From here on nothing becomes part of it. */
  #ends(): void {
    this.#isOpen = false
    this.#ended++
  }

  #isOf({ ended }: TransactionalCall): boolean {
    return this.#isOpen && ended === this.#ended
  }

  #noting(work: Promise<void>): Promise<void> {
    const over = (): void => {
      if (this.#ending === work) this.#ending = undefined
    }
    this.#ending = work
    work.then(over, over)
    return work
  }

  /** Resolves when no commit or abort is under way, or when the time is over. */
  async #settled(): Promise<void> {
    if (this.#ending === undefined) return
    const done = new AbortController()
    await Promise.race([this.#ending.catch(() => {}), sleep(CLOSE_COMMIT_MS, done.signal).catch(() => {})])
    done.abort()
  }
}
