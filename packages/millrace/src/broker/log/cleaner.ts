/**
 * Compacts logs in the background, by Kafka's rules: when enough has been appended (`min.cleanable.dirty.ratio`), or records have
 * waited long enough (`max.compaction.lag.ms`). It leaves the segment that is being written alone, and records that are younger than
 * `min.compaction.lag.ms`.
 *
 * Nothing happens unless something is appended.
 */
import type { Timers } from '../timers.ts'
import { compact } from './compaction.ts'
import type { PartitionLog } from './partition-log.ts'

/** How long a log that is to be compacted waits; Kafka looks every 15 s (`log.cleaner.backoff.ms`). */
const WAIT_MS = 1000

export class Cleaner {
  readonly #timers: Timers
  readonly #now: () => number
  readonly #scheduled = new Set<PartitionLog>()
  readonly #running = new Map<PartitionLog, Promise<void>>()

  constructor(timers: Timers, now: () => number) {
    this.#timers = timers
    this.#now = now
  }

  /** Something has been appended to a compacted log. */
  appended(log: PartitionLog): void {
    if (this.#scheduled.has(log) || !isDirty(log, this.#now())) return
    this.#scheduled.add(log)
    this.#timers.after(WAIT_MS, () => {
      this.#scheduled.delete(log)
      this.#timers.guard(this.compact(log, endOfCleanable(log, this.#now())))
    })
  }

  /** Compacts a log now; one compaction at a time. @param upTo records from it on stay as they are */
  async compact(log: PartitionLog, upTo?: number): Promise<void> {
    while (this.#running.has(log)) await this.#running.get(log)
    const running = compact(log, this.#now(), upTo).finally(() => this.#running.delete(log))
    this.#running.set(log, running)
    await running
  }
}

function isDirty(log: PartitionLog, nowMs: number): boolean {
  const { minDirtyRatio, maxLagMs } = log.settings.cleaning
  const dirty = log.uncompactedBytes - log.active.bytes
  if (dirty <= 0) return false
  if (dirty / (log.bytes - log.active.bytes) >= minDirtyRatio) return true
  const [oldest] = log.batches()
  return oldest !== undefined && nowMs - oldest.maxTimestampMs > maxLagMs
}

/** The offset up to which a log may be compacted. */
function endOfCleanable(log: PartitionLog, nowMs: number): number {
  const { minLagMs } = log.settings.cleaning
  if (minLagMs > 0)
    for (const { baseOffset, maxTimestampMs } of log.batches())
      if (maxTimestampMs > nowMs - minLagMs) return Math.min(baseOffset, log.active.baseOffset)
  return log.active.baseOffset
}
