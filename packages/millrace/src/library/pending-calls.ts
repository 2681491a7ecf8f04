/** Calls that were accepted and wait for the connection: what is asked for behind them, a flush for instance, has to wait for them. */
export class PendingCalls {
  #count = 0
  readonly #waiting: (() => void)[] = []

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

  /** Resolves when no call waits any more. */
  async none(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
