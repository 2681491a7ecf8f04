import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify as toYaml } from 'yaml'
import { readAnyPlan, readPipelineFile, readPlan } from '../../../src/dialects/index.ts'
import type { GraphPlan } from '../../../src/engine/graph/plan.ts'

const SEED = join(import.meta.dirname, '../../fixtures/conveyor')
const EXAMPLES = join(import.meta.dirname, '../../../../../examples')

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-dialects-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function write(name: string, text: string): Promise<string> {
  const file = join(directory, name)
  await writeFile(file, text)
  return file
}

async function read(text: string, environment = {}): Promise<GraphPlan> {
  const plan = await readAnyPlan(await write('graph.toml', text), environment)
  if (!('nodes' in plan)) throw new Error('not a graph')
  return plan
}

/** Problems and warnings as `path: message (suggestion)`. */
async function check(text: string, environment = {}): Promise<{ problems: string[]; warnings: string[] }> {
  const { graph, problems, warnings } = await readPipelineFile(await write('graph.toml', text), environment)
  expect(graph === undefined).toBe(problems.length > 0)
  const show = ({ path, message, suggestion }: (typeof problems)[number]): string =>
    `${path}: ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`
  return { problems: problems.map(show), warnings: warnings.map(show) }
}

const SOURCE = `
[[stages]]
id = "load"
function = "json.read"
config = { path = "in.json" }
`
const SINK = `
[[stages]]
id = "show"
function = "stdout.write"
inputs = ["load"]
`

