import type { Batch } from '../../records/batch.ts'
import type { MillraceError } from '../../errors/index.ts'

/** A record that failed for good. */
export interface Failure {
  readonly batch: Batch
  /** Row of `batch`. Its stored key, value and headers are what was read, whatever stages made of it. */
  readonly row: number
  readonly error: MillraceError
  readonly attempts: number
}

/** The records of one batch that failed for good. A record counts once, however many documents a stage made of it. */
export class Failures {
  readonly list: Failure[] = []
  /** By offset, as stages may lay records out anew. */
  readonly #offsets = new Set<bigint>()

  readonly add = (batch: Batch, row: number, error: MillraceError, attempts = 1): void => {
    const offset = batch.offset(row)
    if (this.#offsets.has(offset)) return
    this.#offsets.add(offset)
    this.list.push({ ...asRead(batch, row), error, attempts })
  }

  /** The rows of a batch without those whose record is among the failures from the index `since` on; undefined when none is left. */
  survivorsOf(batch: Batch, since: number): Batch | undefined {
    if (this.list.length === since) return batch
    const lost = new Set(this.list.slice(since).map((failure) => failure.batch.offset(failure.row)))
    return batch.pick(
      Array.from({ length: batch.length }, (_, row) => row).filter((row) => !lost.has(batch.offset(row))),
    )
  }
}

/** Where a row stands in the batch that was read: a stage may have laid its record out anew. */
function asRead(batch: Batch, row: number): { readonly batch: Batch; readonly row: number } {
  const { original } = batch
  if (original === undefined) return { batch, row }
  const { offsets } = original.records
  const offset = Number(batch.offset(row))
  let [low, high] = [0, offsets.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (offsets[middle]! < offset) low = middle + 1
    else high = middle
  }
  return offsets[low] === offset ? { batch: original.derive({ rows: Int32Array.of(low) }), row: 0 } : { batch, row }
}
