/**
 * Runs the stages of a pipeline in their order.
 */
import type { Batch } from '../batch.ts'
import type { Stage, StageNeeds } from '../component.ts'

/** Rows that went into a stage and came out of it; what is missing was dropped by the stage on purpose (I7). */
export interface StageCount {
  readonly name: string
  recordsIn: number
  recordsOut: number
}

export class StageChain {
  readonly #stages: readonly Stage[]
  /** Counted since the chain was made, one entry per stage. */
  readonly counts: readonly Readonly<StageCount>[]
  readonly #counts: StageCount[]

  constructor(stages: readonly Stage[]) {
    this.#stages = stages
    this.counts = this.#counts = stages.map(({ name }) => ({ name, recordsIn: 0, recordsOut: 0 }))
  }

  /** `documents` when any stage looks at fields; then every row must have its document before `process`. */
  get needs(): StageNeeds {
    return this.#stages.some(({ needs }) => needs === 'documents') ? 'documents' : 'metadata'
  }

  /** True as soon as nothing more can come through, so that the source may stop. */
  get exhausted(): boolean {
    return this.#stages.some((stage) => stage.exhausted === true)
  }

  /**
   * What is left of a batch after all stages; undefined when no row is. The caller acknowledges the batch then (I1).
   * @throws {StageError} with the place of the record that failed
   */
  process(batch: Batch): Batch | undefined {
    let current: Batch | undefined = batch
    for (let i = 0; i < this.#stages.length && current !== undefined; i++) {
      const count = this.#counts[i]!
      count.recordsIn += current.length
      current = this.#stages[i]!.process(current)
      count.recordsOut += current?.length ?? 0
    }
    return current
  }
}