describe('files of Conveyor', () => {
  test('are read as they are printed, without problems and warnings', async () => {
    // The others are single blocks.
    for (const name of (await readdir(SEED)).filter((each) => each.endsWith('-example.toml')))
      expect(await readPipelineFile(join(SEED, name)), name).toMatchObject({
        problems: [],
        warnings: [],
        graph: { nodes: expect.any(Array) as unknown },
      })
    for (const name of ['consumer', 'producer', 'etl'])
      expect(await readPipelineFile(join(EXAMPLES, `kafka-${name}-example.toml`), {})).toMatchObject({
        problems: [],
        warnings: [],
      })
  })

  test('make consumer and producer of one function, with the defaults of the host', async () => {
    const plan = await readAnyPlan(join(SEED, 'kafka-etl-example.toml'))
    expect(plan).toMatchObject({
      name: 'kafka-etl',
      timeoutMs: 300_000,
      errorPolicy: { fate: 'fail', retry: undefined },
      nodes: [
        {
          id: 'consume',
          kind: 'source',
          function: 'kafka',
          options: {
            brokers: ['localhost:9092'],
            topic: ['raw-events'],
            group_id: 'etl-processor',
            max_messages: 1000,
            timeout_ms: 30_000,
            autoOffsetReset: 'earliest',
          },
        },
        { id: 'filter', kind: 'transform', options: { column: 'amount', operator: '>=', value: '100' } },
        {
          id: 'produce',
          kind: 'sink',
          function: 'kafka',
          options: { topic: 'processed-events', key_field: 'user_id', acks: 'all' },
        },
      ],
    })
  })

  test('take numbers as text, nested tables and any Kafka property', async () => {
    const { nodes } = await read(`
[[stages]]
id = "consume"
function = "kafka"
[stages.config]
brokers = "a:1,b:2"
topic = "t"
group_id = "g"
max_messages = "5"
timeout_ms = 60000
security.protocol = "SASL_SSL"
sasl.mechanism = "PLAIN"
sasl.username = "u"
sasl.password = "p"
${SINK.replace('load', 'consume')}`)
    expect(nodes[0]!.options).toMatchObject({
      brokers: ['a:1', 'b:2'],
      max_messages: 5,
      timeout_ms: 60_000,
      securityProtocol: 'SASL_SSL',
      saslUsername: 'u',
    })
  })

  test('have no bounds with execution_mode streaming', async () => {
    const plan = await read(
      `[global]\nexecution_mode = "streaming"\n[[stages]]\nid = "c"\nfunction = "kafka"\nconfig = { brokers = "a:1", topic = "t", group_id = "g" }\n${SINK.replace('load', 'c')}`,
    )
    expect(plan.timeoutMs).toBeUndefined()
    expect(plan.nodes[0]!.options['max_messages']).toBeUndefined()
  })

  test('may be YAML and JSON as well', async () => {
    const content = {
      pipeline: { name: 'p' },
      stages: [
        { id: 'a', function: 'stdin.read' },
        { id: 'b', function: 'stdout.write', inputs: ['a'] },
      ],
    }
    const toml =
      '[pipeline]\nname = "p"\n[[stages]]\nid = "a"\nfunction = "stdin.read"\n[[stages]]\nid = "b"\nfunction = "stdout.write"\ninputs = ["a"]\n'
    for (const [name, text] of [
      ['a.toml', toml],
      ['a.yaml', toYaml(content)],
      ['a.json', JSON.stringify(content)],
    ] as const)
      expect(await readAnyPlan(await write(name, text))).toMatchObject({ name: 'p', nodes: [{ id: 'a' }, { id: 'b' }] })
  })

  test('may use the old "type" in place of "function", and be written in any order', async () => {
    const { nodes } = await read(`
[[stages]]
id = "out"
type = "sink.csv"
inputs = ["pick"]
config = { path = "o.csv" }
[[stages]]
id = "pick"
type = "transform.select"
inputs = ["in"]
config = { columns = "a" }
[[stages]]
id = "in"
type = "source.csv"
config = { path = "i.csv", has_headers = false }`)
    expect(nodes.map((node) => node.function)).toEqual(['csv.read', 'select.apply', 'csv.write'])
    expect(nodes[0]!.options).toMatchObject({ headers: false })
  })

  test('put variables, and the environment behind them, into the configuration', async () => {
    const { nodes } = await read(
      `
[global.variables]
folder = "\${DATA_DIR}/x"
[[stages]]
id = "load"
function = "json.read"
config = { path = "{{folder}}/in.json" }
[[stages]]
id = "fetch"
function = "http.fetch"
inputs = ["load"]
config = { url = "http://h/{{id}}/{{folder}}/{{ name }}" }
${SINK.replace('load', 'fetch')}`,
      { DATA_DIR: '/data' },
    )
    expect(nodes[0]!.options['path']).toBe('/data/x/in.json')
    expect(nodes[1]!.options['url']).toBe('http://h/{{id}}//data/x/{{ name }}')
  })

  // They stayed as they were written, although the variable was there.
  test('put variables into lists, and between blanks', async () => {
    const { nodes } = await read(`
[global.variables]
country = "de"
[[stages]]
id = "load"
function = "json.read"
config = { path = "{{ country }}.json" }
[[stages]]
id = "one"
function = "filter.apply"
inputs = ["load"]
config = { column = "c", operator = "in", value = ["{{country}}", "{{ country }}", "{{ other }}"] }
${SINK.replace('load', 'one')}`)
    expect(nodes[0]!.options['path']).toBe('de.json')
    expect(nodes[1]!.options['value']).toEqual(['de', 'de', '{{ other }}'])
  })

  test('say what happens to rows that fail', async () => {
    const retry = '[error_handling]\nstrategy = "retry"\nmax_retries = 2\nretry_delay_seconds = 1\n'
    expect((await read(`${retry}${SOURCE}${SINK}`)).errorPolicy).toMatchObject({
      fate: 'fail',
      retry: { maxRetries: 2, backoff: { initialMs: 1000, maxMs: 1000 } },
    })
    const letters =
      '[error_handling]\nstrategy = "continue"\n[error_handling.dead_letter_queue]\nenabled = true\npath = "d.jsonl"\n'
    expect((await read(`${letters}${SOURCE}${SINK}`)).errorPolicy).toMatchObject({
      fate: 'deadLetter',
      deadLetters: { sink: { component: 'file', options: { path: 'd.jsonl' } }, envelope: 'conveyor' },
    })
    expect((await read(`[error_handling]\nstrategy = "continue"\n${SOURCE}${SINK}`)).errorPolicy).toMatchObject({
      fate: 'skip',
    })
  })

  test('are not run as a line', async () => {
    await expect(readPlan(join(SEED, 'kafka-etl-example.toml'))).rejects.toThrow(/graph of stages/)
  })
})

