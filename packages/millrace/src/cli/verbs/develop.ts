/** Commands for development and tests. */
import type { DevOptions } from '../dev.ts'
import { READING, type Verb } from './verb.ts'

export const dev = {
  name: 'dev',
  summary: 'run a pipeline file on a Kafka broker in memory, and again when it changes',
  arguments: [{ usage: '<file>', doc: 'pipeline file' }],
  options: [
    {
      flags: '-i, --input <file>',
      doc: 'JSON Lines file to write to the topics that are read (default: orders are generated)',
    },
    { flags: '--rate <count>', doc: 'orders to generate each second', value: 'count', default: 5 },
    { flags: '--key <field>', doc: 'field of the input to use as the key of the records' },
    { flags: '--records', doc: 'print whole records as JSON, with topic, partition, offset, key and headers' },
    { flags: '-p, --port <number>', doc: 'port of the broker; 0 for a free one', value: 'index', default: 0 },
    { flags: '--partitions <count>', doc: 'partitions of the topics', value: 'count', default: 3 },
    { flags: '--data <folder>', doc: 'folder in which topics and offsets survive; in memory when omitted' },
    ...READING,
  ],
  json: false,
  help: `
Starts an embedded broker, creates the topics that the file names, writes input to those that are read, runs the file, and prints what
is written. When the file changes, it is checked and run again; topics and committed offsets stay. Stop it with Ctrl-C.

All clusters that the file names are replaced by the broker, without TLS and authentication; groups begin with the first record.
Schema registries and other services are used as the file says. Records go to standard output, everything else to standard error.

Examples:
  millrace dev orders.yaml                         generated orders, five a second
  millrace dev orders.yaml --input orders.jsonl    the lines of a file
  millrace dev orders.yaml --rate 1000 --records   more of them, printed as whole records`,
  run: async ([file]: [string], options) => (await import('../dev.ts')).dev(file, options),
} satisfies Verb<DevOptions>

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
    {
      flags: '--retention-bytes <bytes>',
      doc: 'most bytes of all topics together; the oldest records are deleted first (default: 268435456)',
      value: 'count',
    },
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
