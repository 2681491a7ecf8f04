/** Columns that a stage was asked to look at, and that have to be there. */
import type { StageContext } from '../../contracts/functions.ts'
import { StageMisconfiguredError } from '../../errors/index.ts'
import { didYouMean } from '../../options/suggest.ts'
import { isObject } from '../../options/values.ts'
import type { Batch } from '../../records/batch.ts'
import { isTombstone } from '../../stages/rows.ts'
import { columnReader, type ColumnReader, type Row } from './values.ts'

/** Rows whose columns are named when one is missing. */
const SHOWN_ROWS = 20

/**
 * Finds misspelled columns, with which a filter would drop everything, and a sort would not sort.
 *
 * | no row of the first batch has the column, and | then |
 * |---|---|
 * | one with a similar name is there | it is misspelled: an error, before anything of the batch is passed on or dropped |
 * | none is similar | a warning, as other rows may have it: a first batch may be small, and topics may be mixed |
 *
 * An error in the second case would stop a run on a mixed topic at every start.
 */
export class RequiredColumns {
  readonly #context: StageContext
  readonly #readers: readonly (readonly [string, ColumnReader])[]
  #isChecked = false

  constructor(context: StageContext, columns: readonly string[]) {
    this.#context = context
    this.#readers = columns.map((column) => [column, columnReader(column)])
  }

  /** @throws {StageMisconfiguredError} when no row of the first batch that has rows has one of the columns, and a similar one is there */
  check(batch: Batch): void {
    if (this.#isChecked || batch.length === 0) return
    // Tombstones have no columns, and say nothing of those that others have.
    const rows = (batch.documents as Row[]).filter((document, row) => !isTombstone(batch, row, document))
    if (rows.length === 0) return
    for (const [column, read] of this.#readers)
      if (rows.every((row) => read(row) === undefined)) this.#missing(column, batch)
    this.#isChecked = true
  }

  #missing(column: string, batch: Batch): void {
    const { stage, warn } = this.#context
    const there = columnsOf(batch)
    const guess = didYouMean(column, there)
    const isOne = batch.length === 1
    if (guess !== undefined)
      throw new StageMisconfiguredError(
        `Cannot use column "${column}" in stage "${stage}" as ${isOne ? 'the first row does not have it' : `none of the first ${batch.length} rows has it`}: ${guess}`,
        { topic: batch.topic, partition: batch.partition, offset: batch.offset(0), component: stage },
      )
    const shown = there.slice(0, SHOWN_ROWS).join(', ')
    const columns = there.length === 0 ? 'there are no columns' : `there ${there.length === 1 ? 'is' : 'are'} ${shown}`
    warn(
      `${isOne ? 'The first row has no' : `None of the first ${batch.length} rows has`} column "${column}" of stage "${stage}", which counts as missing: ${columns}`,
      { stage, column },
    )
  }
}

/** Columns of the first rows, those included that no stage looks at, which are not in documents. */
function columnsOf(batch: Batch): string[] {
  const columns = new Set<string>()
  for (let row = 0; row < Math.min(batch.length, SHOWN_ROWS); row++) {
    for (const column of Object.keys(batch.documents![row] as Row)) columns.add(column)
    if (batch.replaced?.[row] !== 1) for (const column of Object.keys(storedRow(batch.value(row)))) columns.add(column)
  }
  return [...columns]
}

function storedRow(value: Buffer | null): object {
  try {
    const document: unknown = value === null ? undefined : JSON.parse(value.toString())
    return isObject(document) ? document : {}
  } catch {
    return {}
  }
}
