/** Columns that a stage was asked to look at, and that have to be there. */
import { StageError } from '../../errors/index.ts'
import { didYouMean } from '../../options/suggest.ts'
import { isObject } from '../../options/values.ts'
import type { Batch } from '../../records/batch.ts'
import { isTombstone } from '../../stages/rows.ts'
import { columnReader, type ColumnReader, type Row } from './values.ts'

/** Rows whose columns are named when one is missing. */
const SHOWN_ROWS = 20

/**
 * Finds misspelled columns: in a stream any row may lack a column, but one that all rows of the first batch lack is an error.
 * Otherwise a filter would drop everything, and a sort would not sort.
 */
export class RequiredColumns {
  readonly #stage: string
  readonly #readers: readonly (readonly [string, ColumnReader])[]
  #isChecked = false

  constructor(stage: string, columns: readonly string[]) {
    this.#stage = stage
    this.#readers = columns.map((column) => [column, columnReader(column)])
  }

  /** @throws {StageError} when no row of the first batch that has rows has one of the columns */
  check(batch: Batch): void {
    if (this.#isChecked || batch.length === 0) return
    // Tombstones have no columns, and say nothing of those that others have.
    const rows = (batch.documents as Row[]).filter((document, row) => !isTombstone(batch, row, document))
    if (rows.length === 0) return
    for (const [column, read] of this.#readers)
      if (rows.every((row) => read(row) === undefined)) throw this.#missing(column, batch)
    this.#isChecked = true
  }

  #missing(column: string, batch: Batch): StageError {
    const there = columnsOf(batch)
    const hint =
      didYouMean(column, there) ??
      (there.length === 0 ? 'the rows have no columns' : `there are ${there.slice(0, SHOWN_ROWS).join(', ')}`)
    return new StageError(
      `Cannot use column "${column}" in stage "${this.#stage}" as none of the first ${batch.length} rows has it: ${hint}`,
      { topic: batch.topic, partition: batch.partition, offset: batch.offset(0), component: this.#stage },
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
