/**
 * Commands that look at clusters, topics and components.
 */
import { CONNECTION } from './connection-options.ts'
import { SHELLS } from './shells.ts'
import { READING, WHICH, type Verb } from './verb.ts'

export const read = {
  name: 'read',
  summary: 'print records of a topic, or of the source of a pipeline file',
  arguments: [{ usage: '[file]', doc: 'pipeline file whose source to read; or use --topic' }],
  options: [
    { flags: '-t, --topic <topic>', doc: 'topic to read' },
    ...CONNECTION,
    ...READING,
    ...WHICH,
    { flags: '-n, --max <count>', doc: 'stop after this many records', value: 'count' },
    { flags: '--count <count>', doc: 'the same as --max', value: 'count' },
    { flags: '--partition <number>', doc: 'read only this partition', value: 'index' },
    { flags: '--offset <number>', doc: 'start at this offset of --partition', value: 'index' },
    {
      flags: '--from <where>',
      doc: 'where to start: earliest, latest, run (where run would start), or a time such as 2026-01-31T00:00:00Z',
      default: 'earliest',
    },
    { flags: '--until-end', doc: 'stop at the current end of the topic; this is the default' },
    { flags: '--follow', doc: 'wait for new records at the end of the topic' },
    { flags: '--values', doc: 'print values only' },
  ],
  json: 'print one JSON object that holds the records',
  help: `
Prints each record as one line of JSON: topic, partition, offset, timestamp, key, headers, value. A JSON value is printed as
it is; other text has "valueEncoding": "text", and bytes that are not UTF-8 have "base64". No group is joined and nothing is
committed.

Examples:
  millrace read --topic orders --max 5
  millrace read --topic orders --from 2026-01-31T12:00:00Z
  millrace read orders.yaml --values | jq .amount
  millrace read graph.toml --stage consume --max 5
  millrace read --topic orders --partition 1 --offset 2 --count 1
  millrace read --topic orders --from latest --follow
  millrace read --topic orders -b kafka:9093 -o security.protocol=SSL`,
  run: async ([file]: [string | undefined], options) => (await import('../read.ts')).read(file, options),
} satisfies Verb<import('../read.ts').ReadOptions>

export const discover = {
  name: 'discover',
  summary: 'list topics with their partitions, record counts and the shape of their values',
  arguments: [{ usage: '[file]', doc: 'pipeline file whose source names the cluster; or use --bootstrap-servers' }],
  options: [
    { flags: '-t, --topic <pattern>', doc: 'only topics with this name; * matches any characters' },
    ...CONNECTION,
    ...WHICH,
    ...READING,
    {
      flags: '--sample <count>',
      doc: 'number of records to sample from each topic',
      value: 'count',
      default: 100,
    },
    { flags: '-f, --format <format>', doc: 'output format', value: ['table', 'json', 'yaml'], default: 'table' },
  ],
  help: `
The shape of the values is inferred from the sampled records as a JSON Schema: types, nested fields, and which fields every
record has. Nothing is committed.

Examples:
  millrace discover -b localhost:9092
  millrace discover orders.yaml --format yaml
  millrace discover --topic 'orders*' --sample 1000 --json`,
  run: async ([file]: [string | undefined], options) => (await import('../discover.ts')).discover(file, options),
} satisfies Verb<import('../discover.ts').DiscoverOptions>

export const list = {
  name: 'list',
  summary: 'list all sources, sinks, stages, functions and connectors',
  help: `
Example:
  millrace list`,
  run: async (_: [], options) => (await import('../list.ts')).list(options),
} satisfies Verb<{ readonly json?: true }>

export const info = {
  name: 'info',
  summary: "show a component's options, defaults and examples",
  arguments: [
    {
      usage: '<name>',
      doc: 'name of a component; add its kind if the name is ambiguous, as in source.kafka',
      values: 'components',
    },
  ],
  help: `
Examples:
  millrace info source.kafka
  millrace info generate`,
  run: async ([name]: [string], options) => (await import('../info.ts')).info(name, options),
} satisfies Verb<{ readonly json?: true }>

export const spec = {
  name: 'spec',
  summary: 'print the JSON Schema of pipeline files, or of a component',
  arguments: [
    {
      usage: '[name]',
      doc: 'name of a component; add its kind if the name is ambiguous, as in source.kafka (default: whole pipeline files)',
      values: 'components',
    },
  ],
  help: `
Editors use the schema to complete and validate pipeline files. In YAML, name it in the first line of the file:

  # yaml-language-server: $schema=pipeline.schema.json

Examples:
  millrace spec > pipeline.schema.json
  millrace spec sink.kafka`,
  run: async ([name]: [string | undefined], options) => (await import('../spec.ts')).spec(name, options),
} satisfies Verb<{ readonly json?: true }>

export const completion = {
  name: 'completion',
  summary: 'print a shell completion script',
  arguments: [{ usage: '<shell>', doc: SHELLS.join(', '), values: SHELLS }],
  help: `
Examples:
  source <(millrace completion bash)                                      in ~/.bashrc
  source <(millrace completion zsh)                                       in ~/.zshrc, after compinit
  millrace completion fish > ~/.config/fish/completions/millrace.fish`,
  run: async ([shell]: [string], options, verbs) =>
    (await import('../completion.ts')).completion(shell, options, verbs),
} satisfies Verb<{ readonly json?: true }>

export const top = {
  name: 'top',
  summary: 'show the numbers of running pipelines in the terminal',
  arguments: [
    { usage: '[address]', doc: 'address of the pipeline: a URL, host and port, or a port; by default localhost:9600' },
  ],
  options: [
    { flags: '--token <token>', doc: 'bearer token of the server; by default MILLRACE_HTTP_TOKEN' },
    { flags: '--once', doc: 'print once and exit (the default when output is not a terminal)' },
  ],
  json: 'print one JSON object that holds the status',
  help: `
Shows what the dashboard shows, refreshed every second: health and the reasons for it, rates, lag, partitions that are behind, failures and events. The
pipeline must be served with http in its file, or with run --http.

Examples:
  millrace top
  millrace top http://pipelines-1:9600
  millrace top --json | jq .result.ready`,
  run: async ([address]: [string | undefined], options) => (await import('../top.ts')).top(address, options),
} satisfies Verb<import('../top.ts').TopOptions>
