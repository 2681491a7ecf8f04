/**
 * `chunk.apply` and `window.apply`: rows in groups.
 */
import { defineTransform } from '../contracts/functions.ts'
import type { Batch } from '../records/batch.ts'
import { rowText } from './rows/kafka-rows.ts'
import { problem } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { newRows } from '../stages/rows.ts'
import { batchOfRows, gather, syntheticOrigin } from './rows/batches.ts'
import { RowQueue, type TakenRows } from './rows/row-queue.ts'
import { tooMany } from './transforms.ts'

export const chunkApply = defineTransform({
  name: 'chunk.apply',
  summary: 'Collects rows into lists of a given size, one row per list.',
  options: {
    batch_size: field
      .int({ min: 1, max: 10_000 })
      .default(100)
      .doc('Rows per list. The last list may be shorter; in a linear pipeline, the last one of each batch.'),
    output_column: field.string().default('records').doc('Column for the list.'),
  },
  seesAllColumns: () => true,
  made: ({ output_column }) => [output_column],
  keepsRowsBack: () => true,
  examples: [
    {
      title: 'Pairs',
      options: { batch_size: 2 },
      have: [{ a: 1 }, { a: 2 }, { a: 3 }],
      want: [{ records: [{ a: 1 }, { a: 2 }] }, { records: [{ a: 3 }] }],
    },
  ],
  stage: ({ batch_size, output_column }) => ({
    name: 'chunk.apply',
    needs: 'documents',
    does: 'makes lists of the documents of one batch',
    combinesRows: true,
    process(batch) {
      const lists: unknown[] = []
      for (let start = 0; start < batch.length; start += batch_size)
        lists.push({ [output_column]: batch.documents!.slice(start, start + batch_size) })
      return newRows(batch, lists, (made, row) => lists[Math.floor(row / batch_size)] === made)
    },
  }),
  create({ batch_size, output_column }, { stage }) {
    const queue = new RowQueue()
    const origin = syntheticOrigin(stage)
    const chunk = ({ rows, acknowledgement }: TakenRows): Batch => {
      const list = { [output_column]: rows.map(({ batch, row }) => batch.documents![row]) }
      // Written from the texts of the rows, in which integers that a double rounds have their digits (I7).
      const text = `{${JSON.stringify(output_column)}:[${rows.map(({ batch, row }) => rowText(batch, row)).join()}]}`
      const sources = { of: () => rows }
      return batchOfRows([list], { origin, acknowledgement, texts: [text], byteLength: text.length, sources })
    }
    return {
      needs: 'documents',
      process(batch) {
        queue.push(batch)
        const chunks: Batch[] = []
        while (queue.length >= batch_size) chunks.push(chunk(queue.take(batch_size)))
        return chunks
      },
      finish: () => (queue.length === 0 ? [] : [chunk(queue.take(queue.length))]),
    }
  },
})

const MOST_ROWS = 1_000_000

export const windowApply = defineTransform({
  name: 'window.apply',
  summary: 'Splits rows into windows, which aggregate.stream aggregates.',
  options: {
    type: field
      .oneOf(['tumbling', 'sliding', 'session'])
      .default('tumbling')
      .doc('`tumbling` windows follow each other, `sliding` windows overlap, and a `session` ends after a pause.'),
    size: field.int({ min: 1, max: MOST_ROWS }).optional().doc('Rows per tumbling or sliding window.').example(100),
    slide: field
      .int({ min: 1, max: MOST_ROWS })
      .optional()
      .doc('Rows from the start of one sliding window to the start of the next.'),
    gap: field
      .number({ min: 0 })
      .optional()
      .unit('s')
      .doc(
        'Seconds without a row after which a session ends, by the timestamps of records or, without them, by the clock. Noticed when the next row arrives, or at the end.',
      ),
    max_rows: field
      .int({ min: 1 })
      .default(MOST_ROWS)
      .doc('Maximum number of rows per session. More end the run with an error.'),
  },
  rules: [
    ({ type, size }) =>
      type !== 'session' && size === undefined
        ? problem('size', `Missing option "size", which a ${type} window requires`)
        : undefined,
    ({ type, slide }) =>
      type === 'sliding' && slide === undefined
        ? problem('slide', 'Missing option "slide", which a sliding window requires')
        : undefined,
    ({ type, gap }) =>
      type === 'session' && gap === undefined
        ? problem('gap', 'Missing option "gap", which a session window requires')
        : undefined,
  ],
  keepsRowsBack: () => true,
  notInLine: () => ({
    because: 'its windows span several batches',
    instead: '$setWindowFields or $group, which see the records of each batch',
  }),
  examples: [
    {
      title: 'Windows of two rows',
      options: { size: 2 },
      have: [{ a: 1 }, { a: 2 }, { a: 3 }],
      want: [{ a: 1 }, { a: 2 }, { a: 3 }],
    },
  ],
  create({ type, size = MOST_ROWS, slide, gap = 0, max_rows }, { stage }) {
    const queue = new RowQueue()
    const toBatch = ({ rows, acknowledgement }: TakenRows): Batch =>
      gather(rows, syntheticOrigin(stage), acknowledgement)
    const step = type === 'sliding' ? slide! : size
    /** Rows at the front that a window had already. */
    let seen = 0
    /** Rows that lie between two sliding windows. */
    let skip = 0
    const whole = (): Batch[] => {
      const windows: Batch[] = []
      for (;;) {
        const passed = Math.min(skip, queue.length)
        if (passed > 0) queue.take(passed).acknowledgement.ack()
        skip -= passed
        if (queue.length < size) return windows
        windows.push(toBatch(queue.take(size, Math.min(step, size))))
        seen = Math.max(0, size - step)
        skip = Math.max(0, step - size)
      }
    }
    let last: number | undefined
    const sessions = (batch: Batch): Batch[] => {
      const windows: Batch[] = []
      for (let row = 0; row < batch.length; row++) {
        const stamp = batch.timestampMs(row)
        const time = stamp < 0 ? Date.now() : stamp
        if (last !== undefined && time - last > gap * 1000) ends.push(queueLengthBefore + row)
        last = time
      }
      queue.push(batch)
      let taken = 0
      for (const end of ends.splice(0)) {
        windows.push(toBatch(queue.take(end - taken)))
        taken = end
      }
      queueLengthBefore = queue.length
      if (queue.length > max_rows) throw tooMany(stage, 'max_rows', `${queue.length} rows`, String(max_rows))
      return windows
    }
    const ends: number[] = []
    let queueLengthBefore = 0
    return {
      needs: 'documents',
      process(batch) {
        if (type === 'session') return sessions(batch)
        queue.push(batch)
        return whole()
      },
      finish() {
        const rest = queue.length
        if (rest === 0) return []
        const window = toBatch(queue.take(rest))
        if (rest > seen) return [window]
        window.ack() // every row of it was in a window before
        return []
      },
    }
  },
})
