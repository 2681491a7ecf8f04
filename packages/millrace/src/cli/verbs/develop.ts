/** Commands for development and tests. */
import type { Verb } from './verb.ts'

export const broker = {
  name: 'broker',
  summary: 'run a Kafka broker in memory, for development and tests',
  options: [
    { flags: '-p, --port <number>', doc: 'port of the first node; 0 for a free one', value: 'index', default: 9092 },
    { flags: '--host <address>', doc: 'address to listen on', default: '127.0.0.1' },
    {
      flags: '--nodes <count>',
      doc: 'number of nodes, on consecutive ports',
      value: 'count',
      default: 1,
    },
    {
      flags: '-t, --topics <topics>',
      doc: 'topics to create, such as orders or orders:6 for 6 partitions',
      value: 'list',
    },
    { flags: '--data <folder>', doc: 'folder in which everything survives the broker; created if need be' },
    { flags: '--no-auto-create', doc: 'do not create topics when clients ask for them' },
  ],
  json: 'print one JSON object, with the address, when the broker is ready',
  help: `
Speaks Kafka's protocol, so any Kafka client can use it. Everything is kept in memory and is gone when the broker stops, unless
--data names a folder. Use Apache Kafka for anything other than development and tests. It stops with Ctrl-C.

Examples:
  millrace broker --topics orders:6 --topics orders-high-value
  millrace broker --port 0 --json   use a free port, reported in result.bootstrapServers
  millrace broker --data ./kafka    keep topics, records and offsets in a folder`,
  run: async (_: [], options) => (await import('../broker.ts')).broker(options),
} satisfies Verb<import('../broker.ts').BrokerCommandOptions>
