/**
 * The digits of cells that are passed on in new rows: `JSON.parse` has made doubles of them, which may be other numbers (I7).
 */
import { exactIn } from '../../codecs/row-digits.ts'
import { EncodeError } from '../../errors/index.ts'
import type { Batch } from '../../records/batch.ts'
import type { Row } from './values.ts'

interface Noted {
  /** As stages see it. */
  readonly cell: unknown
  /** With its digits, or why they are not known. */
  readonly exact: unknown
}

/** The cells of one row. */
export class ExactCells {
  readonly #byColumn = new Map<string, Noted>()

  /** Whether a cell may have more digits than its double. */
  static mayRound(cell: unknown): boolean {
    return typeof cell === 'number' ? !Number.isSafeInteger(cell) : typeof cell === 'object' && cell !== null
  }

  /** Whether this cell was noted, or one that is the same as a double. */
  has(output: string, cell: unknown): boolean {
    return this.#byColumn.get(output)?.cell === cell
  }

  /** @param output column of the new row @param column where the cell is in a row of a batch */
  note(output: string, cell: unknown, column: string, batch: Batch, row: number): void {
    const document = batch.documents![row] as Row
    const path = Object.hasOwn(document, column) ? [column] : column.split('.')
    this.#byColumn.set(output, { cell, exact: exactOrError(cell, path, batch, row) })
  }

  /** The row with the digits of what was noted, unless another value has taken its place. @throws {EncodeError} */
  restored(row: Row): Row {
    const entries = Object.entries(row).map(([column, cell]): readonly [string, unknown] => {
      const noted = this.#byColumn.get(column)
      if (noted === undefined || noted.cell !== cell) return [column, cell]
      if (noted.exact instanceof EncodeError) throw noted.exact
      return [column, noted.exact]
    })
    return Object.fromEntries(entries)
  }
}

function exactOrError(cell: unknown, path: readonly string[], batch: Batch, row: number): unknown {
  try {
    return exactIn(cell, path, batch, row)
  } catch (error) {
    if (error instanceof EncodeError) return error
    throw error
  }
}
