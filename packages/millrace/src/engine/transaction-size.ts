/**
 * How much is read for one transaction, in bytes and rows, so that it ends long before the coordinator aborts it.
 *
 * Work that holds up the event loop is committed between its slices, whenever the interval is over. Work that waits, for a service
 * or for a program, cannot be: everything that was begun has to end first. So it begins with a few rows, and with twice as many each
 * time that a transaction was short. May import nothing of ours.
 */

/** A transaction is committed early when so many bytes have been read for it. */
const TRANSACTION_BYTES = 64 * 1024 * 1024
/** Rows of the first transaction, while it is not known how long one takes. */
const FIRST_ROWS = 16
const MAX_ROWS = 1 << 20
/** The share of the timeout that a transaction may take: the next one may take longer. */
const SHARE = 0.25
/** A rebalance waits for the transaction, too. */
const LONGEST_MS = 5000

export class TransactionSize {
  readonly timeoutMs: number
  readonly #now: () => number
  #maxRows: number
  #bytes = 0
  #rows = 0
  /** When the first rows were taken; undefined while there are none. */
  #began: number | undefined
  /** The same of the transaction that is being committed. */
  #committing: { readonly began: number | undefined; readonly rows: number } | undefined

  /**
   * @param timeoutMs after which the coordinator aborts a transaction; `Infinity` when it is not known
   * @param waits whether what is begun waits for something
   */
  constructor(timeoutMs: number, waits: boolean, now: () => number = () => performance.now()) {
    this.timeoutMs = timeoutMs
    this.#maxRows = waits ? FIRST_ROWS : Infinity
    this.#now = now
  }

  /** How many rows may be taken next: of the next transaction when this one is full. */
  get rowsLeft(): number {
    return this.isFull ? this.#maxRows : this.#maxRows - this.#rows
  }

  /** Whether nothing more may be taken before a commit has begun. */
  get isFull(): boolean {
    return this.#rows >= this.#maxRows
  }

  get isEmpty(): boolean {
    return this.#rows === 0
  }

  /** Whether it is time to commit although the interval is not over. */
  get isLarge(): boolean {
    return this.#bytes >= TRANSACTION_BYTES
  }

  took(rows: number, bytes: number): void {
    this.#began ??= this.#now()
    this.#rows += rows
    this.#bytes += bytes
  }

  /** The commit begins; what is taken from now on belongs to the next transaction. @returns to be called when it has succeeded */
  commit(): () => void {
    const { began, rows } = (this.#committing = { began: this.#began, rows: this.#rows })
    this.#clear()
    return () => {
      this.#committing = undefined
      if (began !== undefined) this.#adapt(rows, this.#now() - began)
    }
  }

  /** The transaction is aborted. @returns milliseconds that it was open, where that was longer than its timeout */
  abort(): number | undefined {
    const { began, rows } = this.#committing ?? { began: this.#began, rows: this.#rows }
    this.#committing = undefined
    this.#clear()
    if (began === undefined) return undefined
    const ms = this.#now() - began
    if (ms > this.#budgetMs) this.#adapt(rows, 4 * ms)
    return ms >= this.timeoutMs ? ms : undefined
  }

  get #budgetMs(): number {
    return Math.min(this.timeoutMs * SHARE, LONGEST_MS)
  }

  #adapt(rows: number, ms: number): void {
    if (this.#maxRows === Infinity) return
    if (ms > this.#budgetMs) this.#maxRows = Math.max(1, Math.floor((rows * this.#budgetMs) / ms))
    else if (rows >= this.#maxRows) this.#maxRows = Math.min(MAX_ROWS, this.#maxRows * 2)
  }

  #clear(): void {
    this.#bytes = this.#rows = 0
    this.#began = undefined
  }
}
