import { guarded, inBackground } from '../resilience/background.ts'

/** Timers that end with the broker, and do not keep the process alive. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>()
  readonly #onFailure: (error: unknown) => void

  /** @param onFailure given whatever a callback throws, for example because a disk is full */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure
  }

  /** Calls back once after some milliseconds. @returns cancels it */
  after(milliseconds: number, callback: () => void): () => void {
    const run = guarded(callback, this.#onFailure)
    const timer = setTimeout(() => {
      this.#running.delete(timer)
      run()
    }, milliseconds)
    timer.unref()
    this.#running.add(timer)
    return () => {
      clearTimeout(timer)
      this.#running.delete(timer)
    }
  }

  /** Owns work that nothing waits for. */
  guard(work: Promise<unknown>): void {
    inBackground(work, this.#onFailure)
  }

  clear(): void {
    for (const timer of this.#running) clearTimeout(timer)
    this.#running.clear()
  }
}
