/** The steps between source and sink: stages of linear pipelines, transforms of stage graphs. */
import type { RecordError } from '../errors/index.ts'
import type { Batch } from '../records/batch.ts'

/** Told of a row that failed, by its index in the batch that the step was given. The step then goes on with the next row. */
export type RowFailed = (row: number, error: RecordError) => void

/** What a stage looks at; decides the lane. With `fields` it looks at some fields of a value only, and changes none. */
export type StageNeeds = 'metadata' | 'fields' | 'documents'

/** A step between source and sink. Synchronous: it works on memory only. */
export interface Stage {
  readonly name: string
  readonly needs: StageNeeds
  /** With `needs: 'fields'`, the names of these fields in the outermost object. Then a document may hold no others. */
  readonly fields?: readonly string[]
  /** What it does, for `explain`, where `needs` does not tell: without a subject and a period. */
  readonly does?: string
  /**
   * Gives the batch that goes on, or undefined when no row is left. With `needs: 'documents'` every row has its
   * document when this is called.
   * @param failed told of each row that fails, which is then not in the batch that goes on; without it the first one is thrown
   * @throws {StageError} with the offset of the record that failed
   */
  process(batch: Batch, failed?: RowFailed): Batch | undefined
  /** Whether it may give records keys of its own: then the keys of all records decide where they are written, and no batch keeps its partition. */
  readonly changesKeys?: boolean
  /** Whether what it gives depends on which rows come in one batch; then batches are not made smaller to save time. */
  readonly combinesRows?: boolean
  /** Notes where a stage stands that counts. @returns brings it back there, after an abort */
  mark?(): () => void
  /** True as soon as this stage will let nothing more through, for instance `$limit` when it is reached. */
  readonly exhausted?: boolean
  /** How many rows it still lets through, where that is known. */
  readonly left?: number | undefined
  /** The rows of the last batch that were behind what it lets through; undefined when there were none. They are not committed where the run ends with them. */
  readonly cutOff?: Batch | undefined
}

/** A step of a stage graph: like a `Stage`, but it may wait for something, and keep rows back until it has seen enough of them. */
export interface Transform extends Pick<
  Stage,
  'needs' | 'fields' | 'does' | 'mark' | 'exhausted' | 'left' | 'cutOff' | 'combinesRows'
> {
  /** Whether `process` waits for something outside of this process. */
  readonly waits?: boolean
  /**
   * Takes over a batch and gives those that can go on. What is neither passed on nor kept back is acknowledged here; what
   * is kept back is acknowledged when that which was made of it is (I1).
   * @param failed told of each row that fails, which is then left out; without it the first one is thrown
   * @throws {StageError}
   */
  process(batch: Batch, signal: AbortSignal, failed?: RowFailed): readonly Batch[] | Promise<readonly Batch[]>
  /** Gives what was kept back, after the last batch. */
  finish?(signal: AbortSignal): readonly Batch[] | Promise<readonly Batch[]>
}
