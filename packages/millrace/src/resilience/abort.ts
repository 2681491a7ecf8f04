/**
 * Giving up waiting when a signal fires. May import `errors/` only.
 */
import { AbortedError } from '../errors/index.ts'

/** Longest time that timers take: 24 days. */
export const LONGEST_MS = 0x7fffffff

/** Fires after a time. One that is longer than timers take, such as `Infinity`, counts as the longest, and one that is over as none. */
export function afterTime(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.min(Math.max(0, Math.ceil(ms)), LONGEST_MS))
}

/**
 * @param what is being done, for the message
 * @throws {AbortedError} when the signal has fired
 */
export function throwIfAborted(what: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError(what, { cause: signal.reason })
}

/**
 * Waits for work that cannot be stopped itself; it goes on when the waiting is given up.
 * @throws {AbortedError} as soon as the signal fires
 */
export function untilAborted<T>(work: Promise<T>, what: string, signal: AbortSignal | undefined): Promise<T> {
  return signal === undefined ? work : whileListening(work, what, signal)
}

async function whileListening<T>(work: Promise<T>, what: string, signal: AbortSignal): Promise<T> {
  throwIfAborted(what, signal)
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(new AbortedError(what, { cause: signal.reason }))
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
