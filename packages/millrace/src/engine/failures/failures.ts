import type { MillraceError } from '../../errors/index.ts'
import type { Batch, RowSource } from '../../records/batch.ts'
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
  /** Records by topic, partition and offset: rows of several partitions may be in one batch. */
  readonly #records = new Set<string>()

  readonly add = (batch: Batch, row: number, error: MillraceError, attempts = 1): void => {
    const madeOf = sourcesOf(batch, row)
    for (const source of madeOf) {
      const { topic, partition } = source.batch
      const record = `${source.batch.offset(source.row)} ${partition} ${topic}`
      if (this.#records.has(record)) continue
      this.#records.add(record)
      this.list.push({ ...source, error, attempts, madeOf })
    }
  }

  /** Leaves the records of a partition from an offset on to the next run, which reads them again. */
  leave({ topic, partition }: Batch, from: number): void {
    if (from === Infinity) return
    this.list = this.list.filter(
      ({ batch, row }) => batch.topic !== topic || batch.partition !== partition || Number(batch.offset(row)) < from,
    )
  }
}
