import type { SourceOffsets } from '../contracts/offsets.ts'
import type { Batch } from '../records/batch.ts'

/**
 * The batches whose offsets could be committed before anything is made of them: `at_most_once`. It comes after whatever cuts
 * batches, so that a run commits exactly what it processes; what was lost to a rebalance in between is the next owner's.
 *
 * @param room waited for before a commit, as what is committed must be processed. @throws what ends the run
 */
export async function* committedFirst(
  batches: AsyncIterable<Batch>,
  offsets: SourceOffsets,
  room: () => Promise<void>,
): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    await room()
    if (await offsets.commitBefore(batch)) yield batch
  }
}
