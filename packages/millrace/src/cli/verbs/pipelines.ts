/**
 * Commands that work on a pipeline file.
 */
import type { ReadingOptions } from '../../dialects/index.ts'
import { LOG_LEVELS, READING, type Verb } from './verb.ts'

const FILE = { usage: '<file>', doc: 'pipeline file, or - for standard input' }
const FILES = { usage: '<files...>', doc: 'pipeline files, or folders of them; - for standard input' }

export const run = {
  name: 'run',
  summary: 'run a pipeline file',
  arguments: [FILE],
  options: [
    { flags: '--until-end', doc: 'stop at the end of the source as it is when the run starts' },
    {
      flags: '--http <address>',
      doc: 'serve metrics, health and the dashboard at a port or address while it runs; "off" serves nothing',
    },
    { flags: '--hide-values', doc: 'show nothing of keys, values and headers of records in the dashboard' },
    {
      flags: '--log-level <level>',
      doc: 'what to report: everything, warnings and errors, or errors only',
      value: LOG_LEVELS,
      default: 'info',
    },
    {
      flags: '--log-interval <seconds>',
      doc: 'time between two lines about progress when standard error is not a terminal',
      value: 'count',
      default: 10,
    },
    ...READING,
  ],
  json: 'print one JSON object when the run ends',
  help: `
Runs until the source ends or the run is stopped. Offsets are committed only after the sink acknowledges, so a run that is
killed loses nothing: the next run continues from the last commit.

Ctrl-C, SIGTERM or SIGHUP stops the run gracefully: records in flight are delivered and committed first. A second signal stops it at
once. On a terminal, a progress line is shown; otherwise one line of JSON is written to standard error every 10 seconds, or as
--log-interval says.

Examples:
  millrace run orders.yaml                     run until Ctrl-C
  millrace run orders.yaml --until-end         process the records that exist now, then stop
  millrace run orders.yaml --until-end --json  print the result as one JSON object
  millrace run orders.yaml --http 9600         dashboard at http://127.0.0.1:9600, metrics at /metrics`,
  run: async ([file]: [string], options) => (await import('../run.ts')).run(file, options),
} satisfies Verb<ReadingOptions & import('../run.ts').RunFlags>

export const lint = {
  name: 'lint',
  alias: 'validate',
  summary: 'check pipeline files without a broker',
  arguments: [FILES],
  options: READING,
  help: `
Checks everything that can be checked without a broker: names, types and ranges of options, rules that span options, stages,
and environment variables. Prints one line per problem: FILE:LINE:COLUMN path: message (suggestion). Exits with 2 if there
are any problems.

Examples:
  millrace lint orders.yaml
  millrace lint pipelines --json       all pipeline files in a folder, except test cases
  cat orders.yaml | millrace lint -
  millrace lint orders.yaml --env-file .env`,
  run: async ([files]: [readonly string[]], options) => (await import('../lint.ts')).lint(files, options),
} satisfies Verb<ReadingOptions & { readonly json?: true }>

export const explain = {
  name: 'explain',
  summary: 'explain how a pipeline file would run',
  arguments: [FILE],
  options: READING,
  help: `
Shows how a pipeline would run, without connecting to anything: what is read and written, the lane that records take
(verbatim, bytes, fields or documents) and why, the delivery guarantee, when offsets are committed, and what bounds memory.

Example:
  millrace explain orders.yaml`,
  run: async ([file]: [string], options) => (await import('../explain.ts')).explain(file, options),
} satisfies Verb<ReadingOptions & { readonly json?: true }>

export const check = {
  name: 'check',
  summary: 'verify that brokers, topics and files can be reached',
  arguments: [FILE],
  options: READING,
  help: `
Connects to the source and the sink and reports, with timings, whether each part is usable: configuration, connection,
topics with their partitions and record counts, and the consumer group with its committed offsets. No group is joined, and
nothing is read or written. Exits with 3 if something cannot be reached, and with 2 if the file has problems.

Example:
  millrace check orders.yaml`,
  run: async ([file]: [string], options) => (await import('../check.ts')).check(file, options),
} satisfies Verb<ReadingOptions & { readonly json?: true }>

