/**
 * Work that nothing waits for: timers, answer handlers, promises. Each needs an owner, as an exception without one ends the process.
 * May import nothing.
 */

/** Lets work go on by itself. @param onFailure its owner, which is given whatever it throws */
export function inBackground(work: Promise<unknown>, onFailure: (error: unknown) => void): void {
  work.catch(onFailure)
}

/** A handler for a timer. @param onFailure its owner, which is given whatever it throws */
export function guarded(handle: () => void, onFailure: (error: unknown) => void): () => void {
  return () => {
    try {
      handle()
    } catch (error) {
      onFailure(error)
    }
  }
}
