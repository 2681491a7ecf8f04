import type { Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import type { RecordError } from '../errors/index.ts'

/** The stages of a pipeline as one. */
export class StageChain {
  readonly list: readonly Stage[]
  constructor(stages: readonly Stage[]) {
    this.list = stages
  }
  get needsDocuments(): boolean {
    return this.list.some(({ needs }) => needs === 'documents')
  }
  /** Whether some stage will let nothing more through. */
  get exhausted(): boolean {
    return this.list.some(({ exhausted }) => exhausted === true)
  }
  /** Runs a batch through all stages; undefined as soon as no row is left. */
  process(batch: Batch, failed?: Failed): Batch | undefined {
    let current = batch
    for (const stage of this.list) {
      const before = current
      const after = stage.process(before, failed && ((row, error) => failed(before, row, error)))
      if (after === undefined || after.length === 0) return undefined
      current = after
    }
    return current
  }
}

/** Told of a row of some batch that failed. */
export type Failed = (batch: Batch, row: number, error: RecordError) => void
