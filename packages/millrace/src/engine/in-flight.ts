/**
 * Batches that were given to the sink and are not acknowledged yet, bounded in bytes, and in number where a file says so: the
 * back-pressure of a pipeline.
 */

export class InFlight {
  readonly #maxBytes: number
  readonly #maxBatches: number
  #bytes = 0
  readonly #deliveries = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined
  #waiting: (() => void)[] = []

  /** @param maxBytes more than this only for a single batch that is larger by itself */
  constructor(maxBytes: number, maxBatches = Infinity) {
    this.#maxBytes = maxBytes
    this.#maxBatches = maxBatches
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether a delivery has failed. */
  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Follows a delivery; the bytes are free again when it has settled. */
  add(bytes: number, delivery: Promise<void>): void {
    this.#bytes += bytes
    const settled = delivery
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => {
        this.#bytes -= bytes
        this.#deliveries.delete(settled)
        this.#wake()
      })
    this.#deliveries.add(settled)
  }

  /** Resolves when another batch may be given to the sink. @throws the first failure of a delivery */
  async room(): Promise<void> {
    while (this.#failure === undefined && this.#isFull) await this.#next()
    this.#throwFailure()
  }

  /** Resolves when every delivery has settled. @throws the first failure */
  async settled(): Promise<void> {
    while (this.#deliveries.size > 0) await this.#next()
    this.#throwFailure()
  }

  /** Resolves when the deliveries that have been added so far have settled. @throws the first failure */
  async settledSoFar(): Promise<void> {
    await Promise.all(this.#deliveries)
    this.#throwFailure()
  }

  get #isFull(): boolean {
    return this.#bytes > this.#maxBytes || this.#deliveries.size >= this.#maxBatches
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** Bytes of fetched batches that may be on their way to the sink. */
export const IN_FLIGHT_BYTES = 16 * 1024 * 1024
