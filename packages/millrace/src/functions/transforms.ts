/**
 * What the transforms of stage graphs have in common: stages that work batch by batch, or all rows first.
 */
import { defineTransform, type StageContext, type TransformFunction } from '../contracts/functions.ts'
import type { RowFailed, Stage, Transform } from '../contracts/stage.ts'
import { SharedAcknowledgement } from '../records/acknowledgement.ts'
import type { Acknowledgement, Batch } from '../records/batch.ts'
import { splitAtCutOff } from '../records/cut-off.ts'
import { StageMisconfiguredError, type RecordError } from '../errors/index.ts'
import type { Fields, Options } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { formatBytes } from '../options/units.ts'
import { batchOfRows, gather, syntheticOrigin, type KeptRow } from './rows/batches.ts'

/** Rows of a batch that is made of collected ones. */
const BATCH_ROWS = 8192

/**
 * A stage as a step of a graph.
 * @param mapError the error that is reported for a record on which the stage failed; the stage's own when omitted
 */
export function asTransform(stage: Stage, mapError?: (error: RecordError) => RecordError): Transform {
  const { needs, fields, does } = stage
  /** Of what was cut off: acknowledged when the graph goes on all the same, as other branches take these rows. */
  let cutOff: Acknowledgement | undefined
  return {
    needs,
    ...(fields === undefined ? {} : { fields }),
    ...(does === undefined ? {} : { does }),
    ...(stage.combinesRows === true ? { combinesRows: true } : {}),
    ...(stage.mark === undefined ? {} : { mark: () => stage.mark!() }),
    get exhausted() {
      return stage.exhausted === true
    },
    get left() {
      return stage.left
    },
    get cutOff() {
      return stage.cutOff
    },
    process(batch, _signal, failed) {
      cutOff?.ack()
      const report: RowFailed = (row, error) => {
        if (failed === undefined) throw mapError!(error)
        failed(row, mapError!(error))
      }
      const passed = stage.process(batch, mapError === undefined ? failed : report)
      const parts = stage.cutOff && splitAtCutOff(batch, [stage.cutOff])
      cutOff = parts?.[1]
      if (passed !== undefined) return [parts === undefined ? passed : passed.derive(passed, parts[0])]
      ;(parts?.[0] ?? batch).ack() // every row was dropped
      return []
    },
  }
}

type StageFunction<F extends Fields> = Omit<TransformFunction<F>, 'kind' | 'create' | 'stage'> & {
  stage(
    options: Options<F>,
    context: StageContext,
  ): Pick<Stage, 'process' | 'mark'> & Partial<Pick<Stage, 'needs' | 'fields'>>
}

/** Defines a function that makes one batch of one, from memory alone: a stage of linear pipelines, and a step of graphs. */
export function defineStageFunction<const F extends Fields>(definition: StageFunction<F>): TransformFunction<F> {
  const { name } = definition
  const stage: TransformFunction<F>['stage'] = (options, context) => ({
    name,
    needs: 'documents',
    ...definition.stage(options, context),
  })
  return defineTransform<F>({
    ...definition,
    stage,
    create: (options, context) => asTransform(stage(options, context)),
  })
}

/** Limits of stages that need all rows before they can give the first. */
export const COLLECTING_FIELDS = {
  max_rows: field
    .int({ min: 1 })
    .default(1_000_000)
    .doc('Maximum number of rows collected. More end the run with an error.'),
  max_bytes: field
    .bytes({ min: 1 })
    .default(268_435_456)
    .doc('Maximum bytes of rows collected. More end the run with an error.'),
}

interface Limits {
  readonly max_rows: number
  readonly max_bytes: number
}

/** Keeps rows, or only what was made of them, back until the end, and their acknowledgements with them (I1). */
export class Collection {
  readonly rows: KeptRow[] = []
  readonly #stage: string
  readonly #limits: Limits
  #held: Acknowledgement[] = []
  #bytes = 0

  constructor(stage: string, limits: Limits) {
    this.#stage = stage
    this.#limits = limits
  }

  /** Keeps all rows of a batch. @throws {StageMisconfiguredError} beyond the limits */
  keepRows(batch: Batch): void {
    this.holdAcknowledgement(batch)
    this.#bytes += batch.byteLength
    for (let row = 0; row < batch.length; row++) this.rows.push({ batch, row })
    this.check(this.rows.length)
    if (this.#bytes > this.#limits.max_bytes)
      throw this.#full('max_bytes', `${formatBytes(this.#bytes)} of rows`, formatBytes(this.#limits.max_bytes))
  }

  /** Keeps the acknowledgement of a batch alone. */
  holdAcknowledgement(batch: Batch): void {
    this.#held.push(batch.acknowledgement)
  }

  /** @throws {StageMisconfiguredError} when so many rows or groups are too many */
  check(count: number): void {
    if (count > this.#limits.max_rows) throw this.#full('max_rows', `${count} rows`, String(this.#limits.max_rows))
  }

  /** Some of the kept rows, in the order given. They acknowledge everything that was kept. */
  emitKept(kept: readonly KeptRow[]): Batch[] {
    return this.#inBatches(kept, (part, acknowledgement) => gather(part, syntheticOrigin(this.#stage), acknowledgement))
  }

  /** New rows, which acknowledge everything that was kept. @param texts their JSON, where it says more */
  emitNew(rows: readonly unknown[], texts?: readonly string[]): Batch[] {
    let start = 0
    return this.#inBatches(rows, (part, acknowledgement) => {
      const own = texts?.slice(start, (start += part.length))
      return batchOfRows(part, { origin: syntheticOrigin(this.#stage), acknowledgement, ...(own && { texts: own }) })
    })
  }

  #inBatches<T>(items: readonly T[], make: (part: readonly T[], acknowledgement: Acknowledgement) => Batch): Batch[] {
    const shared = new SharedAcknowledgement(this.#held)
    this.#held = []
    this.rows.length = 0
    this.#bytes = 0
    const batches: Batch[] = []
    for (let start = 0; start < items.length; start += BATCH_ROWS)
      batches.push(make(items.slice(start, start + BATCH_ROWS), shared.share()))
    shared.release()
    return batches
  }

  #full(option: string, have: string, limit: string): StageMisconfiguredError {
    return tooMany(this.#stage, option, have, limit)
  }
}

/** More rows than a stage may keep back. */
export function tooMany(stage: string, option: string, have: string, limit: string): StageMisconfiguredError {
  return new StageMisconfiguredError(
    `Cannot collect ${have} in stage "${stage}" as ${option} is ${limit}: raise ${option}, or read fewer rows, for instance with max_messages of the consumer`,
    { component: stage },
  )
}
