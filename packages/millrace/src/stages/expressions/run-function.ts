/**
 * The limit of time for the stages in which `$function` is used.
 *
 * A limit costs some tenths of a millisecond, so there is one for all calls of a batch and not one for each. When it is over,
 * the record that was being worked on fails, and the batch is done again without it.
 */
import { Script } from 'node:vm'
import type { RowFailed, Stage } from '../../contracts/stage.ts'
import type { Batch } from '../../records/batch.ts'
import type { RecordError } from '../../errors/index.ts'
import { functionContext, latestDocument } from './function-source.ts'
import { stageFailed } from '../rows.ts'

/** What the calls of a batch may take together: this, and so much for each record. */
const LIMIT_MS = 1000
const LIMIT_PER_RECORD_MS = 1

/** A stage with functions, of which none may run for ever. */
export class LimitedStage implements Stage {
  readonly name: string
  readonly needs: Stage['needs']
  readonly does?: string
  readonly changesKeys: boolean
  readonly combinesRows: boolean
  readonly #inner: Stage
  readonly mark?: () => () => void

  constructor(inner: Stage) {
    this.#inner = inner
    this.name = inner.name
    this.needs = inner.needs
    this.changesKeys = inner.changesKeys === true
    this.combinesRows = inner.combinesRows === true
    if (inner.does !== undefined) this.does = inner.does
    if (inner.mark !== undefined) this.mark = () => inner.mark!()
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    const rows = Array.from({ length: batch.length }, (_, row) => row)
    for (;;) {
      const current = batch.pick(rows)
      if (current === undefined) return undefined
      const failures: [row: number, error: RecordError][] = []
      const restore = this.#inner.mark?.()
      const limitMs = LIMIT_MS + LIMIT_PER_RECORD_MS * current.length
      const work = (): Batch | undefined =>
        this.#inner.process(current, failed && ((row, error) => failures.push([rows[row]!, error])))
      const done = within(limitMs, work)
      if (done !== undefined) {
        for (const [row, error] of failures) failed!(row, error)
        return done.result
      }
      restore?.()
      const error = new Error(`$function took longer than ${limitMs / 1000} s`)
      const guilty = current.documents?.indexOf(latestDocument()) ?? -1
      // Stages that look at several documents work on copies, so nobody knows which it was.
      const lost = guilty < 0 ? rows.splice(0) : rows.splice(guilty, 1)
      for (const row of lost) stageFailed(batch, row, this.name, error, failed)
    }
  }
}

const RUN = new Script('$$run()', { filename: '$function' })

/** @returns undefined when the time was over */
function within<T>(limitMs: number, work: () => T): { readonly result: T } | undefined {
  const context = functionContext()
  context['$$run'] = work
  try {
    return { result: RUN.runInContext(context, { timeout: limitMs }) as T }
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  } finally {
    delete context['$$run']
  }
}
