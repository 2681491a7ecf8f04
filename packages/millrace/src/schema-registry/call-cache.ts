/**
 * Answers that are kept, and calls that are shared: callers that ask for the same at the same time send one request.
 */
import { untilAborted } from '../resilience/abort.ts'

/** How long an answer, or the failure to get one, is kept in milliseconds; 0 for not at all. */
export interface Keeping<V> {
  readonly answer: (value: V) => number
  readonly failure: (error: unknown) => number
}

type Kept<V> = { readonly until: number } & ({ readonly value: V } | { readonly error: unknown })

/** Above this number of entries, those that are out of date are removed before another is added. */
const SWEEP_AT = 1000

export class CallCache<K, V> {
  readonly #keeping: Keeping<V>
  readonly #now: () => number
  readonly #kept = new Map<K, Kept<V>>()
  readonly #calls = new Map<K, Promise<V>>()

  constructor(keeping: Keeping<V>, now: () => number) {
    this.#keeping = keeping
    this.#now = now
  }

  /** The answer if it is kept, without a promise. */
  peek(key: K): V | undefined {
    const kept = this.#kept.get(key)
    return kept !== undefined && 'value' in kept && kept.until > this.#now() ? kept.value : undefined
  }

  /**
   * The answer that is kept, the one that another caller waits for, or a new one.
   * @param call not stopped by the signal, as others may wait for it
   * @throws what `call` throws; {AbortedError} when the signal fires
   */
  async get(key: K, what: string, signal: AbortSignal | undefined, call: () => Promise<V>): Promise<V> {
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.until > this.#now()) {
      if ('error' in kept) throw kept.error
      return kept.value
    }
    let running = this.#calls.get(key)
    if (running === undefined) {
      running = this.#call(key, call).finally(() => this.#calls.delete(key))
      // Callers may all have given up by the time it fails.
      running.catch(() => {})
      this.#calls.set(key, running)
    }
    return untilAborted(running, what, signal)
  }

  /** Forgets everything that is kept for a key. */
  forget(key: K): void {
    this.#kept.delete(key)
  }

  async #call(key: K, call: () => Promise<V>): Promise<V> {
    try {
      const value = await call()
      this.#keep(key, this.#keeping.answer(value), { value })
      return value
    } catch (error) {
      this.#keep(key, this.#keeping.failure(error), { error })
      throw error
    }
  }

  #keep(key: K, forMs: number, result: { readonly value: V } | { readonly error: unknown }): void {
    const now = this.#now()
    this.#kept.delete(key)
    if (forMs <= 0) return
    if (this.#kept.size >= SWEEP_AT)
      for (const [other, { until }] of this.#kept) if (until <= now) this.#kept.delete(other)
    this.#kept.set(key, { until: now + forMs, ...result })
  }
}
