/** Waiting for what was read of partitions that the group wants back. */
import { AbortedError } from '../../../errors/index.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { Warn } from '../options.ts'
import type { OffsetLedger } from './offset-ledger.ts'

/**
 * Resolves when everything that was read of them is acknowledged, when the time is over, which is reported, or when the signal fires.
 * @param deadline fires when the time is over, or everything is to end
 */
export async function drainRevoked(
  ledger: OffsetLedger,
  partitions: readonly TopicPartition[],
  deadlineMs: number,
  deadline: AbortSignal,
  stop: AbortSignal,
  warn: Warn,
): Promise<void> {
  // On close, no batch is being processed any more, so there is nothing to wait for.
  if (stop.aborted) return
  try {
    await ledger.drained(partitions, deadline)
  } catch (error) {
    if (!(error instanceof AbortedError)) throw error
    if (stop.aborted) return
    const facts = { event: 'partitions.undrained', partitions: partitions.length, deadlineMs } as const
    warn('Partitions were revoked before all their records were delivered; the rest will be read again', facts)
  }
}
