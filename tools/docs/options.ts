/** docs/options.md */
import { ADMIN_FIELDS } from '../../packages/millrace/src/kafka/properties/admin-fields.ts'
import { KAFKA_SINK_FIELDS } from '../../packages/millrace/src/library/sink/fields.ts'
import { KAFKA_SOURCE_FIELDS } from '../../packages/millrace/src/library/source/fields.ts'
import { GENERATED, optionTable } from './tables.ts'

export function optionsPage(): string {
  return [
    '# Options',
    GENERATED,
    'Every option has a name in camelCase, and often that of a Kafka property; use either, but not both. Durations are ISO-8601 (`PT0.5S`) or milliseconds. ' +
      'Properties that the Java clients know and that mean nothing here are accepted with a warning.',
    'Options of sources, sinks and functions of pipeline files: [components](components/README.md). The library has the same ones with defaults of its own:',
    '## Library: `KafkaSource`',
    optionTable(KAFKA_SOURCE_FIELDS),
    '## Library: `KafkaSink`',
    optionTable(KAFKA_SINK_FIELDS),
    '## Library: `Admin`',
    optionTable(ADMIN_FIELDS),
  ].join('\n\n')
}
