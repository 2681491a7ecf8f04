/**
 * Options of the `kafka` source of pipelines: the names of Fluxion, and every Kafka consumer property.
 *
 * Loads no client, so that lint stays fast.
 */
import { createTopic } from '../../kafka/properties/create-topic.ts'
import { CONSUMER_FIELDS } from '../../kafka/properties/consumer-fields.ts'
import { IGNORED_CONSUMER_FIELDS } from '../../kafka/properties/ignored-fields.ts'
import { CONSUMER_RULES } from '../../kafka/properties/rules.ts'
import { consumerSettings, type ClusterSettings, type ConsumerSettings } from '../../kafka/properties/settings.ts'
import { schemaProblems, SOURCE_SCHEMA_FIELDS, type SourceSchemaOptions } from '../../schema-registry/format-fields.ts'
import { problem, warning, type OptionRule, type Options } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'

export const kafkaSourceFields = {
  topic: field
    .list(field.topic(), { commaText: true })
    .aliases('topics')
    .doc('Topic to read, or several, separated by commas or as a list.')
    .example('orders'),
  pollTimeout: field
    .durationMs()
    .optional()
    .doc(
      'How long to wait for records when there are none. Sets `fetch.max.wait.ms`; by default PT0.5S, at most 5 s less than `request.timeout.ms`.',
    )
    .example('PT0.5S'),
  queueCapacity: field
    .int({ min: 1, max: 10_000 })
    .default(16)
    .doc(
      'Batches that may wait between source and stages. At most one does, because batches are created on demand; fetched bytes are limited by `fetchBufferBytes`.',
    ),
  maxRecords: field
    .int({ min: 1 })
    .optional()
    .doc('Number of records after which the run ends. The next run continues behind them. No limit by default.'),
  maxDuration: field
    .durationMs({ min: 1 })
    .optional()
    .doc('Time after which reading stops and the run ends. No limit by default.')
    .example('PT30S'),
  createTopic,
  ...SOURCE_SCHEMA_FIELDS,
  ...CONSUMER_FIELDS,
  groupId: CONSUMER_FIELDS.groupId.doc(
    'Consumer group. Its members share the partitions, and reading resumes at its committed offsets. By default `fluxion-` and the topic.',
  ),
  ...IGNORED_CONSUMER_FIELDS,
}

export type KafkaSourceOptions = Options<typeof kafkaSourceFields>

export const kafkaSourceRules: readonly OptionRule<typeof kafkaSourceFields>[] = [
  // A pipeline always has a group.
  ...CONSUMER_RULES.map(
    (rule): OptionRule<typeof kafkaSourceFields> =>
      (options, isSet) =>
        rule({ ...options, groupId: groupIdOf(options) }, isSet),
  ),
  (options) =>
    schemaProblems(options, { key: options.keyDeserializer, value: options.valueDeserializer }, 'deserializer'),
  (_, isSet) =>
    isSet('pollTimeout') && isSet('fetchMaxWaitMs')
      ? problem(
          'pollTimeout',
          'Cannot use both pollTimeout and fetch.max.wait.ms as they set the same thing',
          'delete one',
        )
      : undefined,
  ({ pollTimeout, requestTimeoutMs }) =>
    pollTimeout !== undefined && pollTimeout > longestPoll(requestTimeoutMs)
      ? warning(
          'pollTimeout',
          `pollTimeout of ${pollTimeout} ms has the effect of ${longestPoll(requestTimeoutMs)} ms, so that a broker that waits for records does not look lost (request.timeout.ms is ${requestTimeoutMs})`,
        )
      : undefined,
  ({ groupId, topic }) =>
    groupId === undefined
      ? warning(
          'groupId',
          `groupId is not set, so the group is "${groupIdOf({ groupId, topic })}": another pipeline that reads this topic without groupId would share its records`,
          'set groupId to a name of its own',
        )
      : undefined,
  ({ enableAutoCommit }, isSet) =>
    isSet('enableAutoCommit') && enableAutoCommit
      ? warning(
          'enableAutoCommit',
          'A pipeline commits what its sink has acknowledged, and nothing before, whatever enable.auto.commit says',
        )
      : undefined,
]

export interface KafkaSourceSettings {
  readonly topics: readonly string[]
  readonly queueCapacity: number
  /** How to make topics that are missing; undefined leaves them missing. */
  readonly createTopic: KafkaSourceOptions['createTopic']
  readonly maxRecords: number | undefined
  readonly maxDurationMs: number | undefined
  readonly cluster: ClusterSettings
  readonly consumer: ConsumerSettings & { readonly groupId: string }
  readonly schemas: SourceSchemaOptions
}

/** Settings from options that passed `kafkaSourceRules`. */
export function kafkaSourceSettings(options: KafkaSourceOptions): KafkaSourceSettings {
  const topics = [...new Set(options.topic)]
  const { cluster, consumer } = consumerSettings(options)
  return {
    topics,
    queueCapacity: options.queueCapacity,
    createTopic: options.createTopic,
    maxRecords: options.maxRecords,
    maxDurationMs: options.maxDuration,
    cluster,
    schemas: options,
    consumer: {
      ...consumer,
      groupId: groupIdOf(options),
      fetchMaxWaitMs: Math.min(options.pollTimeout ?? consumer.fetchMaxWaitMs, longestPoll(options.requestTimeoutMs)),
    },
  }
}

/** How long a broker may wait for records. A request that takes longer than its timeout closes the connection. */
function longestPoll(requestTimeoutMs: number): number {
  return Math.max(1, requestTimeoutMs - Math.min(5000, requestTimeoutMs / 2))
}

/** The group of a pipeline, also where its file names none. */
export function groupIdOf({ groupId, topic }: Pick<KafkaSourceOptions, 'groupId' | 'topic'>): string {
  return groupId ?? `fluxion-${[...new Set(topic)].join('-')}`
}
