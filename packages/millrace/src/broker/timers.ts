/** Timers that end with the broker, and do not keep the process alive. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>()

  /** Calls back once after some milliseconds. @returns cancels it */
  after(milliseconds: number, callback: () => void): () => void {
    const timer = setTimeout(() => {
      this.#running.delete(timer)
      callback()
    }, milliseconds)
    timer.unref()
    this.#running.add(timer)
    return () => {
      clearTimeout(timer)
      this.#running.delete(timer)
    }
  }

  clear(): void {
    for (const timer of this.#running) clearTimeout(timer)
    this.#running.clear()
  }
}
