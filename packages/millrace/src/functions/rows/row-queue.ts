/**
 * Rows that wait to be grouped anew, across the borders of the batches in which they came.
 */
import { SharedAcknowledgement } from '../../records/acknowledgement.ts'
import type { Acknowledgement, Batch } from '../../records/batch.ts'
import type { KeptRow } from './batches.ts'

interface Waiting extends KeptRow {
  readonly shared: SharedAcknowledgement
  /** Whether it is the last of its batch. */
  readonly isLast: boolean
}

export interface TakenRows {
  readonly rows: readonly KeptRow[]
  /** Acknowledges the part that these rows are of the batches in which they came (I1). */
  readonly acknowledgement: Acknowledgement
}

export class RowQueue {
  #rows: Waiting[] = []

  get length(): number {
    return this.#rows.length
  }

  push(batch: Batch): void {
    if (batch.length === 0) return batch.ack()
    const shared = new SharedAcknowledgement([batch.acknowledgement])
    for (let row = 0; row < batch.length; row++)
      this.#rows.push({ batch, row, shared, isLast: row === batch.length - 1 })
  }

  /** The first rows, of which some are gone afterwards. */
  take(count: number, gone = count): TakenRows {
    const rows = this.#rows.slice(0, count)
    const shares = [...new Set(rows.map(({ shared }) => shared))].map((shared) => shared.share())
    for (const { shared, isLast } of this.#rows.slice(0, gone)) if (isLast) shared.release()
    this.#rows = this.#rows.slice(gone)
    return {
      rows,
      acknowledgement: {
        ack() {
          for (const share of shares) share.ack()
        },
      },
    }
  }
}
