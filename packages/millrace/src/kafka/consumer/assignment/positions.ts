/** Positions as a program names them. */
import { ConfigError } from '../../../errors/index.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { listOffsets } from '../../cluster/log-offsets.ts'
import type { TopicPartition } from '../../topic-partition.ts'

/** An offset, the beginning or the end of a partition, or the first record at a time or later. */
export type Position = number | bigint | 'earliest' | 'latest' | Date | { readonly timestampMs: number }

/**
 * The offset of a position.
 * @throws {ConfigError} for what is no position; {BrokerError} {ConnectionError} {AbortedError}
 */
export async function offsetOf(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
  position: Position,
  signal: AbortSignal,
): Promise<number> {
  if (typeof position === 'number' || typeof position === 'bigint') {
    const offset = Number(position)
    if (Number.isSafeInteger(offset) && offset >= 0) return offset
    throw new ConfigError(`Cannot seek to offset ${position} as it must be a whole number of at least 0`)
  }
  const at =
    position instanceof Date ? position.getTime() : typeof position === 'object' ? position.timestampMs : position
  if (at !== 'earliest' && at !== 'latest' && !Number.isFinite(at))
    throw new ConfigError(`Cannot seek to ${JSON.stringify(position)}: use an offset, "earliest", "latest" or a time`)
  const [found] = await listOffsets(cluster, [{ topic, partition, at }], { signal })
  return found!.offset
}
