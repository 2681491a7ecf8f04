/**
 * Commands that work on a pipeline file.
 */
import type { ReadingOptions } from '../../dialects/index.ts'
import { READING, type Verb } from './verb.ts'

const FILE = { usage: '<file>', doc: 'pipeline file' }
const FILES = { usage: '<files...>', doc: 'pipeline files' }

export const run = {
  name: 'run',
  summary: 'run a pipeline file',
  arguments: [FILE],
  options: [{ flags: '--until-end', doc: 'stop at the end of what is there when it starts' }, ...READING],
  json: 'print one JSON object at the end',
  help: `
Reads, changes and writes until it is stopped. Offsets are committed only after the sink has acknowledged, so a run that
is killed loses nothing: the next one goes on where the last commit was.

Ctrl-C or SIGTERM stops gracefully: what is in flight is delivered and committed. A second one stops at once.
On a terminal a line shows the progress; otherwise standard error gets one line of JSON every 10 seconds.

Examples:
  millrace run orders.yaml                     until Ctrl-C
  millrace run orders.yaml --until-end         up to the records that were there at the start
  millrace run orders.yaml --until-end --json  one JSON object on standard output at the end`,
  run: async ([file]: [string], options) => (await import('../run.ts')).run(file, options),
} satisfies Verb<ReadingOptions & { readonly untilEnd?: true; readonly json?: true }>

export const lint = {
  name: 'lint',
  alias: 'validate',
  summary: 'check pipeline files without a broker',
  arguments: [FILES],
  options: READING,
  help: `
Checks everything that can be known without a broker: names, types and ranges of options, rules across them, stages,
environment variables. Every problem is one line: FILE:LINE:COLUMN path: message (suggestion). Exit code 2 if there is any.

Examples:
  millrace lint orders.yaml
  millrace lint pipelines/*.yaml --json`,
  run: async ([files]: [readonly string[]], options) => (await import('../lint.ts')).lint(files, options),
} satisfies Verb<ReadingOptions & { readonly json?: true }>

export const explain = {
  name: 'explain',
  summary: 'tell how a pipeline file would run',
  arguments: [FILE],
  options: READING,
  help: `
Tells how a pipeline would run, without connecting to anything: what is read and written, the lane that values take
(verbatim, bytes or documents) and why, the delivery guarantee, who commits what and when, what bounds memory.

Example:
  millrace explain orders.yaml`,
  run: async ([file]: [string], options) => (await import('../explain.ts')).explain(file, options),
} satisfies Verb<ReadingOptions & { readonly json?: true }>

export const check = {
  name: 'check',
  summary: 'check that everything a pipeline file names can be reached',
  arguments: [FILE],
  options: READING,
  help: `
Connects, and tells for the source, the stages and the sink what is fine and what is not, and how long it took:
configuration, connection, topic with its partitions and records, consumer group with its committed offsets. Nothing is
joined, read or written. Exit code 3 when something cannot be reached, 2 when the file is wrong.

Example:
  millrace check orders.yaml`,
  run: async ([file]: [string], options) => (await import('../check.ts')).check(file, options),
} satisfies Verb<ReadingOptions & { readonly json?: true }>

export const test = {
  name: 'test',
  summary: 'run the test cases beside pipeline files, without a broker',
  arguments: [FILES],
  options: READING,
  help: `
The cases of orders.yaml stand in orders.test.yaml (or .test.json, .test.toml). Each gives records to the stages and
says what must come out:

  environment: { MINIMUM: "100" }        # for the variables of the pipeline file; may be left out
  cases:
    - name: keeps orders of high value
      given:
        - { id: 1, amount: 250 }
        - { id: 2, amount: 12 }
        - { id: 3, amount: 100, _meta: { key: c-7, headers: { trace: abc }, timestamp: 1767225600000 } }
      expect:
        - { id: 1, amount: 250, tier: high }
        - { id: 3, amount: 100, tier: high, _meta: { key: c-7 } }
    - name: refuses what is no JSON
      given: [{ _raw: "no JSON" }]
      error: DECODE_FAILED               # a code, or a part of the message

A graph of stages with several sources or sinks has lists by stage, and stages that are not named are not compared:

      given: { consume: [{ id: 1 }], load: [{ id: 2 }] }
      expect: { high: [{ id: 1 }] }

In a file of several pipelines, pipeline: NAME says which one a case is for; else it is the first.

A given null is a tombstone. The names that an expected _meta has are compared: key, headers, topic, partition, offset,
timestamp. Exit code 1 when a case fails.

Examples:
  millrace test orders.yaml
  millrace test pipelines/*.yaml --json`,
  run: async ([files]: [readonly string[]], options) => (await import('../test.ts')).test(files, options),
} satisfies Verb<ReadingOptions & { readonly json?: true }>

export const dryRun = {
  name: 'dry-run',
  summary: 'read and change as a pipeline file says, but print instead of writing',
  arguments: [FILE],
  options: [
    { flags: '--max <count>', doc: 'stop after so many records of output', value: 'count', default: 10 },
    {
      flags: '--from <where>',
      doc: 'where to begin: where a run would, or at the first record',
      value: ['run', 'earliest', 'latest'],
      default: 'run',
    },
    { flags: '--follow', doc: 'wait for new records at the end of what is there' },
    ...READING,
  ],
  json: 'print one JSON object with the records instead of lines',
  help: `
Reads the real source, runs the real stages, and prints each record that the sink would be given as a line of JSON. No
group is joined, nothing is committed and nothing is written, so it may be done beside a pipeline that runs. In a graph of
stages each line begins with the stage that would write it, --max counts for each of them, and services that stages ask are
asked.

Examples:
  millrace dry-run orders.yaml
  millrace dry-run orders.yaml --from earliest --max 3 | jq .value`,
  run: async ([file]: [string], options) => (await import('../dry-run.ts')).dryRun(file, options),
} satisfies Verb<import('../dry-run.ts').DryRunOptions>

export const create = {
  name: 'new',
  summary: 'write a pipeline file to begin with',
  arguments: [{ usage: '[name]', doc: 'name of the pipeline, or its file NAME.yaml. Without it the text is printed' }],
  options: [
    { flags: '--source <type>', doc: 'where records come from', default: 'kafka' },
    { flags: '--sink <type>', doc: 'where records go', default: 'kafka' },
    { flags: '--force', doc: 'overwrite a file that is there' },
  ],
  help: `
The file says with comments what may be changed. millrace list names the types of sources and sinks.

Examples:
  millrace new orders
  millrace new import --source file --sink kafka`,
  run: async ([name]: [string | undefined], options) => (await import('../new.ts')).create(name, options),
} satisfies Verb<import('../new.ts').NewOptions>
