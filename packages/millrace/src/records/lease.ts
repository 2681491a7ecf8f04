/**
 * Who reads stored records, so that their memory can be freed when nobody does any more (`Batch.release`).
 *
 * Node frees the memory of a Buffer when it collects garbage, and begins a whole collection whenever some 16 MB of it have been
 * made: at 200 MB/s a dozen times a second, which cost a third of all CPU of a copy. What is known to be read no more is freed at once
 * instead. Views that somebody has kept all the same are then empty; they never show the bytes of others.
 *
 * A batch that is cut shares its records with its parts: each has a part of the lease, and the memory is freed when all of them were
 * ended. A part that is never ended leaves the memory to the garbage collector.
 */
import { ClosedError } from '../errors/index.ts'
import type { LocatedRecords, RecordStorage } from './record-storage.ts'

/** What all parts of a lease have in common. */
interface Shared {
  readonly storage: RecordStorage
  /** The records, from the first look at them on. */
  located: LocatedRecords | undefined
  parts: number
}

export class Lease {
  readonly #shared: Shared
  #isOver = false

  /** @param storage of which there is no other lease */
  constructor(storage: RecordStorage, shared: Shared = { storage, located: undefined, parts: 1 }) {
    this.#shared = shared
  }

  /** The stored records, located on first use. @throws {ClosedError} after `end` */
  get records(): LocatedRecords {
    if (this.#isOver) throw new ClosedError('a batch after its release()')
    const shared = this.#shared
    return (shared.located ??= shared.storage.locate())
  }

  /** For one reader more. */
  part(): Lease {
    this.#shared.parts++
    return new Lease(this.#shared.storage, this.#shared)
  }

  /** May be called several times. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (--this.#shared.parts > 0) return
    this.#shared.located = undefined
    this.#shared.storage.release?.()
  }
}

/** Below this it is not worth a call. */
const WORTH_BYTES = 16 * 1024

/**
 * Frees the memory of an array, which must have it for itself: nothing may read it any more, no socket either. Does nothing where it may be
 * a part of something larger, as small Buffers are.
 */
export function freeMemory(bytes: Uint8Array | Int32Array | Float64Array): void {
  const memory = bytes.buffer
  // Node makes Buffers of less than half of its pool within the pool.
  if (bytes.byteLength < WORTH_BYTES || 2 * bytes.byteLength < memory.byteLength) return
  // It has been moved to a buffer of no bytes, which is the one way to free it.
  if (memory instanceof ArrayBuffer) memory.transfer(0)
}
