/** A waiting loop's alarm clock: `wake` ends the wait that is under way, or else the next one. */
export class Wakeup {
  #woken = false
  #end: (() => void) | undefined

  wake(): void {
    this.#woken = true
    this.#end?.()
  }

  /** Resolves when somebody calls `wake`, the signal fires, or the time is over; for one waiting loop only. */
  wait(signal: AbortSignal, timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#woken = false
        this.#end = undefined
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs)
      if (this.#woken || signal.aborted) return end()
      this.#end = end
      signal.addEventListener('abort', end, { once: true })
    })
  }
}
