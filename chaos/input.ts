/** What goes in: integers from 1 on. */

/** Integers from 1 on that are written to the input topic. */
export interface Input {
  /** Writes what is left and ends. @throws what could not be written */
  stop(): Promise<void>
  /** The integers that must come out, by number: 1 where there is one. Complete after `stop`. */
  readonly expected: Integers
  /** Those that may come out as well, as they were in the input for a time; none when omitted. */
  readonly possible?: Integers
}

/** A set of integers from 0 on. */
export class Integers {
  #flags = new Uint8Array(1 << 16)
  size = 0
  last = 0

  add(n: number): void {
    if (n >= this.#flags.length) {
      const larger = new Uint8Array(Math.max(n + 1, this.#flags.length * 2))
      larger.set(this.#flags)
      this.#flags = larger
    }
    if (this.#flags[n] === 1) return
    this.#flags[n] = 1
    this.size++
    this.last = Math.max(this.last, n)
  }

  has(n: number): boolean {
    return this.#flags[n] === 1
  }
}
