import type { Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import type { RecordError } from '../errors/index.ts'
import type { StageTimer } from './watching/stage-timer.ts'

/** The stages of a pipeline as one. */
export class StageChain {
  readonly list: readonly Stage[]
  readonly timers: readonly StageTimer[]
  /** @param timers one for each stage; none where nothing is counted */
  constructor(stages: readonly Stage[], timers: readonly StageTimer[] = []) {
    this.list = stages
    this.timers = timers
  }
  get looksAtValues(): boolean {
    return this.list.some(({ needs }) => needs !== 'metadata')
  }
  /** Whether some stage may give records other keys. */
  get changesKeys(): boolean {
    return this.list.some(({ changesKeys }) => changesKeys === true)
  }
  /** Whether some stage looks at more of a value than some fields. */
  get needsDocuments(): boolean {
    return this.list.some(({ needs }) => needs === 'documents')
  }
  /** All that the stages look at in the outermost object of a value, as long as none of them looks at more. */
  get fields(): readonly string[] {
    return [...new Set(this.list.flatMap(({ fields }) => fields ?? []))]
  }
  /** The stages before the first one that needs documents, and the others. */
  parts(): readonly [front: StageChain, rest: StageChain] {
    const first = this.list.findIndex(({ needs }) => needs === 'documents')
    const end = first < 0 ? this.list.length : first
    return [
      new StageChain(this.list.slice(0, end), this.timers.slice(0, end)),
      new StageChain(this.list.slice(end), this.timers.slice(end)),
    ]
  }
  /** Whether some stage will let nothing more through. */
  get exhausted(): boolean {
    return this.list.some(({ exhausted }) => exhausted === true)
  }
  /** Rows of the last batch that some stages have cut off. */
  get cutOff(): readonly Batch[] {
    return this.list.flatMap(({ cutOff }) => cutOff ?? [])
  }
  /** Runs a batch through all stages; undefined as soon as no row is left. */
  process(batch: Batch, failed?: Failed): Batch | undefined {
    let current = batch
    for (const [i, stage] of this.list.entries()) {
      const before = current
      const timer = this.timers[i]
      const look = timer?.tap.isOpen === true ? timer.tap.look(before) : undefined
      const startedAt = performance.now()
      const rowFailed =
        failed &&
        ((row: number, error: RecordError): void => {
          look?.failed(row, error)
          failed(before, row, error)
        })
      const after = stage.process(before, rowFailed)
      timer?.count(before.length, after?.length ?? 0, startedAt)
      look?.done(after === undefined ? [] : [after])
      if (after === undefined || after.length === 0) return undefined
      current = after
    }
    return current
  }
}

/** Told of a row of some batch that failed. */
export type Failed = (batch: Batch, row: number, error: RecordError) => void

/** Notes where stages stand that count. @returns brings them back there */
export function markStages(stages: readonly Pick<Stage, 'mark'>[]): () => void {
  const restores = stages.flatMap((stage) => stage.mark?.() ?? [])
  return () => {
    for (const restore of restores) restore()
  }
}
