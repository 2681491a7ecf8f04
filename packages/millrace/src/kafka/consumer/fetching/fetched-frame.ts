/** The memory of one response of a broker, which several partitions and batches read. */
import { freeMemory } from '../../../records/lease.ts'

/** Freed as soon as all of its readers have let go of it. One that never does leaves it to the garbage collector. */
export class FetchedFrame {
  readonly #bytes: Buffer
  /** Who made it is the first. */
  #readers = 1

  /** @param bytes the whole response, of which nobody else has views */
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  hold(): void {
    this.#readers++
  }

  /** Once for each `hold`, and once by who made it. */
  letGo(): void {
    if (--this.#readers === 0) freeMemory(this.#bytes)
  }
}
