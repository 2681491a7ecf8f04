import type { VerbOption } from './verb.ts'

export const CONNECTION: readonly VerbOption[] = [
  {
    flags: '-b, --bootstrap-servers <list>',
    doc: 'brokers as host:port, separated by commas (default: KAFKA_BOOTSTRAP_SERVERS, else localhost:9092)',
  },
  {
    flags: '-o, --option <name=value>',
    doc: 'any other option of the kafka source, such as security.protocol=SSL; may be repeated',
    value: 'list',
  },
]
