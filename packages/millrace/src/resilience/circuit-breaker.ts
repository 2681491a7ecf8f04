/**
 * A circuit breaker: spares a sink that keeps failing, and those who wait for it.
 *
 * ```
 *              too many failures                after openMs
 *   closed ─────────────────────────────► open ─────────────────► half-open
 *     ▲                                    ▲                        │    │
 *     │                                    └──── the probe fails ───┘    │
 *     └───────────────────── the probe succeeds ─────────────────────────┘
 * ```
 *
 * | state | a call | a success | a failure |
 * |---|---|---|---|
 * | closed | goes through | counts | counts; the one too many opens |
 * | open | is refused; after `openMs` it is the probe, and the state half-open | – | – |
 * | half-open | is refused | of the probe: closes | of the probe: opens |
 *
 * Too many are so many in a row, or a share of the latest calls (`failure-rate.ts`). What becomes of calls that began before the
 * state changed says nothing about the sink of now, and changes nothing.
 * May import `errors/` and its neighbours.
 */
import { CircuitOpenError } from '../errors/index.ts'
import { untilAborted } from './abort.ts'
import { FailureWindow, type FailureRate } from './failure-rate.ts'
import { sleep } from './retry.ts'

export interface CircuitBreakerOptions {
  /** Failures in a row that open it. */
  readonly failureThreshold: number
  /** In place of `failureThreshold`: the share of failures that opens it. */
  readonly failureRate?: FailureRate | undefined
  /** Milliseconds from opening to the probe. */
  readonly openMs: number
  /** What it stands in front of, for errors: `The sink`. */
  readonly name: string
  /** Milliseconds since any moment. */
  readonly now?: () => number
  readonly onChange?: (state: CircuitState) => void
}

export type CircuitState = 'closed' | 'open' | 'half-open'

export interface CircuitProgress {
  readonly state: CircuitState
  /** How often it has opened, failed probes included. */
  readonly openings: number
  /** Calls that were refused or had to wait. */
  readonly rejections: number
}

const BY_HEALTH: readonly CircuitState[] = ['open', 'half-open', 'closed']

/** Several circuit breakers as one: the worst state, and how often any of them opened or refused. Undefined when there is none. */
export function combinedProgress(
  breakers: readonly { readonly progress: CircuitProgress }[],
): CircuitProgress | undefined {
  if (breakers.length === 0) return undefined
  const all = breakers.map(({ progress }) => progress)
  return {
    state: BY_HEALTH.find((state) => all.some((one) => one.state === state))!,
    openings: all.reduce((sum, { openings }) => sum + openings, 0),
    rejections: all.reduce((sum, { rejections }) => sum + rejections, 0),
  }
}

/** Leave to make one call, and the place to say how it ended. Exactly one of its methods is to be called. */
export interface Pass {
  succeeded(): void
  failed(): void
  /** It ended in a way that says nothing about the sink, for instance by being stopped. */
  cancelled(): void
}

/** What became of a call. */
type Ending = 'succeeded' | 'failed' | 'cancelled'

/** Leave that was given in one era of a breaker. One object for each call, as single records are calls. */
class EraPass implements Pass {
  readonly #era: number
  readonly #settle: (era: number, ending: Ending) => void

  constructor(era: number, settle: (era: number, ending: Ending) => void) {
    this.#era = era
    this.#settle = settle
  }

  succeeded(): void {
    this.#settle(this.#era, 'succeeded')
  }

  failed(): void {
    this.#settle(this.#era, 'failed')
  }

  cancelled(): void {
    this.#settle(this.#era, 'cancelled')
  }
}

export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions
  readonly #now: () => number
  readonly #window: FailureWindow | undefined
  readonly #settle = (era: number, ending: Ending): void => {
    if (era !== this.#era) return
    if (ending === 'succeeded') this.#succeeded()
    else if (ending === 'failed') this.#failed()
    else this.#cancelled()
  }
  #state: CircuitState = 'closed'
  /** In a row. */
  #failures = 0
  #openedAt = 0
  /** Counts the changes of state, so that late results are known. */
  #era = 0
  #openings = 0
  #rejections = 0
  #changed = Promise.withResolvers<void>()
  /** Resolves when the last of those who wait has leave or has given up, and all before him; undefined when nobody waits. */
  #line: Promise<void> | undefined

  constructor(options: CircuitBreakerOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#window = options.failureRate && new FailureWindow(options.failureRate)
  }

  get progress(): CircuitProgress {
    return { state: this.#state, openings: this.#openings, rejections: this.#rejections }
  }

  /** Leave to make a call. @throws {CircuitOpenError} */
  enter(): Pass {
    const pass = this.#tryEnter()
    if (pass !== undefined) return pass
    this.#rejections++
    throw new CircuitOpenError(this.#options.name, this.#retryAfterMs)
  }

  /**
   * Waits for leave to make a call. Leave is given in the order of the calls: were the probe somebody who came late, his records
   * would overtake those of all who wait (I2).
   * @throws {CircuitOpenError} when the signal fires before
   */
  async entered(signal: AbortSignal): Promise<Pass> {
    let before = this.#line
    const pass = before === undefined ? this.#tryEnter() : undefined
    if (pass !== undefined) return pass
    this.#rejections++
    const gone = Promise.withResolvers<void>()
    this.#line = gone.promise
    try {
      if (before !== undefined) await untilAborted(before, 'Waiting', signal).then(() => (before = undefined))
      for (;;) {
        signal.throwIfAborted()
        const leave = this.#tryEnter()
        if (leave !== undefined) return leave
        await this.#changeOrTime(signal)
      }
    } catch {
      throw new CircuitOpenError(this.#options.name, this.#retryAfterMs, { cause: signal.reason })
    } finally {
      // Who gives up leaves those before him where they are.
      gone.resolve(before)
      if (this.#line === gone.promise) this.#line = before
    }
  }

  #tryEnter(): Pass | undefined {
    if (this.#state === 'open' && this.#retryAfterMs === 0) this.#become('half-open')
    else if (this.#state !== 'closed') return undefined
    return new EraPass(this.#era, this.#settle)
  }

  #succeeded(): void {
    if (this.#state === 'half-open') this.#become('closed')
    else this.#count(false)
  }

  #failed(): void {
    if (this.#state === 'half-open') this.#open()
    else this.#count(true)
  }

  #count(failed: boolean): void {
    const now = this.#now()
    this.#failures = failed ? this.#failures + 1 : 0
    this.#window?.add(failed, now)
    // A success may complete the number of calls from which on their share counts, yet it is no reason to stop.
    if (failed && (this.#window?.isExceeded(now) ?? this.#failures >= this.#options.failureThreshold)) this.#open()
  }

  #open(): void {
    this.#openedAt = this.#now()
    this.#openings++
    this.#become('open')
  }

  /** A probe that was stopped leaves its place to the next call. */
  #cancelled(): void {
    if (this.#state === 'half-open') this.#become('open')
  }

  get #retryAfterMs(): number {
    return Math.max(0, this.#openedAt + this.#options.openMs - this.#now())
  }

  #become(state: CircuitState): void {
    this.#state = state
    this.#era++
    if (state === 'closed') {
      this.#failures = 0
      this.#window?.clear()
    }
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
    this.#options.onChange?.(state)
  }

  async #changeOrTime(signal: AbortSignal): Promise<void> {
    const done = new AbortController()
    const time = sleep(this.#retryAfterMs || this.#options.openMs, AbortSignal.any([signal, done.signal])).catch(
      () => {},
    )
    await Promise.race([this.#changed.promise, time])
    done.abort()
  }
}
