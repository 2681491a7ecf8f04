import type { MillraceError } from '../../errors/index.ts'
import type { Batch, BatchOrigin, RowSource } from '../../records/batch.ts'
import { sourcesOf } from '../../records/sources.ts'

/** A record that failed for good. */
export interface Failure extends RowSource {
  readonly error: MillraceError
  readonly attempts: number
  /** All records that the row was made of which failed, this one among them. */
  readonly madeOf: readonly RowSource[]
}

/**
 * The records of one batch that failed for good. A row that fails stands for every record that it was made of; a record counts
 * once, however many rows were made of it (I7).
 */
export class Failures {
  list: Failure[] = []
  /** Offsets by the partition that they were read from: rows of several may be in one batch, also of several clusters. */
  readonly #records = new Map<BatchOrigin, Set<bigint>>()

  readonly add = (batch: Batch, row: number, error: MillraceError, attempts = 1): void => {
    const madeOf = sourcesOf(batch, row)
    for (const source of madeOf) {
      const { origin } = source.batch
      const offset = source.batch.offset(source.row)
      let offsets = this.#records.get(origin)
      if (offsets === undefined) this.#records.set(origin, (offsets = new Set()))
      if (offsets.has(offset)) continue
      offsets.add(offset)
      this.list.push({ ...source, error, attempts, madeOf })
    }
  }

  /** Leaves the records of a partition from an offset on to the next run, which reads them again. */
  leave({ topic, partition, origin: { reader } }: Batch, from: number): void {
    if (from === Infinity) return
    const isOther = (batch: Batch): boolean =>
      batch.topic !== topic || batch.partition !== partition || batch.origin.reader !== reader
    this.list = this.list.filter(({ batch, row }) => isOther(batch) || Number(batch.offset(row)) < from)
  }
}
