/**
 * Cells with the digits that came in: rows have doubles, which may be other numbers. What compares and calculates takes doubles; what
 * tells rows apart, or writes a cell as text, takes these.
 */
import { EncodeError } from '../../errors/index.ts'
import type { Batch } from '../../records/batch.ts'
import { comparable, plain } from '../../records/exact-numbers.ts'
import { exactOrError, KeptDigits } from '../../records/kept-digits.ts'
import { exactIn, exactRow, hasDigits } from '../../records/row-digits.ts'
import { PAYLOAD } from './kafka-rows.ts'
import type { Row } from './values.ts'

/** Where the cell of a column is in a row. */
export function pathOf(column: string, batch: Batch, row: number): readonly string[] {
  return Object.hasOwn(batch.documents![row] as Row, column) ? [column] : column.split('.')
}

/** A cell to be written as text. @throws {EncodeError} where it is unknown which digits it had */
export function exactCell(cell: unknown, column: string, batch: Batch, row: number): unknown {
  if (!KeptDigits.mayRound(cell) || !hasDigits(batch, row)) return cell
  return plain(exactIn(cell, pathOf(column, batch, row), batch, row, PAYLOAD))
}

/** All cells of a row, to be written as text. @throws {EncodeError} as `exactCell` */
export function exactCells(batch: Batch, row: number): Row {
  const cells = batch.documents![row] as Row
  return hasDigits(batch, row) ? (plain(exactRow(cells, batch, row, PAYLOAD)) as Row) : cells
}

/** A cell to be told from others: the same for equal numbers, however they are written. */
export function comparableCell(cell: unknown, column: string, batch: Batch, row: number): unknown {
  if (!KeptDigits.mayRound(cell) || !hasDigits(batch, row)) return cell
  return comparableOr(cell, exactOrError(cell, pathOf(column, batch, row), batch, row, PAYLOAD))
}

/** The same of all cells of a row. */
export function comparableRow(cells: Row, batch: Batch, row: number): unknown {
  return hasDigits(batch, row) ? comparableOr(cells, exactOrError(cells, [], batch, row, PAYLOAD)) : cells
}

/** Rows of which digits are not known cannot be written, whatever is made of them here. */
function comparableOr(cell: unknown, exact: unknown): unknown {
  return exact instanceof EncodeError ? cell : comparable(exact)
}
