/**
 * `sort.apply` and `distinct.apply`. Sorting needs all rows before it can give the first, and so does leaving the last of
 * equal rows, or none of them.
 */
import { defineTransform, type StageContext } from '../contracts/functions.ts'
import type { Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import { ORIGIN_COLUMNS } from './rows/kafka-rows.ts'
import { attachedMeta } from '../codecs/meta.ts'
import { StageMisconfiguredError } from '../errors/index.ts'
import { problem } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { formatBytes } from '../options/units.ts'
import type { KeptRow } from './rows/batches.ts'
import { comparableCell, comparableRow } from './rows/exact-cells.ts'
import { RememberedValues } from './rows/remembered.ts'
import { RequiredColumns } from './rows/required-columns.ts'
import { isTombstone } from '../stages/rows.ts'
import { asTransform, Collection, COLLECTING_FIELDS } from './transforms.ts'
import { columnReader, compareText, compareValues, identityOf, type Row } from './rows/values.ts'

const columnList = field.list(field.string(), { commaText: true })

export const sortApply = defineTransform({
  name: 'sort.apply',
  summary: 'Sorts all rows by one or more columns.',
  options: {
    by: columnList
      .doc(
        'Columns to sort by, the most significant first. A column of text sorts as text; where it also has numbers, text that looks like a number sorts as one. A column that no row of the first batch has is an error if a similar one is there, and otherwise a warning.',
      )
      .example('amount'),
    descending: field
      .of<readonly boolean[]>({
        expected: 'true, false, or a list of these',
        schema: { type: ['boolean', 'array'] },
        read(value, report) {
          const list = (Array.isArray(value) ? value : [value]).map(String)
          if (list.length === 0 || !list.every((one) => one === 'true' || one === 'false'))
            report({ expected: this.expected, found: value })
          return list.map((one) => one === 'true')
        },
      })
      .default([false])
      .doc('Whether to sort in descending order: one value for all columns, or a list with one for each.'),
    nulls_last: field
      .boolean()
      .default(false)
      .doc('Whether rows without a value come last. Otherwise they come first.'),
    ...COLLECTING_FIELDS,
  },
  rules: [
    ({ by, descending }) =>
      descending.length === 1 || descending.length === by.length
        ? undefined
        : problem(
            'descending',
            `"descending" must have one value, or one per column: it has ${descending.length} for ${by.length} columns`,
          ),
  ],
  examples: [
    {
      title: 'The largest first',
      options: { by: 'amount', descending: true },
      have: [{ amount: 2 }, { amount: '10' }, { amount: 3 }],
      want: [{ amount: '10' }, { amount: 3 }, { amount: 2 }],
    },
  ],
  keepsRowsBack: () => true,
  waitsForEnd: () => true,
  notInLine: () => ({ because: 'it needs all rows', instead: '$sort, which sorts each batch' }),
  create({ by, descending, nulls_last, ...limits }, context) {
    const { stage } = context
    const readers = by.map((column, i) => ({
      read: columnReader(column),
      sign: (descending[i] ?? descending[0]) === true ? -1 : 1,
      /** Whether every cell is text, which is then compared as text even where it looks like a number. */
      isText: true,
    }))
    const required = new RequiredColumns(context, by)
    const collection = new Collection(stage, limits)
    const compare = (a: KeptRow, b: KeptRow): number => {
      for (const { read, sign, isText } of readers) {
        const [x, y] = [read(rowOf(a)) ?? null, read(rowOf(b)) ?? null]
        if (x === null && y === null) continue
        const order =
          x === null
            ? nulls_last
              ? 1
              : -1
            : y === null
              ? nulls_last
                ? -1
                : 1
              : sign * (isText ? compareText(x as string, y as string) : compareValues(x, y))
        if (order !== 0) return order
      }
      return 0
    }
    return {
      needs: 'documents',
      process(batch) {
        required.check(batch)
        for (const reader of readers)
          reader.isText &&= batch.documents!.every((row) => isTextOrNull(reader.read(row as Row)))
        collection.keepRows(batch)
        return []
      },
      finish: () => collection.emitKept(collection.rows.toSorted(compare)),
    }
  },
})

export const distinctApply = defineTransform({
  name: 'distinct.apply',
  summary: 'Removes duplicate rows. Tombstones are passed on.',
  options: {
    columns: columnList
      .optional()
      .aliases('subset')
      .doc(
        'Columns to compare. By default all, except those that say where a record came from. A column that no row of the first batch has is an error if a similar one is there, and otherwise a warning.',
      )
      .example('user_id'),
    keep: field
      .oneOf(['first', 'last', 'none', 'any'])
      .default('first')
      .doc(
        'Which one of several equal rows to keep; `none` keeps only rows that have no duplicate. `first` and `any` pass a row on at once and remember its values until the run ends; `last` and `none` need all rows.',
      ),
    max_rows: COLLECTING_FIELDS.max_rows.doc(
      'Maximum number of rows collected, or of different rows remembered. More end the run with an error.',
    ),
    max_bytes: COLLECTING_FIELDS.max_bytes.doc(
      'Maximum bytes of rows collected or remembered. More end the run with an error.',
    ),
  },
  seesAllColumns: () => false,
  notInLine: ({ keep }) =>
    needsAllRows(keep) ? { because: `with keep "${keep}" it needs all rows`, instead: 'keep "first"' } : undefined,
  keepsRowsBack: ({ keep }) => needsAllRows(keep),
  waitsForEnd: ({ keep }) => needsAllRows(keep),
  examples: [
    {
      title: 'The last row of each user',
      options: { columns: 'user', keep: 'last' },
      have: [
        { user: 1, n: 1 },
        { user: 2, n: 2 },
        { user: 1, n: 3 },
      ],
      want: [
        { user: 2, n: 2 },
        { user: 1, n: 3 },
      ],
    },
    {
      title: 'Identical rows',
      options: {},
      have: [{ a: 1, b: { c: 2 } }, { b: { c: 2 }, a: 1 }, { a: 2 }],
      want: [{ a: 1, b: { c: 2 } }, { a: 2 }],
    },
  ],
  stage: ({ columns, ...limits }, context) => new DistinctStage(context, columns, limits),
  create({ columns, keep, ...limits }, context) {
    const { stage } = context
    if (!needsAllRows(keep)) return asTransform(new DistinctStage(context, columns, limits))
    const keyOf = identityReader(columns)
    const required = new RequiredColumns(context, columns ?? [])
    const collection = new Collection(stage, limits)
    return {
      needs: 'documents',
      process(batch) {
        required.check(batch)
        collection.keepRows(batch)
        return []
      },
      finish() {
        const found = new Map<string, { at: number; count: number }>()
        const deletes: number[] = []
        collection.rows.forEach(({ batch, row }, at) => {
          if (isDelete(batch, row)) return void deletes.push(at)
          const key = keyOf(batch, row)
          const one = found.get(key)
          if (one === undefined) found.set(key, { at, count: 1 })
          else {
            one.count++
            if (keep === 'last') one.at = at
          }
        })
        const kept = [...found.values()].filter(({ count }) => keep !== 'none' || count === 1).map(({ at }) => at)
        const inOrder = [...kept, ...deletes].toSorted((a, b) => a - b)
        return collection.emitKept(inOrder.map((at) => collection.rows[at]!))
      },
    }
  },
})

function rowOf({ batch, row }: KeptRow): Row {
  return batch.documents![row] as Row
}

/** Tombstones have no columns, so they would all be equal, though each deletes another key. */
function isDelete(batch: Batch, row: number): boolean {
  return isTombstone(batch, row, batch.documents![row] as Row)
}

function isTextOrNull(cell: unknown): boolean {
  return typeof cell === 'string' || cell === null || cell === undefined
}

function needsAllRows(keep: 'first' | 'last' | 'none' | 'any'): boolean {
  return keep === 'last' || keep === 'none'
}

interface Limits {
  readonly max_rows: number
  readonly max_bytes: number
}

/** Lets the first of equal rows through at once, and remembers what makes them equal instead of the rows. */
class DistinctStage implements Stage {
  readonly name = 'distinct.apply'
  readonly needs = 'documents'
  readonly does = 'passes on the first of equal rows, and remembers it for the run'
  readonly #stage: string
  readonly #required: RequiredColumns
  readonly #keyOf: (batch: Batch, row: number) => string
  readonly #limits: Limits
  readonly #seen: RememberedValues

  constructor(context: StageContext, columns: readonly string[] | undefined, limits: Limits) {
    this.#stage = context.stage
    this.#required = new RequiredColumns(context, columns ?? [])
    this.#keyOf = identityReader(columns)
    this.#limits = limits
    this.#seen = new RememberedValues(limits.max_rows, limits.max_bytes)
  }

  mark(): () => void {
    return this.#seen.mark()
  }

  /** @throws {StageMisconfiguredError} when there are more different rows than may be remembered */
  process(batch: Batch): Batch | undefined {
    this.#required.check(batch)
    const kept: number[] = []
    for (let row = 0; row < batch.length; row++) {
      if (isDelete(batch, row)) {
        kept.push(row)
        continue
      }
      const key = this.#keyOf(batch, row)
      if (this.#seen.has(key)) continue
      const full = this.#seen.isFull
      if (full !== undefined) throw this.#tooMany(full, batch, row)
      this.#seen.add(key)
      kept.push(row)
    }
    return batch.pick(kept)
  }

  #tooMany(full: 'values' | 'characters', batch: Batch, row: number): StageMisconfiguredError {
    const { max_rows, max_bytes } = this.#limits
    const [most, option] =
      full === 'values'
        ? [`${max_rows} different rows`, 'max_rows']
        : [`${formatBytes(max_bytes)} of different rows`, 'max_bytes']
    return new StageMisconfiguredError(
      `Cannot remember more than ${most} in stage "${this.#stage}": raise ${option}, or name fewer columns`,
      { topic: batch.topic, partition: batch.partition, offset: batch.offset(row), component: this.#stage },
    )
  }
}

/** Text that is the same for rows that count as equal: by some columns, or by all but those that say where a record came from. */
function identityReader(columns: readonly string[] | undefined): (batch: Batch, row: number) => string {
  if (columns === undefined)
    return (batch, row) => identityOf(comparableRow(withoutOrigin(batch.documents![row] as Row), batch, row))
  const readers = columns.map((column) => [column, columnReader(column)] as const)
  return (batch, row) => {
    const cells = batch.documents![row] as Row
    return identityOf(readers.map(([column, read]) => comparableCell(read(cells) ?? null, column, batch, row)))
  }
}

/** Offsets differ in all records, so with them no two rows would be equal. */
function withoutOrigin(row: Row): Row {
  const origin: readonly string[] = attachedMeta(row) === undefined ? ORIGIN_COLUMNS : ['_meta', ...ORIGIN_COLUMNS]
  if (!('_kafka_offset' in row) && origin === ORIGIN_COLUMNS) return row
  return Object.fromEntries(Object.entries(row).filter(([column]) => !origin.includes(column)))
}
