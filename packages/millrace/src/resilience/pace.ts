/**
 * Keeps work short that holds up the event loop: heartbeats, commits and fetches need a turn every now and then. The limit is
 * one of time, as what a program or a stage does with a row may take a microsecond or a second. May import nothing of ours.
 */

/** Longest work between two turns of the event loop. */
const TURN_MS = 20
/** As many rows are worked on first, while it is not known how long one takes: few, as it may be a tenth of a second. */
const FIRST_ROWS = 16
/** About 20 ms of parsing JSON. */
export const MAX_ROWS = 16_384

export class Pace {
  readonly #maxRows: number
  readonly #minRows: number
  #rows: number
  #worked = 0
  #workedMs = 0

  /**
   * @param maxRows most rows that are worked on together
   * @param minRows rows that are worked on together however long that takes; `maxRows` for a size that stays
   */
  constructor(maxRows = MAX_ROWS, minRows = 1) {
    this.#maxRows = maxRows
    this.#minRows = minRows
    this.#rows = Math.max(minRows, Math.min(FIRST_ROWS, maxRows))
  }

  /** How many rows to work on next. */
  get rows(): number {
    return this.#rows
  }

  /** Records how long some rows took. @returns whether a turn of the event loop is due */
  worked(rows: number, ms: number): boolean {
    this.#worked += rows
    this.#workedMs += ms
    if (this.#workedMs < TURN_MS) {
      this.#rows = Math.min(this.#maxRows, this.#rows * 2)
      return false
    }
    this.#rows = Math.max(this.#minRows, Math.min(this.#maxRows, Math.floor((this.#worked * TURN_MS) / this.#workedMs)))
    this.#worked = this.#workedMs = 0
    return true
  }
}

/** Measures work up to the next turn of the event loop. @returns its milliseconds so far, or until that turn. Called once */
export function timeWork(): () => number {
  const began = performance.now()
  let turnedAt: number | undefined
  const turn = setImmediate(() => {
    turnedAt = performance.now()
  })
  return () => {
    clearImmediate(turn)
    return (turnedAt ?? performance.now()) - began
  }
}
