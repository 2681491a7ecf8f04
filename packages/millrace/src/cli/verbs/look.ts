/**
 * Commands that look at clusters, topics and components.
 */
import { CONNECTION } from './connection-options.ts'
import { SHELLS } from './shells.ts'
import { READING, type Verb, type VerbOption } from './verb.ts'

/** Which of several sources of a file. */
const WHICH: readonly VerbOption[] = [
  { flags: '--stage <id>', doc: 'source of a graph of stages; its first one when omitted' },
  { flags: '--pipeline <name>', doc: 'pipeline of a file with several; its first one when omitted' },
]

export const read = {
  name: 'read',
  summary: 'print the records of a topic, or of the source of a pipeline file',
  arguments: [{ usage: '[file]', doc: 'pipeline file whose source is read; or use --topic' }],
  options: [
    { flags: '-t, --topic <topic>', doc: 'topic to read' },
    ...CONNECTION,
    ...READING,
    ...WHICH,
    { flags: '-n, --max <count>', doc: 'stop after so many records', value: 'count' },
    {
      flags: '--from <where>',
      doc: 'where to begin: at the first record, behind the last one, or where a run of the file would',
      value: ['earliest', 'latest', 'run'],
      default: 'earliest',
    },
    { flags: '--until-end', doc: 'stop at the end of what is there; so it is unless --follow is given' },
    { flags: '--follow', doc: 'wait for new records at the end of what is there' },
    { flags: '--values', doc: 'print values only' },
  ],
  json: 'print one JSON object with the records instead of lines',
  help: `
Each record is a line of JSON: topic, partition, offset, timestamp, key, headers, value. A value that is JSON stands there
as it is; other text has "valueEncoding": "text", other bytes "base64". No group is joined and nothing is committed.

Examples:
  millrace read --topic orders --max 5
  millrace read orders.yaml --values | jq .amount
  millrace read graph.toml --stage consume --max 5
  millrace read --topic orders --from latest --follow
  millrace read --topic orders -b kafka:9093 -o security.protocol=SSL`,
  run: async ([file]: [string | undefined], options) => (await import('../read.ts')).read(file, options),
} satisfies Verb<import('../read.ts').ReadOptions>

export const discover = {
  name: 'discover',
  summary: 'list the topics of a cluster with partitions, records and the shape of their values',
  arguments: [{ usage: '[file]', doc: 'pipeline file whose source says where to look; or use --bootstrap-servers' }],
  options: [
    { flags: '-t, --topic <pattern>', doc: 'only topics of this name; * stands for any characters' },
    ...CONNECTION,
    ...WHICH,
    ...READING,
    {
      flags: '--sample <count>',
      doc: 'records of each topic from which the shape is inferred',
      value: 'count',
      default: 100,
    },
    { flags: '-f, --format <format>', doc: 'how to print', value: ['table', 'json', 'yaml'], default: 'table' },
  ],
  help: `
The shape is a JSON Schema of the values found: types, nested fields, which fields every record has. Nothing is committed.

Examples:
  millrace discover -b localhost:9092
  millrace discover orders.yaml --format yaml
  millrace discover --topic 'orders*' --sample 1000 --json`,
  run: async ([file]: [string | undefined], options) => (await import('../discover.ts')).discover(file, options),
} satisfies Verb<import('../discover.ts').DiscoverOptions>

export const list = {
  name: 'list',
  summary: 'list all components that a pipeline file may name',
  help: `
Example:
  millrace list`,
  run: async (_: [], options) => (await import('../list.ts')).list(options),
} satisfies Verb<{ readonly json?: true }>

export const info = {
  name: 'info',
  summary: 'tell all about a component: options, defaults, examples',
  arguments: [{ usage: '<name>', doc: 'name of a component, with its kind where there are several: source.kafka' }],
  help: `
Examples:
  millrace info source.kafka
  millrace info generate`,
  run: async ([name]: [string], options) => (await import('../info.ts')).info(name, options),
} satisfies Verb<{ readonly json?: true }>

export const spec = {
  name: 'spec',
  summary: 'print the JSON Schema of a component, or of pipeline files',
  arguments: [
    {
      usage: '[name]',
      doc: 'name of a component, with its kind where there are several: source.kafka; without it of the whole file',
    },
  ],
  help: `
Editors complete and check pipeline files with it. For YAML, the first line of a file may say where it is:

  # yaml-language-server: $schema=pipeline.schema.json

Examples:
  millrace spec > pipeline.schema.json
  millrace spec sink.kafka`,
  run: async ([name]: [string | undefined], options) => (await import('../spec.ts')).spec(name, options),
} satisfies Verb<{ readonly json?: true }>

export const completion = {
  name: 'completion',
  summary: 'print what makes a shell complete commands and options',
  arguments: [{ usage: '<shell>', doc: SHELLS.join(', '), values: SHELLS }],
  help: `
Examples:
  source <(millrace completion bash)                                      in ~/.bashrc
  source <(millrace completion zsh)                                       in ~/.zshrc, after compinit
  millrace completion fish > ~/.config/fish/completions/millrace.fish`,
  run: async ([shell]: [string], options, verbs) =>
    (await import('../completion.ts')).completion(shell, options, verbs),
} satisfies Verb<{ readonly json?: true }>
