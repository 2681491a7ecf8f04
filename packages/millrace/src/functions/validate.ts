/**
 * `validate.schema`: lets rows through that are as they should be.
 */
import type { RowFailed } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import { StageError, StageMisconfiguredError } from '../errors/index.ts'
import { field } from '../options/fields.ts'
import { comparableCell } from './rows/exact-cells.ts'
import { isTombstone } from '../stages/rows.ts'
import { RememberedValues } from './rows/remembered.ts'
import { defineStageFunction } from './transforms.ts'
import { columnReader, identityOf, type Row } from './rows/values.ts'

const TYPES = ['string', 'integer', 'float', 'boolean', 'date', 'datetime'] as const
type CellType = (typeof TYPES)[number]
const SYNONYMS = {
  str: 'string',
  text: 'string',
  int: 'integer',
  int64: 'integer',
  i64: 'integer',
  double: 'float',
  f64: 'float',
  float64: 'float',
  bool: 'boolean',
  timestamp: 'datetime',
} as const

const columnList = field.list(field.string(), { commaText: true }).optional()

/** What is wrong with a row, or undefined. */
type Check = (row: Row, batch: Batch, at: number) => string | undefined

export const validateSchema = defineStageFunction({
  name: 'validate.schema',
  summary: 'Passes on valid rows and tombstones. An invalid row is an error.',
  options: {
    required_fields: columnList.doc('Columns that every row must have.').example(['user_id']),
    field_types: field
      .map(field.oneOf(TYPES, SYNONYMS))
      .optional()
      .doc('Types of columns. Null and missing cells match any type.')
      .example({ amount: 'float' }),
    non_nullable: columnList.doc('Columns that must not be null or missing.'),
    date_fields: columnList.doc('Columns that must contain a date, or a date with time, as text.'),
    unique_fields: columnList.aliases('unique').doc('Columns whose values must be unique within a run.'),
    max_rows: field
      .int({ min: 1 })
      .default(1_000_000)
      .doc('Maximum number of values remembered for `unique_fields`. More end the run with an error.'),
  },
  examples: [
    {
      title: 'Payments',
      options: { required_fields: ['user_id'], field_types: { amount: 'float' } },
      have: [
        { user_id: 1, amount: 2.5 },
        { user_id: 2, amount: null },
      ],
      want: [
        { user_id: 1, amount: 2.5 },
        { user_id: 2, amount: null },
      ],
    },
  ],
  stage(
    { required_fields = [], field_types = {}, non_nullable = [], date_fields = [], unique_fields = [], max_rows },
    { stage },
  ) {
    const seen = unique_fields.map(() => new RememberedValues(max_rows))
    const checks: Check[] = [
      ...required_fields.map((column) =>
        when(column, (cell) => cell === undefined, `is missing the required field "${column}"`),
      ),
      ...non_nullable.map((column) =>
        when(
          column,
          (cell) => cell === undefined || cell === null,
          `has null in field "${column}", which must not be null`,
        ),
      ),
      ...Object.entries(field_types).map(([column, type]) =>
        when(
          column,
          (cell) => cell !== null && cell !== undefined && !HAS_TYPE[type](cell),
          `must have type ${type} in field "${column}"`,
        ),
      ),
      ...date_fields.map((column) =>
        when(
          column,
          (cell) => cell !== null && cell !== undefined && !HAS_TYPE.date(cell) && !HAS_TYPE.datetime(cell),
          `must have a date in field "${column}"`,
        ),
      ),
      ...unique_fields.map((column, i) => unique(column, seen[i]!, { stage, max_rows })),
    ]
    const check = (batch: Batch, failed?: RowFailed): Batch | undefined => {
      const problems = new Map<number, string>()
      for (let row = 0; row < batch.length; row++) {
        if (isTombstone(batch, row, batch.documents![row] as Row)) continue
        const problem = checks
          .map((check) => check(batch.documents![row] as Row, batch, row))
          .find((text) => text !== undefined)
        if (problem !== undefined) problems.set(row, problem)
      }
      if (problems.size === 0) return batch
      if (failed === undefined) throw failure(batch, stage, [...problems][0]!, problems)
      for (const one of problems) failed(one[0], failure(batch, stage, one))
      return batch.without(problems)
    }
    return {
      process: check,
      mark() {
        const restores = seen.map((values) => values.mark())
        return () => restores.forEach((restore) => restore())
      },
    }
  },
})

function when(column: string, isWrong: (cell: unknown) => boolean, text: string): Check {
  const read = columnReader(column)
  return (row) => (isWrong(read(row)) ? text : undefined)
}

/** @param seen filled with the values that came @throws {StageMisconfiguredError} when more would have to be remembered */
function unique(
  column: string,
  seen: RememberedValues,
  { stage, max_rows }: { readonly stage: string; readonly max_rows: number },
): Check {
  const read = columnReader(column)
  return (row, batch, at) => {
    const cell = read(row)
    if (cell === undefined || cell === null) return undefined
    const key = identityOf(comparableCell(cell, column, batch, at))
    if (seen.has(key)) return `has a value in field "${column}" that another row had before`
    if (seen.isFull !== undefined)
      throw new StageMisconfiguredError(
        `Cannot remember more than ${max_rows} values of field "${column}" in stage "${stage}": raise max_rows`,
        { topic: batch.topic, partition: batch.partition, offset: batch.offset(at), component: stage },
      )
    seen.add(key)
    return undefined
  }
}

const HAS_TYPE: { readonly [type in CellType]: (cell: unknown) => boolean } = {
  string: (cell) => typeof cell === 'string',
  integer: (cell) => Number.isInteger(cell),
  float: (cell) => typeof cell === 'number',
  boolean: (cell) => typeof cell === 'boolean',
  date: (cell) => typeof cell === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(cell) && isDay(cell),
  datetime: (cell) =>
    typeof cell === 'string' &&
    /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(cell) &&
    isDay(cell.slice(0, 10)) &&
    !Number.isNaN(Date.parse(cell.replace(' ', 'T'))),
}

/** JavaScript takes the 31st of February for the 3rd of March. */
function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

function failure(
  batch: Batch,
  stage: string,
  [row, problem]: readonly [number, string],
  all?: ReadonlyMap<number, string>,
): StageError {
  const { topic, partition } = batch
  const offset = batch.offset(row)
  const others = all === undefined ? 0 : [...all.values()].filter((text) => text === problem).length - 1
  const more = others === 0 ? '' : `, and ${others} of the ${batch.length} rows read with it`
  return new StageError(
    `Stage "${stage}" refuses the row at offset ${offset} of "${topic}" partition ${partition}${more}: it ${problem}`,
    { topic, partition, offset, component: stage },
  )
}
