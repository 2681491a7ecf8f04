/** Counts what comes to a stage, what it passes on, and how long it works, and lets its records be looked at. Once per batch. */
import type { Batch } from '../../records/batch.ts'
import type { Counter, Meter } from '../../metrics/counters.ts'
import { StageTap } from './stage-tap.ts'

export class StageTimer {
  readonly tap = new StageTap()
  readonly meter: Meter
  readonly #came: Counter
  readonly #passed: Counter
  readonly #seconds: Counter

  /** @param meter of the stage */
  constructor(meter: Meter) {
    this.meter = meter
    this.#came = meter.counter('millrace_stage_records_total')
    this.#passed = meter.counter('millrace_stage_passed_records_total')
    this.#seconds = meter.counter('millrace_stage_busy_seconds_total')
  }

  /** How long it has worked. */
  get seconds(): number {
    return this.#seconds.value
  }

  /** @param startedAt as `performance.now` returned it */
  count(came: number, passed: number, startedAt: number): void {
    this.#came.add(came)
    this.#passed.add(passed)
    this.#seconds.add((performance.now() - startedAt) / 1000)
  }

  countAll(batch: Batch, passed: readonly Batch[], startedAt: number): void {
    this.count(
      batch.length,
      passed.reduce((sum, { length }) => sum + length, 0),
      startedAt,
    )
  }
}
