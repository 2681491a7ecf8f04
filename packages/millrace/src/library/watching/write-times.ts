/** How long a `KafkaSink` has writes under way. Called per call, with times that are known there. */
export class WriteTimes {
  readonly #now: () => number
  readonly #createdAt: number
  #busyMs = 0
  #underWay = 0
  #since = 0

  /** @param now milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#createdAt = now()
  }

  /** @param at as `performance.now` returned it */
  began(at: number): void {
    if (this.#underWay++ === 0) this.#since = at
  }

  /** @param at as `performance.now` returned it */
  ended(at: number): void {
    if (--this.#underWay === 0) this.#busyMs += at - this.#since
  }

  /** A write that reports nothing else. */
  async during<T>(write: Promise<T>): Promise<T> {
    this.began(this.#now())
    try {
      return await write
    } finally {
      this.ended(this.#now())
    }
  }

  /** With at least one write under way. */
  get busySeconds(): number {
    return (this.#busyMs + (this.#underWay === 0 ? 0 : this.#now() - this.#since)) / 1000
  }

  /** Since it was created. */
  get seconds(): number {
    return (this.#now() - this.#createdAt) / 1000
  }
}