describe('a bad file says where and what to do', () => {
  const stage = (id: string, name: string, rest = ''): string =>
    `\n[[stages]]\nid = "${id}"\nfunction = "${name}"\n${rest}\n`

  test.each([
    {
      name: 'no stages',
      text: '[pipeline]\nname = "p"\n',
      problem: 'stages: The file must have at least one stage (start each stage with [[stages]])',
    },
    {
      name: 'an unknown function',
      text: stage('a', 'json.raed'),
      problem: 'stages.0.function: Function "json.raed" not found (did you mean "json.read")',
    },
    {
      name: 'a function that is not taken over',
      text: `${SOURCE}${stage('a', 'ai.generate', 'inputs = ["load"]')}`,
      problem: /stages\.1\.function: Cannot use function "ai\.generate": Millrace does not call language models/,
    },
    {
      name: 'a source with inputs',
      text: `${SOURCE}${stage('a', 'csv.read', 'inputs = ["load"]')}`,
      problem: 'stages.1.inputs: Function "csv.read" cannot have inputs as it is a source (delete inputs)',
    },
    {
      name: 'a transform without inputs',
      text: stage('a', 'filter.apply'),
      problem: /stages\.0\.inputs: Function "filter\.apply" needs inputs/,
    },
    {
      name: 'a duplicate id',
      text: `${SOURCE}${SOURCE}${SINK}`,
      problem: 'stages.1.id: Duplicate stage id "load": stages.0 has it too (rename one)',
    },
    {
      name: 'an unknown input',
      text: `${SOURCE}${SINK.replace('"load"', '"laod"')}`,
      problem:
        'stages.1.inputs.0: Stage "show" takes the rows of stage "laod", which does not exist (did you mean "load")',
    },
    {
      name: 'a cycle',
      text: `${SOURCE}${stage('a', 'select.apply', 'inputs = ["load", "b"]\nconfig = { columns = "x" }')}${stage('b', 'select.apply', 'inputs = ["a"]\nconfig = { columns = "x" }')}`,
      problem: /stages\.1\.inputs: Cycle detected in pipeline at stage "a": a -> b -> a/,
    },
    {
      name: 'a missing option',
      text: stage('c', 'kafka', 'config = { brokers = "a:1", topic = "t" }'),
      problem: /stages\.0\.config: Missing option "group_id" \(for example group_id = "etl-processor"\)/,
    },
    {
      name: 'an unknown option',
      text: stage('a', 'json.read', 'config = { path = "x", formt = "jsonl" }'),
      problem: 'stages.0.config.formt: Unknown option "formt" (did you mean "format")',
    },
    {
      name: 'a wrong type',
      text: stage('c', 'kafka', 'config = { brokers = "a:1", topic = "t", group_id = "g", max_messages = "many" }'),
      problem:
        /stages\.0\.config\.max_messages: Cannot read option "max_messages" as it must be a whole number of at least 1: current value is "many"/,
    },
    {
      name: 'a bad address',
      text: stage('c', 'kafka', 'config = { brokers = "nonsense:port", topic = "t", group_id = "g" }'),
      problem: /stages\.0\.config\.brokers/,
    },
    {
      name: 'an undefined variable',
      text: `[global.variables]\nfolder = "x"\n${stage('a', 'json.read', 'config = { path = "{{foldr}}/a" }')}`,
      problem: 'stages.0.config.path: Variable "foldr" is not defined (did you mean "folder")',
    },
    {
      name: 'a variable of the environment, as other systems write it',
      text: stage('a', 'json.read', 'config = { path = "{{ env.DATA }}/a" }'),
      problem:
        'stages.0.config.path: Variable "env.DATA" is not defined (write ${DATA} for a variable of the environment)',
    },
    {
      name: 'a variable of the environment that is not set',
      text: `[global.variables]\nfolder = "\${NO_SUCH}"\n${SOURCE}${SINK}`,
      problem: /global\.variables\.folder: Environment variable "NO_SUCH" is not set/,
    },
    {
      name: 'a wrong strategy',
      text: `[error_handling]\nstrategy = "retyr"\n${SOURCE}${SINK}`,
      problem: /error_handling\.strategy: .*one of "stop", "continue", "retry".*did you mean "retry"/,
    },
    { name: 'a wrong log level', text: `[global]\nlog_level = "loud"\n${SOURCE}${SINK}`, problem: /global\.log_level/ },
    {
      name: 'a stage without id',
      text: '[[stages]]\nfunction = "json.read"\n',
      problem: /stages\.0: Missing option "id"/,
    },
    {
      name: 'a pipeline inside that is not there',
      text: stage('a', 'stage.pipeline', 'config = { file = "no-such.toml" }'),
      problem: /stages\.0\.config\.file: .*the file does not exist/,
    },
    {
      name: 'a pipeline inside that runs itself',
      text: stage('a', 'stage.pipeline', 'config = { file = "graph.toml" }'),
      problem: /stages\.0\.config\.file: .*runs itself/,
    },
    {
      name: 'a problem of a pipeline inside',
      text: stage(
        'a',
        'stage.pipeline',
        `config = { inline = '[[stages]]\nid = "x"\nfunction = "nope"' }`
          .replaceAll('\n', '\\n')
          .replaceAll("'", '"""'),
      ),
      problem: /stages\.0\.config\.inline: stages\.0\.function: Function "nope" not found/,
    },
    {
      name: 'a pipeline inside that is no TOML',
      text: stage('a', 'stage.pipeline', String.raw`config = { inline = "[[stages]]\nid = x" }`),
      problem: /stages\.0\.config\.inline: Cannot read the text as TOML: invalid value \(line 2, column 6\)/,
    },
  ])('$name', async ({ text, problem }) => {
    const { problems } = await check(text)
    expect(problems).toContainEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem))
  })

  test('all at once', async () => {
    const { problems } = await check(
      `[global]\nlog_level = "loud"\n${stage('a', 'nope')}${stage('a', 'json.read')}${stage('b', 'stdout.write', 'inputs = ["x"]\nconfig = { format = "xml" }')}`,
    )
    expect(problems.length).toBeGreaterThanOrEqual(5)
    // A stage that cannot be read is there all the same.
    expect((await check(`${stage('a', 'nope')}${SINK.replace('load', 'a')}`)).problems).toHaveLength(1)
  })

  test('warns where rows go nowhere, of letters that are never written, and of unknown sections', async () => {
    const { problems, warnings } = await check(
      `[error_handling.dead_letter_queue]\nenabled = true\npath = "d"\n[pipelin]\nx = 1\n${SOURCE}`,
    )
    expect(problems).toEqual([])
    expect(warnings).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/stages\.0: No stage takes the rows of stage "load"/),
        expect.stringMatching(/error_handling\.dead_letter_queue: The dead-letter queue has no effect/),
        'pipelin: Unknown section "pipelin" has no effect (did you mean "pipeline")',
      ]),
    )
  })
})

