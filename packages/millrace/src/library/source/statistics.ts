/** What a `KafkaSource` counts. */
import type { Consumer } from '../../kafka/consumer/consumer.ts'
import type { KafkaSourceMetrics } from '../../metrics/kafka-source-metrics.ts'

/** The numbers of a source since it was created, under the names of the stream processor. */
export interface SourceMetrics {
  /** Records that were passed on. */
  readonly messagesConsumed: number
  /** Bytes of these records, as they were fetched. */
  readonly bytesConsumed: number
  /** Bytes of an average record; 0 before there was one. */
  readonly avgMessageSize: number
  /** Errors that ended reading. */
  readonly errors: number
  /** Commits that succeeded. */
  readonly totalCommits: number
  /** Commits that failed, or of which something was refused. */
  readonly commitFailures: number
  /** Rebalances of the group that this member took part in. */
  readonly rebalanceCount: number
  /** Partitions that it reads at the moment. */
  readonly assignedPartitions: number
  /** Records by topic. */
  readonly messagesPerTopic: { readonly [topic: string]: number }
  /** Records that are still to be read, by topic and partition; those of which that is not known are missing. */
  readonly lagPerPartition: { readonly [topic: string]: { readonly [partition: number]: number } }
}

/** @param ahead records that were taken for a loop, and that it has not seen yet */
export function sourceMetrics(
  counters: KafkaSourceMetrics,
  consumer: Consumer | undefined,
  ahead: number,
): SourceMetrics {
  const { errors } = counters.snapshot()
  const progress = consumer?.progress()
  const status = consumer?.status()
  const messages = (progress?.records ?? 0) - ahead
  const bytes = progress?.bytes ?? 0
  const lags: { [topic: string]: { [partition: number]: number } } = {}
  for (const { topic, partition, lag } of status?.partitions ?? [])
    if (lag !== undefined) (lags[topic] ??= {})[partition] = lag
  return {
    messagesConsumed: messages,
    bytesConsumed: bytes,
    avgMessageSize: messages === 0 ? 0 : bytes / messages,
    errors,
    totalCommits: progress?.commits ?? 0,
    commitFailures: progress?.commitFailures ?? 0,
    rebalanceCount: progress?.rebalances ?? 0,
    assignedPartitions: status?.partitions.length ?? 0,
    messagesPerTopic: Object.fromEntries(Array.from(status?.topics ?? [], ([topic, { records }]) => [topic, records])),
    lagPerPartition: lags,
  }
}
