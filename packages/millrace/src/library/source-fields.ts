/** The options of a `KafkaSource`, and the rules across them. */
import { CONSUMER_FIELDS } from '../kafka/properties/consumer-fields.ts'
import { CONSUMER_RULES } from '../kafka/properties/rules.ts'
import { problem, type OptionRule } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { formatProblem } from './formats.ts'

/** Options of a `KafkaSource`, declared once: names in camelCase, or as Kafka spells them (`'fetch.min.bytes'`). */
export const KAFKA_SOURCE_FIELDS = {
  ...CONSUMER_FIELDS,
  topics: field.list(field.topic(), { commaText: true }).aliases('topic').doc('Topics to read.').example(['orders']),
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