// Such stages printed nothing until the run was stopped, and lost what they had counted then.
test.each([
  {
    stages: [
      ['sum', 'reduce.apply', '{ column = "a", operation = "sum" }'],
      ['out', 'stdout_stream.write', '{}'],
    ],
    want: ['sum'],
  },
  {
    stages: [
      ['sum', 'aggregate.stream', '{ operation = "count" }'],
      ['out', 'stdout_stream.write', '{}'],
    ],
    want: [],
  },
  {
    stages: [
      ['sum', 'aggregate.stream', '{ operation = "count" }'],
      ['out', 'stdout.write', '{}'],
    ],
    want: ['out'],
  },
])('warns of stages that wait for the end of a source without one: $want', async ({ stages, want }) => {
  const [[, first], [, second]] = stages as [string[], string[]]
  const text = `[[stages]]\nid = "watch"\nfunction = "file.watch"\nconfig = { path = "x.jsonl" }\n[[stages]]\nid = "sum"\nfunction = "${first}"\ninputs = ["watch"]\nconfig = ${stages[0]![2]}\n[[stages]]\nid = "out"\nfunction = "${second}"\ninputs = ["sum"]\nconfig = ${stages[1]![2]}\n`
  const file = join(directory, 'endless.toml')
  await writeFile(file, text)
  const { problems, warnings } = await readPipelineFile(file, {})
  expect(problems).toEqual([])
  expect(
    warnings.filter(({ message }) => message.includes('never ends')).map(({ message }) => /"(.*?)"/.exec(message)![1]),
  ).toEqual(want)
})
