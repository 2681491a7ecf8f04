/**
 * Rows that a broker refused in a transaction for their own sake, because they are too large for instance. The refusal dooms the
 * transaction, so what is left to do about them is for the next attempt, which leaves them out.
 *
 * The next attempt reads the same records again, in other batches perhaps. A row is recognised by the records that it was made of and
 * by its number among the rows that were made of the same ones.
 */
import type { GroupOffsets } from '../../contracts/offsets.ts'
import type { MillraceError } from '../../errors/index.ts'
import type { Batch, RowSource } from '../../records/batch.ts'
import { sourcesOf } from '../../records/sources.ts'

interface Refused {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly error: MillraceError
}

export class RefusedRows {
  /** By sink, and there by row. */
  readonly #bySink = new Map<object, Map<string, Refused>>()
  #hasNew = false

  /** Records that a sink refused rows of a batch. Those that it has refused before are no news. */
  add(sink: object, batch: Batch, failures: ReadonlyMap<number, MillraceError>): void {
    let refused = this.#bySink.get(sink)
    if (refused === undefined) this.#bySink.set(sink, (refused = new Map()))
    for (const [row, error] of failures) {
      const key = keyOf(batch, row)
      if (refused.has(key)) continue
      const [source] = sourcesOf(batch, row)
      const { topic, partition } = source!.batch
      refused.set(key, { topic, partition, offset: Number(source!.batch.offset(source!.row)), error })
      this.#hasNew = true
    }
  }

  /** Whether rows were refused since this was asked last. */
  takeNews(): boolean {
    const hasNew = this.#hasNew
    this.#hasNew = false
    return hasNew
  }

  /** The rows of a batch that a sink has refused before; undefined when there are none. */
  of(sink: object, batch: Batch): ReadonlyMap<number, MillraceError> | undefined {
    const refused = this.#bySink.get(sink)
    if (refused === undefined || refused.size === 0) return undefined
    const found = new Map<number, MillraceError>()
    for (let row = 0; row < batch.length; row++) {
      const known = refused.get(keyOf(batch, row))
      if (known !== undefined) found.set(row, known.error)
    }
    return found.size === 0 ? undefined : found
  }

  /** Forgets what will not be read again, as these offsets were committed. */
  forget({ offsets }: Pick<GroupOffsets, 'offsets'>): void {
    for (const refused of this.#bySink.values())
      for (const [key, { topic, partition, offset }] of refused)
        if (offsets.some((next) => next.topic === topic && next.partition === partition && offset < next.offset))
          refused.delete(key)
  }
}

function keyOf(batch: Batch, row: number): string {
  const sources = sourcesOf(batch, row)
  return `${nameOf(sources[0]!)} ${nameOf(sources.at(-1)!)} ${sources.length} ${numberAmongSiblings(batch, row)}`
}

function nameOf({ batch, row }: RowSource): string {
  return `${batch.offset(row)} ${batch.partition} ${batch.topic}`
}

/** Rows that were made of the same record lie one after the other: as several rows of one that is stored, or stored one after the other. */
function numberAmongSiblings(batch: Batch, row: number): string {
  const { sources } = batch
  const record = batch.recordOf(row)
  let firstRow = row
  while (firstRow > 0 && batch.recordOf(firstRow - 1) === record) firstRow--
  if (sources === undefined) return String(row - firstRow)
  const madeOf = (stored: number): string => {
    const [source] = sources.of(stored)
    return nameOf(sourcesOf(source!.batch, source!.row)[0]!)
  }
  const own = madeOf(record)
  let firstRecord = record
  while (firstRecord > 0 && madeOf(firstRecord - 1) === own) firstRecord--
  return `${record - firstRecord}.${row - firstRow}`
}
