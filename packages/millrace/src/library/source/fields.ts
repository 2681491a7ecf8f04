/** Options of a `KafkaSource`, declared once, and what they must be together. */
import { CONSUMER_FIELDS } from '../../kafka/properties/consumer-fields.ts'
import { CONSUMER_RULES } from '../../kafka/properties/rules.ts'
import type { ConsumerSettings } from '../../kafka/properties/settings.ts'
import type { CommitMode } from '../../kafka/consumer/options.ts'
import { problem, type OptionRule, type Options, type ValueType } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { formatProblem } from '../formats.ts'
import type { Topic } from './topic-patterns.ts'

const topicName = field.topic().type

/** A name, or a regular expression that a program gives. */
const topicOrPattern: ValueType<Topic> = {
  expected: `${topicName.expected}; or a regular expression`,
  schema: topicName.schema,
  read: (value, report) => (value instanceof RegExp ? value : topicName.read(value, report)),
}

/** An offset as a number, or as a `bigint`, as records have it. */
const offset: ValueType<number> = {
  expected: 'an offset: a whole number of at least 0',
  schema: { type: 'integer', minimum: 0 },
  read(value, report) {
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
    report({ expected: this.expected, found: value })
    return 0
  },
}

/** Options of a `KafkaSource`, declared once: names in camelCase, or as Kafka spells them (`'fetch.min.bytes'`). */
export const KAFKA_SOURCE_FIELDS = {
  ...CONSUMER_FIELDS,
  topics: field
    .list(field.of(topicOrPattern), { commaText: true })
    .optional()
    .aliases('topic')
    .doc(
      'Topics to read: names, and in programs regular expressions, of which new matches are looked for every `metadataMaxAgeMs` and read from their beginning. Or name `partitions`.',
    )
    .example(['orders']),
  partitions: field
    .list(
      field.object({
        topic: field.topic().doc('Topic of the partition.'),
        partition: field.int({ min: 0 }).doc('Number of the partition.'),
        offset: field.of(offset).optional().doc('Where to begin. By default where `autoOffsetReset` says.'),
      }),
    )
    .optional()
    .doc('Partitions to read, and no others, without a group. In place of `topics`.')
    .example([{ topic: 'orders', partition: 0 }]),
  autoOffsetReset: CONSUMER_FIELDS.autoOffsetReset.default('earliest'),
  untilEnd: field.boolean().default(false).doc('Stop at the end that each partition has when it is first assigned.'),
  commit: field
    .object({
      strategy: field
        .oneOf(['auto', 'periodic', 'each_batch', 'manual', 'on_checkpoint'], {
          eachBatch: 'each_batch',
          onCheckpoint: 'on_checkpoint',
        })
        .doc(
          '`auto`: every `auto.commit.interval.ms`; `periodic`: every `interval`; `each_batch`: as soon as a batch is acknowledged; `manual`: only with `commit()`; `on_checkpoint`: only with `checkpoint()`.',
        ),
      interval: field
        .durationMs({ min: 1 })
        .optional()
        .doc('Time between commits with `periodic`. By default 5 s.')
        .example('PT5S'),
    })
    .optional()
    .doc('When acknowledged offsets are committed. By default `auto`, or `manual` if `enable.auto.commit` is false.'),
}

export const KAFKA_SOURCE_RULES: readonly OptionRule<typeof KAFKA_SOURCE_FIELDS>[] = [
  ...CONSUMER_RULES,
  ({ keyDeserializer }) =>
    formatProblem('keyDeserializer', keyDeserializer, 'pass decode, for example {key: (bytes) => bytes.readInt32BE()}'),
  ({ valueDeserializer }) =>
    formatProblem(
      'valueDeserializer',
      valueDeserializer,
      'pass decode, for example {value: (bytes) => bytes.readInt32BE()}',
    ),
  ({ topics, partitions, groupId }) =>
    topics === undefined && partitions === undefined
      ? problem('topics', 'Missing option "topics"', 'for example topics: ["orders"]')
      : partitions === undefined
        ? undefined
        : topics !== undefined
          ? problem('partitions', 'Cannot use both topics and partitions', 'delete one')
          : groupId !== undefined
            ? problem('partitions', 'partitions cannot be used with a groupId, as a group assigns them', 'delete one')
            : undefined,
  ({ commit, groupId }) =>
    commit !== undefined && groupId === undefined
      ? problem('commit', 'commit requires a groupId, as offsets are committed for a consumer group', 'set groupId')
      : undefined,
  ({ commit }) =>
    commit?.interval !== undefined && commit.strategy !== 'periodic'
      ? problem(
          'commit',
          `commit has an interval, which the strategy "${commit.strategy}" does not use`,
          commit.strategy === 'auto'
            ? 'use the strategy "periodic", or set autoCommitIntervalMs'
            : 'use the strategy "periodic", or remove interval',
        )
      : undefined,
]

/** Between commits of `periodic`. */
const PERIOD_MS = 5000

/** The settings of a consumer for this way to commit. @param isCommitted whether only committed records are to be read, as the program has not chosen */
export function settingsToRead(
  settings: ConsumerSettings,
  commit: Options<typeof KAFKA_SOURCE_FIELDS>['commit'],
  isCommitted: boolean,
): ConsumerSettings {
  const { autoCommitIntervalMs, isolation } = settings
  return {
    ...settings,
    autoCommitIntervalMs: commit?.strategy === 'periodic' ? (commit.interval ?? PERIOD_MS) : autoCommitIntervalMs,
    isolation: isCommitted ? 'read_committed' : isolation,
  }
}

export function commitModeOf({
  commit,
  enableAutoCommit,
}: Pick<Options<typeof KAFKA_SOURCE_FIELDS>, 'commit' | 'enableAutoCommit'>): CommitMode {
  if (commit === undefined) return enableAutoCommit ? 'interval' : 'manual'
  return COMMIT_MODES[commit.strategy]
}

const COMMIT_MODES = {
  auto: 'interval',
  periodic: 'interval',
  each_batch: 'each',
  manual: 'manual',
  on_checkpoint: 'manual',
} as const
