/**
 * `$limit` and `$skip`: let a number of records through, or leave that many out.
 *
 * They count over the whole run, not per batch: that is what a reader of the file expects, and batches have no size
 * that means anything to a user. A restarted run counts from the beginning again.
 */
import type { Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import { sliceRows } from './rows.ts'

export class LimitStage implements Stage {
  readonly name = '$limit'
  readonly needs = 'metadata'
  cutOff: Batch | undefined
  #left: number

  constructor(limit: number) {
    this.#left = limit
  }

  mark(): () => void {
    const left = this.#left
    return () => {
      this.#left = left
    }
  }

  get left(): number {
    return this.#left
  }

  get exhausted(): boolean {
    return this.#left === 0
  }

  process(batch: Batch): Batch | undefined {
    // What comes when it has been reached is dropped, as it is in the branches of a graph that goes on.
    const isReached = this.exhausted
    const count = Math.min(this.#left, batch.length)
    this.#left -= count
    this.cutOff = isReached ? undefined : sliceRows(batch, count, batch.length)
    return sliceRows(batch, 0, count)
  }
}

export class SkipStage implements Stage {
  readonly name = '$skip'
  readonly needs = 'metadata'
  #left: number

  constructor(count: number) {
    this.#left = count
  }

  mark(): () => void {
    const left = this.#left
    return () => {
      this.#left = left
    }
  }

  process(batch: Batch): Batch | undefined {
    if (this.#left === 0) return batch
    const count = Math.min(this.#left, batch.length)
    this.#left -= count
    return sliceRows(batch, count, batch.length)
  }
}
