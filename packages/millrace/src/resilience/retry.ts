/**
 * Waiting and trying again. May import `errors/` only.
 */
import { AbortedError, isMillraceError } from '../errors/index.ts'

export interface BackoffOptions {
  /** First wait in milliseconds. */
  readonly initialMs: number
  /** Longest wait in milliseconds. */
  readonly maxMs: number
  /** Factor from one wait to the next; 2 by default. */
  readonly multiplier?: number
  /** Share of a wait that is random, 0 to 1; 0.2 by default, as in Kafka's clients. */
  readonly jitter?: number
}

/** Length of the wait before attempt `attempt + 1`, where the first attempt is 1. */
export function backoffMs(attempt: number, options: BackoffOptions, random: () => number = Math.random): number {
  const base = Math.min(options.maxMs, options.initialMs * (options.multiplier ?? 2) ** Math.min(attempt - 1, 30))
  const jitter = options.jitter ?? 0.2
  return base * (1 - jitter + 2 * jitter * random())
}

/** Waits. @throws {AbortedError} as soon as the signal fires */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new AbortedError('Waiting', { cause: signal.reason }))
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(new AbortedError('Waiting', { cause: signal?.reason }))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

export interface RetryOptions {
  /** Milliseconds after which the last error is thrown. */
  readonly timeoutMs: number
  readonly backoff: BackoffOptions
  readonly signal?: AbortSignal | undefined
  /** Whether an error is worth another attempt; by default when it says so itself (`retriable`). */
  readonly isRetriable?: (error: unknown) => boolean
  /** Called before each wait. */
  readonly onRetry?: (error: unknown, attempt: number) => void | Promise<void>
}

/**
 * Calls `attempt` until it succeeds, fails for good, or the time is over.
 *
 * @throws the last error, or {AbortedError} when the signal fires between attempts
 */
export async function retry<T>(attempt: (count: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const deadline = performance.now() + options.timeoutMs
  const isRetriable = options.isRetriable ?? ((error) => isMillraceError(error) && error.retriable)
  for (let count = 1; ; count++) {
    try {
      return await attempt(count)
    } catch (error) {
      if (!isRetriable(error)) throw error
      const wait = backoffMs(count, options.backoff)
      if (performance.now() + wait >= deadline) throw error
      await options.onRetry?.(error, count)
      await sleep(wait, options.signal)
    }
  }
}
