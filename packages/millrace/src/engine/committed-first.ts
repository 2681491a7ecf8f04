import type { SourceOffsets } from '../contracts/offsets.ts'
import type { Batch } from '../records/batch.ts'

/**
 * The batches whose offsets could be committed before anything is made of them: `at_most_once`. Whole batches, as a part of
 * one cannot be committed; what was lost to a rebalance in between is the next owner's.
 */
export async function* committedFirst(batches: AsyncIterable<Batch>, offsets: SourceOffsets): AsyncGenerator<Batch> {
  for await (const batch of batches) if (await offsets.commitBefore(batch)) yield batch
}
