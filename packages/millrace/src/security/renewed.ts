/**
 * Something that ends and is fetched anew: a token, temporary credentials. Those who ask at the same time share one fetch.
 */
import { isMillraceError } from '../errors/index.ts'
import { untilAborted } from '../resilience/abort.ts'

export interface Expiring<T> {
  readonly value: T
  /** In milliseconds since 1970; undefined when it is not known, and then the value is not kept. */
  readonly expiresAt: number | undefined
}

/** Share of its life after which a value is fetched anew; `sasl.login.refresh.window.factor` of Java. */
const FRESH_SHARE = 0.8
/** A value this close to its end would be refused on arrival. */
const MARGIN_MS = 1000

export class Renewed<T> {
  readonly #fetch: () => Promise<Expiring<T>>
  readonly #now: () => number
  #kept: { readonly value: T; readonly staleAt: number; readonly expiresAt: number } | undefined
  #fetching: Promise<T> | undefined

  constructor(fetch: () => Promise<Expiring<T>>, now: () => number = Date.now) {
    this.#fetch = fetch
    this.#now = now
  }

  /**
   * The value that is kept while it is fresh, else a new one. When none can be had, the old one serves to its end.
   * @throws what `fetch` throws; {AbortedError} when the signal fires
   */
  get(signal?: AbortSignal): Promise<T> {
    if (this.#kept !== undefined && this.#now() < this.#kept.staleAt) return Promise.resolve(this.#kept.value)
    this.#fetching ??= this.#renew().finally(() => {
      this.#fetching = undefined
    })
    return untilAborted(this.#fetching, 'Getting a token', signal)
  }

  /** The value was refused: the next one is fetched. */
  forget(): void {
    this.#kept = undefined
  }

  async #renew(): Promise<T> {
    const now = this.#now()
    try {
      const { value, expiresAt } = await this.#fetch()
      this.#kept =
        expiresAt === undefined ? undefined : { value, staleAt: now + (expiresAt - now) * FRESH_SHARE, expiresAt }
      return value
    } catch (error) {
      const kept = this.#kept
      if (kept !== undefined && isMillraceError(error) && error.retriable && this.#now() < kept.expiresAt - MARGIN_MS)
        return kept.value
      throw error
    }
  }
}
