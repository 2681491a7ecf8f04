/**
 * Reads a source no faster than asked: batches are cut into pieces, and each waits for its turn. A token bucket: one token
 * a record, `recordsPerSecond` of them come a second, up to `burst` are kept.
 */
import type { Source } from '../contracts/source.ts'
import { WatchedAcknowledgement } from '../records/acknowledgement.ts'
import type { Batch } from '../records/batch.ts'
import { sleep } from '../resilience/retry.ts'
import type { RateLimit } from './plan.ts'

/** Pieces of less than so much time are not worth a wait of their own. */
const QUANTUM_MS = 20

/** Makes a source give its batches at a limited rate. */
export function limitRate(source: Source, limit: RateLimit): void {
  const read = source.batches.bind(source)
  source.batches = (signal) => limited(read(signal), limit, signal)
}

/** The batches in pieces, none before its time; ends when the signal fires. */
export async function* limited(
  batches: AsyncIterable<Batch>,
  { recordsPerSecond = Infinity, burst, maxInFlight = Infinity }: RateLimit,
  signal: AbortSignal,
): AsyncGenerator<Batch, void, undefined> {
  const bucket = new TokenBucket(recordsPerSecond, burst)
  const flight = new Flight()
  for await (const batch of batches) {
    let count = 0
    const pieces = batch.slices(() => count)
    for (let start = 0; start < batch.length; start += count) {
      while (flight.records >= maxInFlight && !signal.aborted) await flight.landed(signal)
      const wanted = Math.min(batch.length - start, maxInFlight - flight.records)
      count = await bucket.take(wanted, signal)
      // What was not delivered is not acknowledged, so it is read again by the next run (I1).
      if (signal.aborted) return
      yield flight.takeOff(pieces.next().value!)
    }
    if (batch.length === 0) yield batch
  }
}

class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #filledAt = performance.now()

  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1000
    this.#burst = Math.max(1, burst)
    this.#tokens = this.#burst
  }

  /** Takes up to `wanted` tokens, at least one; waits for a few when there are none. */
  async take(wanted: number, signal: AbortSignal): Promise<number> {
    if (this.#perMs === Infinity) return wanted
    const enough = Math.min(wanted, this.#burst, Math.max(1, this.#perMs * QUANTUM_MS))
    for (this.#fill(); this.#tokens < enough; this.#fill()) {
      if (signal.aborted) return 0
      await sleep(Math.ceil((enough - this.#tokens) / this.#perMs), signal).catch(() => {})
    }
    const taken = Math.min(wanted, Math.floor(this.#tokens))
    this.#tokens -= taken
    return taken
  }

  #fill(): void {
    const now = performance.now()
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) * this.#perMs)
    this.#filledAt = now
  }
}

/** Records that were delivered and are not acknowledged. */
class Flight {
  records = 0
  #waiting: (() => void) | undefined

  takeOff(batch: Batch): Batch {
    this.records += batch.length
    const landed = (): void => {
      this.records -= batch.length
      this.#waiting?.()
    }
    return batch.derive(batch, new WatchedAcknowledgement(batch.acknowledgement, landed))
  }

  /** Resolves when some record has been acknowledged, or the signal fires. */
  async landed(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    this.#waiting = wake
    signal.addEventListener('abort', wake)
    await promise
    signal.removeEventListener('abort', wake)
  }
}
