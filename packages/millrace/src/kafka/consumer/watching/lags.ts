/** How far partitions were delivered, and how far that is from their ends. */
import type { Fetcher } from '../fetching/fetcher.ts'
import type { ConsumedPartition } from '../partitions/consumed-partition.ts'
import type { PartitionLag } from '../progress.ts'

type LogEnds = Pick<Fetcher, 'logEnd'>

/** Records between what was delivered and the end, of all partitions; undefined until every one has answered. */
export function totalLag(partitions: Iterable<ConsumedPartition>, ends: LogEnds): number | undefined {
  let lag = 0
  for (const { topic, partition, state, delivered, end } of partitions) {
    const logEnd = end ?? ends.logEnd(topic, partition)
    if (logEnd === undefined || state === 'assigned') return undefined
    lag += Math.max(0, logEnd - delivered)
  }
  return lag
}

/** @param now milliseconds since 1970 */
export function lagOf(
  { topic, partition, state, delivered, end, newest }: ConsumedPartition,
  ends: LogEnds,
  now: number,
): PartitionLag {
  const position = state === 'assigned' ? undefined : BigInt(delivered)
  const logEnd = end ?? ends.logEnd(topic, partition)
  const endOffset = logEnd === undefined ? undefined : BigInt(Math.max(logEnd, delivered))
  const lag = position === undefined || endOffset === undefined ? undefined : endOffset - position
  const age = newest === undefined ? undefined : Math.max(0, now - newest)
  return { topic, partition, position, endOffset, lag, lagMs: lag === 0n ? 0 : age }
}