export const test = {
  name: 'test',
  summary: 'run the test cases of pipeline files, without a broker',
  arguments: [FILES],
  options: READING,
  help: `
The test cases of orders.yaml are in orders.test.yaml (or .test.json, .test.toml). Each case passes records through the
stages and states what must come out:

  environment: { MINIMUM: "100" }        # optional: values for the variables of the pipeline file
  cases:
    - name: keeps high-value orders
      given:
        - { id: 1, amount: 250 }
        - { id: 2, amount: 12 }
        - { id: 3, amount: 100, _meta: { key: c-7, headers: { trace: abc }, timestamp: 1767225600000 } }
      expect:
        - { id: 1, amount: 250, tier: high }
        - { id: 3, amount: 100, tier: high, _meta: { key: c-7 } }
    - name: refuses a value that is not JSON
      given: [{ _raw: "not JSON" }]
      error: DECODE_FAILED               # an error code, or part of the message

For a stage graph with several sources or sinks, list records by stage. Sinks that are not listed are not compared:

      given: { consume: [{ id: 1 }], load: [{ id: 2 }] }
      expect: { high: [{ id: 1 }] }

In a file with several pipelines, pipeline: NAME selects the one that a case tests; the default is the first.

A null under given is a tombstone. In _meta, only the fields listed under expect are compared: key, headers, topic, partition,
offset, timestamp. Exits with 1 if a case fails.

Examples:
  millrace test orders.yaml
  millrace test pipelines --json   all pipeline files of a folder that have test cases`,
  run: async ([files]: [readonly string[]], options) => (await import('../test.ts')).test(files, options),
} satisfies Verb<ReadingOptions & { readonly json?: true }>

export const dryRun = {
  name: 'dry-run',
  summary: 'run a pipeline, but print its output instead of writing it',
  arguments: [FILE],
  options: [
    { flags: '--max <count>', doc: 'stop after this many output records', value: 'count', default: 10 },
    {
      flags: '--from <where>',
      doc: 'where to start: where run would start, at the first record, or after the last one',
      value: ['run', 'earliest', 'latest'],
      default: 'run',
    },
    { flags: '--follow', doc: 'wait for new records at the end of the topic' },
    ...READING,
  ],
  json: 'print one JSON object that holds the records',
  help: `
Reads the real source, runs the real stages, and prints each record that would be written as one line of JSON. No group is
joined, nothing is committed and nothing is written, so it is safe beside a running pipeline. In a stage graph, each line
names the sink that would write it, --max applies to each sink, and http.fetch sends its requests.

Examples:
  millrace dry-run orders.yaml
  millrace dry-run orders.yaml --from earliest --max 3 | jq .value`,
  run: async ([file]: [string], options) => (await import('../dry-run.ts')).dryRun(file, options),
} satisfies Verb<import('../dry-run.ts').DryRunOptions>

export const create = {
  name: 'new',
  summary: 'create a starter pipeline file',
  arguments: [
    {
      usage: '[name]',
      doc: 'name of the pipeline, or its file NAME.yaml or NAME.yml; if omitted, the file is printed',
    },
  ],
  options: [
    { flags: '--source <type>', doc: 'type of the source', default: 'kafka' },
    { flags: '--sink <type>', doc: 'type of the sink', default: 'kafka' },
    { flags: '--force', doc: 'overwrite an existing file' },
  ],
  help: `
Comments in the file explain each option. millrace list shows all types of sources and sinks.

Examples:
  millrace new hello --source generate --sink stdout   needs no broker
  millrace new orders
  millrace new import --source file --sink kafka`,
  run: async ([name]: [string | undefined], options) => (await import('../new.ts')).create(name, options),
} satisfies Verb<import('../new.ts').NewOptions>
