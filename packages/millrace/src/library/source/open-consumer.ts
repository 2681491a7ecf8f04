/** Opens the consumer of a `KafkaSource`. */
import type { Cluster } from '../../kafka/cluster/cluster.ts'
import { Consumer } from '../../kafka/consumer/consumer.ts'
import type { CommitMode, RebalanceListener } from '../../kafka/consumer/options.ts'
import type { ConsumerSettings } from '../../kafka/properties/settings.ts'
import type { Happenings, Report } from '../../metrics/events.ts'
import type { KafkaSourceMetrics } from '../../metrics/kafka-source-metrics.ts'
import type { Options } from '../../options/declaration.ts'
import type { KAFKA_SOURCE_FIELDS } from './fields.ts'
import { TopicPatterns } from './topic-patterns.ts'

export interface OpenedSource {
  readonly options: Options<typeof KAFKA_SOURCE_FIELDS>
  readonly settings: ConsumerSettings
  readonly commits: CommitMode
  readonly listener: RebalanceListener
  readonly events: Happenings & { readonly report: Report }
  readonly counters: KafkaSourceMetrics
  /** Fires when the source is closed. */
  readonly closing: AbortSignal
  /** Given the consumer while the listener works on what it was assigned, and nothing afterwards: opening waits for the listener. */
  readonly onAssigning: (consumer: Consumer | undefined) => void
}

/** @throws as `Consumer.open` */
export async function openConsumer(cluster: Cluster, source: OpenedSource, signal: AbortSignal): Promise<Consumer> {
  const { options, settings, commits, listener, events, counters, closing, onAssigning } = source
  const { report } = events
  const named = options.topics ?? [...new Set(options.partitions?.map(({ topic }) => topic))]
  const patterns = new TopicPatterns(named, report)
  await cluster.connect(signal, undefined, report)
  patterns.add(await patterns.find(cluster, signal))
  const onAssigned: RebalanceListener['onAssigned'] = async (partitions, controls) => {
    onAssigning(opened)
    try {
      await listener.onAssigned?.(partitions, controls)
    } finally {
      onAssigning(undefined)
    }
  }
  const opened: Consumer = new Consumer({
    cluster,
    topics: patterns.topics,
    dropTopic: (topic) => patterns.drop(topic),
    fixed: options.partitions,
    listener: {
      onAssigned,
      onRevoked: (partitions, controls) => listener.onRevoked?.(partitions, controls),
      onLost: (partitions) => listener.onLost?.(partitions),
    },
    settings,
    untilEnd: options.untilEnd,
    commits,
    component: 'kafka',
    warn: report,
    inform: report,
    happenings: events,
    counters,
  })
  await opened.open(signal)
  if (!options.untilEnd)
    patterns.follow(cluster, options.metadataMaxAgeMs, closing, (added) =>
      opened.topicsAdded(added, () => patterns.add(added)),
    )
  return opened
}
