/** Calls that were accepted and wait for the connection, or for their serializers, before they are handed over to the producer. */
export class PendingCalls {
  #count = 0
  readonly #waiting: (() => void)[] = []
  /** Ends the waiting of the calls that have not been handed over. */
  readonly #giveUps = new Set<(error: unknown) => void>()
  /** Resolves when every call that waits for its turn has had it; undefined when none does. */
  #line: Promise<unknown> | undefined

  get count(): number {
    return this.#count
  }

  begin(): void {
    this.#count++
  }

  end(): void {
    if (--this.#count > 0) return
    for (const done of this.#waiting.splice(0)) done()
  }

  /** Resolves when no call waits any more. What is asked for behind them, a flush for instance, has to wait for them. */
  async none(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /**
   * Hands a call over when everything it needs is there and all calls before it have been handed over, or have failed. Calls that wait
   * for the same thing would otherwise continue in an order that depends on how each of them waits, with a signal or without.
   *
   * @param handOver what it returns may not be a promise, for which the next call would wait
   * @throws what `ready` throws, at once
   */
  inTurn<T, R extends object>(ready: Promise<T>, handOver: (ready: T) => R): Promise<R> {
    const before = this.#line
    const { promise: handedOver, resolve, reject } = Promise.withResolvers<R>()
    this.#giveUps.add(reject)
    const over = (): void => void this.#giveUps.delete(reject)
    handedOver.then(over, over)
    Promise.all([ready, before])
      .then(([what]) => handOver(what))
      .then(resolve, reject)
    const line = Promise.allSettled([before, handedOver]).then(() => {
      if (this.#line === line) this.#line = undefined
    })
    this.#line = line
    return handedOver
  }

  /** Calls that wait fail: what they wait for may never come. */
  giveUp(error: unknown): void {
    for (const reject of this.#giveUps) reject(error)
  }
}
