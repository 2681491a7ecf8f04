/**
 * How large a part of the latest calls has failed: of the last so many, or of those of the last so many seconds.
 */

export interface FailureRate {
  /** Share of failed calls that is too much, in percent. */
  readonly percent: number
  /** Calls before which nothing is said. */
  readonly minimumCalls: number
  /** Which calls count. */
  readonly window: { readonly calls: number } | { readonly seconds: number }
}

/** A rate in words: `50 % of the deliveries of the last 100 s (at least 10) have failed`. */
export function describeRate({ percent, minimumCalls, window }: FailureRate): string {
  const which = 'calls' in window ? `last ${window.calls} deliveries` : `deliveries of the last ${window.seconds} s`
  return `${percent} % of the ${which} (of at least ${minimumCalls}) have failed`
}

/** What happened to calls, in slots that are used again in turn: one for each call, or one for each second. */
export class FailureWindow {
  readonly #rate: FailureRate
  readonly #size: number
  /** Which call or second each slot is of. */
  readonly #times: Float64Array
  readonly #calls: Uint32Array
  readonly #failures: Uint32Array
  #added = 0

  constructor(rate: FailureRate) {
    this.#rate = rate
    this.#size = 'calls' in rate.window ? rate.window.calls : rate.window.seconds
    this.#times = new Float64Array(this.#size).fill(-Infinity)
    this.#calls = new Uint32Array(this.#size)
    this.#failures = new Uint32Array(this.#size)
  }

  /** @param now milliseconds since any moment */
  add(failed: boolean, now: number): void {
    const time = 'calls' in this.#rate.window ? this.#added++ : Math.floor(now / 1000)
    const slot = time % this.#size
    if (this.#times[slot] !== time) {
      this.#times[slot] = time
      this.#calls[slot] = 0
      this.#failures[slot] = 0
    }
    this.#calls[slot]!++
    if (failed) this.#failures[slot]!++
  }

  /** Whether too many have failed. */
  isExceeded(now: number): boolean {
    const oldest = ('calls' in this.#rate.window ? this.#added : Math.floor(now / 1000) + 1) - this.#size
    let [calls, failures] = [0, 0]
    for (let slot = 0; slot < this.#size; slot++) {
      if (this.#times[slot]! < oldest) continue
      calls += this.#calls[slot]!
      failures += this.#failures[slot]!
    }
    return calls >= this.#rate.minimumCalls && failures > 0 && failures * 100 >= calls * this.#rate.percent
  }

  clear(): void {
    this.#times.fill(-Infinity)
  }
}
