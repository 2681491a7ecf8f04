import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConfigError } from '../../../src/errors/index.ts'
import { readPipelineFile, readPlan } from '../../../src/dialects/index.ts'
import { kafkaSinkSettings, type KafkaSinkOptions } from '../../../src/sinks/kafka/options.ts'
import { kafkaSourceSettings, type KafkaSourceOptions } from '../../../src/sources/kafka/options.ts'

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

/** Problems and warnings as `line:column path: message (suggestion)`. */
async function check(
  name: string,
  text: string,
  environment = {},
): Promise<{ problems: string[]; warnings: string[] }> {
  const file = await readPipelineFile(await write(name, text), environment)
  const show = ({ path, line, column, message, suggestion }: (typeof file.problems)[number]): string =>
    `${line === undefined ? '' : `${line}:${column} `}${path}: ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`
  expect(file.plan === undefined).toBe(
    file.problems.length > 0 || file.warnings.some(({ message }) => message.includes('can be checked but not run')),
  )
  return { problems: file.problems.map(show), warnings: file.warnings.map(show) }
}

const SEED_SOURCE = `
source:
  type: kafka
  options:
    topic: orders
    bootstrapServers: localhost:9092
    pollTimeout: PT0.5S        # optional ISO-8601 duration
    queueCapacity: 64          # internal queue between consumer and stages
    keyDeserializer: org.apache.kafka.common.serialization.StringDeserializer
    valueDeserializer: org.apache.kafka.common.serialization.StringDeserializer
    securityProtocol: SASL_SSL
    saslMechanism: PLAIN
    saslJaasConfig: >
      org.apache.kafka.common.security.plain.PlainLoginModule required
      username="user" password="pass";
    enable.auto.commit: false  # additional Kafka option is passed through
`

const SEED_SINK = `
sink:
  type: kafka
  options:
    topic: orders-out
    bootstrapServers: localhost:9092
    batchSize: 200
    flushTimeout: PT5S
    acks: all
    keySerializer: org.apache.kafka.common.serialization.StringSerializer
    valueSerializer: org.apache.kafka.common.serialization.StringSerializer
    securityProtocol: SASL_SSL
    saslMechanism: PLAIN
    saslJaasConfig: >
      org.apache.kafka.common.security.plain.PlainLoginModule required
      username="user" password="pass";
    compression.type: gzip
`

describe('the snippets of the seed', () => {
  test('are read unchanged', async () => {
    const plan = await readPlan(await write('seed.yaml', SEED_SOURCE + SEED_SINK))
    expect(plan).toMatchObject({
      name: 'seed',
      directory,
      stages: [],
      delivery: 'at_least_once',
      errorPolicy: { fate: 'fail' },
      warnings: [
        { path: 'source.options.groupId', message: expect.stringContaining('the group is "fluxion-orders"') },
        { path: 'sink.options.compression.type', message: expect.stringContaining('(gzip) has no effect') },
      ],
    })
    const source = kafkaSourceSettings(plan.source.options as unknown as KafkaSourceOptions)
    expect(source).toMatchObject({
      topics: ['orders'],
      queueCapacity: 64,
      cluster: {
        bootstrapServers: ['localhost:9092'],
        security: { protocol: 'SASL_SSL', sasl: { mechanism: 'PLAIN', username: 'user', password: 'pass' } },
      },
      consumer: { groupId: 'fluxion-orders', fetchMaxWaitMs: 500, enableAutoCommit: false, autoOffsetReset: 'latest' },
    })
    expect(source.cluster.security.tls).toMatchObject({ verifyHostname: true })
    const sink = kafkaSinkSettings(plan.sink.options as unknown as KafkaSinkOptions)
    expect(sink).toMatchObject({
      topic: 'orders-out',
      batchSize: 200,
      flushTimeoutMs: 5000,
      includeMeta: false,
      producer: { acks: 'all', idempotence: true, compression: 'gzip' },
    })
  })

  test('have a group always, so that a static member needs no other', async () => {
    const file = await write(
      'static.yaml',
      'source: {type: kafka, topic: a, bootstrapServers: k, group.instance.id: a-1}\nsink: {type: kafka, topic: b, bootstrapServers: k}\n',
    )
    const { source } = await readPlan(file)
    expect(kafkaSourceSettings(source.options as unknown as KafkaSourceOptions).consumer).toMatchObject({
      groupId: 'fluxion-a',
      instanceId: 'a-1',
    })
  })

  test('have the defaults of the seed, and safe acknowledgements', async () => {
    const plan = await readPlan(
      await write(
        'defaults.yaml',
        'source: {type: kafka, topic: a, bootstrapServers: k}\nsink: {type: kafka, topic: b, bootstrapServers: k}\n',
      ),
    )
    expect(kafkaSourceSettings(plan.source.options as unknown as KafkaSourceOptions)).toMatchObject({
      queueCapacity: 16,
      consumer: { groupId: 'fluxion-a', fetchMaxWaitMs: 500 },
    })
    expect(kafkaSinkSettings(plan.sink.options as unknown as KafkaSinkOptions)).toMatchObject({
      batchSize: undefined,
      flushTimeoutMs: undefined,
      producer: { acks: 'all', idempotence: true },
    })
  })
})

describe('the same pipeline', () => {
  const want = {
    name: 'p',
    source: { component: 'kafka', options: { topic: ['a', 'b'], enableAutoCommit: false, fetchMinBytes: 9 } },
    stages: [
      { name: '$match', spec: { amount: { $gte: 100 } } },
      { name: '$unset', spec: ['x'] },
    ],
    sink: { component: 'file', options: { path: 'out.jsonl', mode: 'append' } },
  }

  test.each([
    [
      'nested.yaml',
      'pipelineId: p\nsource: {type: kafka, options: {topic: "a,b", bootstrapServers: k, enable.auto.commit: false, fetch: {min.bytes: 9}}}\nstages: [{$match: {amount: {$gte: 100}}}, {$unset: [x]}]\nsink: {type: file, options: {path: out.jsonl, mode: append}}',
    ],
    [
      'flat.yml',
      'name: p\nsource: {type: kafka, topic: [a, b], bootstrapServers: [k], enable.auto.commit: "false", fetchMinBytes: 9}\npipeline: [{$match: {amount: {$gte: 100}}}, {$unset: [x]}]\nsink: {type: file, path: out.jsonl, mode: APPEND}',
    ],
    [
      'same.json',
      '{"name":"p","source":{"type":"kafka","topics":["a","b"],"bootstrapServers":"k","enable.auto.commit":false,"fetch.min.bytes":9},"stages":[{"$match":{"amount":{"$gte":100}}},{"$unset":["x"]}],"sink":{"type":"file","path":"out.jsonl","mode":"append"}}',
    ],
    [
      'same.toml',
      'name = "p"\n[source]\ntype = "kafka"\ntopic = "a,b"\nbootstrapServers = "k"\nenable.auto.commit = false\nfetch.min.bytes = 9\n[[stages]]\n"$match" = {amount = {"$gte" = 100}}\n[[stages]]\n"$unset" = ["x"]\n[sink]\ntype = "file"\npath = "out.jsonl"\nmode = "append"\n',
    ],
  ])('is read from %s', async (name, text) => {
    expect(await readPlan(await write(name, text))).toMatchObject(want)
  })
})

const GOOD_SINK = 'sink: {type: file, path: out.jsonl}\n'

describe('problems', () => {
  test('come all at once, in the order of the file, each at its place', async () => {
    const text = `name: x
source:
  type: kafka
  options:
    topc: orders
    bootstrapServers: \${NOPE}
    groupId: a
    group.id: b
stages:
  - $mach: {a: 1}
  - $limit: 0
sink:
  type: kafka
  options:
    topic: 7
    acks: 2
`
    expect((await check('bad.yaml', text)).problems).toEqual([
      '5:5 source.options.topc: Unknown option "topc" (did you mean "topic")',
      '6:5 source.options.bootstrapServers: Environment variable "NOPE" is not set (set it, or add a default: ${NOPE:-default})',
      '8:5 source.options.group.id: Cannot use both "groupId" ("a") and "group.id" ("b") as they set the same thing (delete one)',
      expect.stringMatching(/^10:5 stages\.0\.\$mach: Unknown stage "\$mach" \(did you mean "\$match"\)$/),
      expect.stringMatching(/^11:5 stages\.1\.\$limit: \$limit must be a whole number above 0/),
      '14:3 sink.options: Missing option "bootstrapServers" (for example bootstrapServers: "localhost:9092")',
      expect.stringMatching(
        /^15:5 sink.options.topic: Cannot read .* the name of a topic.*: current value is 7 \(write it in quotes\)$/,
      ),
      '16:5 sink.options.acks: Cannot read option "acks" as it must be one of "all", "1", "0": current value is 2',
    ])
  })

  test('have the place in JSON too', async () => {
    const text = '{\n  "source": {"type": "generate",\n    "recrds": 5},\n  "sink": {"type": "fil"}\n}'
    expect((await check('bad.json', text)).problems).toEqual([
      '3:5 source.recrds: Unknown option "recrds" (did you mean "records")',
      '4:12 sink.type: Unknown sink type "fil" (did you mean "file")',
    ])
  })

  test('have line and column in TOML, too', async () => {
    const text =
      '[source]\ntype = "kafka"\n[source.options]\ntopic = "a"\nbootstrapServers = "k"\nenable.auto.comit = false\n[sink]\ntype = "file"\n[sink.options]\npath = 5\n'
    expect((await check('bad.toml', text)).problems).toEqual([
      '6:1 source.options.enable.auto.comit: Unknown option "enable.auto.comit" (did you mean "enable.auto.commit")',
      '10:1 sink.options.path: Cannot read option "path" as it must be text: current value is 5 (write it in quotes)',
    ])
  })

  test.each([
    {
      name: 'no source',
      text: GOOD_SINK,
      want: '1:1 : Missing source (for example source: {type: kafka, options: {...}})',
    },
    {
      name: 'an empty file',
      text: '# nothing yet\n',
      want: '1:1 : A pipeline file must be an object with source, stages and sink: found nothing (run millrace new to print a starter file)',
    },
    {
      name: 'a file of test cases',
      text: 'cases: [{given: [], expect: []}]',
      want: '1:1 : This looks like a file of test cases: run millrace test with the pipeline file beside it',
    },
    {
      name: 'a topic that no broker allows',
      text: `source: {type: kafka, topic: [ok, 'a b'], bootstrapServers: k}\n${GOOD_SINK}`,
      want: '1:35 source.topic.1: Cannot read option "topic" at element 2 as it must be the name of a topic: letters, digits, ".", "_" and "-", at most 249: current value is "a b"',
    },
    {
      name: 'createTopic that is true',
      text: `source: {type: kafka, topic: a, createTopic: true, bootstrapServers: k}\n${GOOD_SINK}`,
      want: '1:33 source.createTopic: Cannot read option "createTopic" as it must be an object: current value is true (write {} for its defaults)',
    },
    {
      name: 'an empty source',
      text: `source:\n${GOOD_SINK}`,
      want: '1:1 : Missing source (for example source: {type: kafka, options: {...}})',
    },
    {
      name: 'a source that is text',
      text: `source: kafka\n${GOOD_SINK}`,
      want: '1:1 source: Cannot read source as it must be an object with type and options: found "kafka"',
    },
    {
      name: 'a source without type',
      text: `source: {path: x}\n${GOOD_SINK}`,
      want: '1:1 source: Missing type of the source (there are kafka, file, generate, datagen)',
    },
    {
      name: 'an unknown type',
      text: `source: {type: kafak}\n${GOOD_SINK}`,
      want: '1:10 source.type: Unknown source type "kafak" (did you mean "kafka")',
    },
    {
      name: 'options beside options',
      text: `source: {type: file, options: {path: x}, format: jsonl}\n${GOOD_SINK}`,
      want: '1:42 source.format: Unknown option "format" beside "options" (move it into options)',
    },
    {
      name: 'options that are a list',
      text: `source: {type: file, options: [path]}\n${GOOD_SINK}`,
      want: '1:22 source.options: Cannot read the options as they must be an object: found a list',
    },
    {
      name: 'a connection by name',
      text: `source: {type: kafka, connectionRef: x}\n${GOOD_SINK}`,
      want: '1:23 source.connectionRef: Unknown connection "x" in scope "default::default" (add it under connections)',
    },
    {
      name: 'an unknown key at the top',
      text: `source: {type: file, path: x}\nstagse: []\n${GOOD_SINK}`,
      want: '2:1 stagse: Unknown option "stagse" (did you mean "stages")',
    },
    {
      name: 'an unknown error policy',
      text: `source: {type: file, path: x}\nerrorPolicy: {type: retyr, maxRetries: 3}\n${GOOD_SINK}`,
      want: '2:15 errorPolicy.type: Cannot read option "type" as it must be one of "fail", "retry", "skip", "deadLetter": current value is "retyr" (did you mean "retry")',
    },
    {
      name: 'another guarantee',
      text: `source: {type: file, path: x}\ndelivery: twice\n${GOOD_SINK}`,
      want: '2:1 delivery: Cannot read option "delivery" as it must be one of "at_least_once", "exactly_once", "at_most_once": current value is "twice"',
    },
    {
      name: 'globals that are not an object',
      text: `source: {type: file, path: x}\nglobals: [1]\n${GOOD_SINK}`,
      want: '2:1 globals: Cannot read globals as it must be an object: found a list',
    },
    {
      name: 'a wrong limit',
      text: `source: {type: file, path: x}\nruntime: {queueCapacity: many}\n${GOOD_SINK}`,
      want: '2:11 runtime.queueCapacity: Cannot read option "queueCapacity" as it must be a whole number of at least 1: current value is "many"',
    },
    {
      name: 'text',
      text: 'just text',
      want: '1:1 : A pipeline file must be an object with source, stages and sink: found "just text" (run millrace new to print a starter file)',
    },
    {
      name: 'a list of stages with an error',
      text: '- $match: {a: 1}\n- $mtch: {}',
      want: '2:3 1.$mtch: Unknown stage "$mtch" (did you mean "$match")',
    },
    {
      name: 'both names of the stages',
      text: `source: {type: file, path: x}\nstages: []\npipeline: []\n${GOOD_SINK}`,
      want: '3:1 pipeline: Cannot use both "stages" (an empty list) and "pipeline" (an empty list) as they set the same thing (delete one)',
    },
  ])('$name', async ({ text, want }) => {
    expect((await check('one.yaml', text)).problems).toEqual([want])
  })

  test.each([
    { name: 'fail', text: 'errorPolicy: failFast' },
    { name: 'fail as object', text: 'errorPolicy: {type: fail_fast}' },
    { name: 'empty globals', text: 'globals: {}' },
    { name: 'no stages', text: 'stages:' },
  ])('accepts $name', async ({ text }) => {
    expect((await check('fine.yaml', `source: {type: file, path: x}\n${text}\n${GOOD_SINK}`)).problems).toEqual([])
  })
})

describe('files that cannot be read', () => {
  test.each([
    { name: 'syntax.yaml', text: 'source: {type: kafka\nsink: [', want: /^2:\d+ Cannot read the file as YAML: / },
    {
      name: 'twice.yaml',
      text: 'a: 1\na: 2',
      want: /^2:1 Cannot read the file as YAML: key "a" appears twice in the same object/,
    },
    {
      name: 'tab.yaml',
      text: 'a:\n\tb: 1',
      want: /^2:1 Cannot read the file as YAML: Tabs are not allowed as indentation/,
    },
    { name: 'unquoted.toml', text: 'a = b', want: /^1:5 Cannot read the file as TOML: invalid value/ },
    {
      name: 'unquoted.yaml',
      text: 'source: { type: ${TYPE}, x: 1 }',
      want: /^1:18 Cannot read the file as YAML: \$\{TYPE\} is not in quotes within { } or \[ \]$/,
    },
    { name: 'list.yaml', text: 'a: [ ${X}, 1 ]', want: /^1:7 Cannot read the file as YAML: \$\{X\} is not in quotes/ },
    {
      name: 'colon.yaml',
      text: 'a: 1\nstages\n  - $limit: 1\n',
      want: /^2:1 Cannot read the file as YAML: "stages" is not of the form "name: value"$/,
    },
    {
      name: 'last.yaml',
      text: 'a: 1\nstages\n',
      want: /^2:1 Cannot read the file as YAML: "stages" is not of the form "name: value"$/,
    },
    {
      name: 'two.yaml',
      text: 'a: 1\n---\nb: 2\n',
      want: /^2:1 Cannot read the file as YAML: it has more than one document$/,
    },
    {
      name: 'colons.yaml',
      text: 'a: x: y',
      want: /^1:4 Cannot read the file as YAML: there is a second ": " in the line$/,
    },
    { name: 'alias.yaml', text: 'a: *missing', want: /Cannot read the file as YAML: Unresolved alias/ },
    { name: 'syntax.json', text: '{\n "a": }', want: /Cannot read the file as JSON: / },
    { name: 'comment.json', text: '// no\n{}', want: /Cannot read the file as JSON: / },
    { name: 'syntax.toml', text: 'a = 1\nb = ', want: /^2:\d+ Cannot read the file as TOML: / },
    { name: 'pipeline.txt', text: '', want: /must end in \.yaml, \.yml, \.json or \.toml$/ },
    {
      name: 'latin1.yaml',
      text: Buffer.from([0x61, 0x3a, 0xe4]) as unknown as string,
      want: /it is not UTF-8 text$/,
    },
  ])('$name', async ({ name, text, want }) => {
    const failure = await readPipelineFile(await write(name, text)).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'CONFIG_UNREADABLE' })
    const [{ line, column, message }] = (failure as { problems: [{ line?: number; column?: number; message: string }] })
      .problems
    expect(`${line === undefined ? '' : `${line}:${column} `}${message}`).toMatch(want)
  })

  test('a missing file', async () => {
    await expect(readPipelineFile(join(directory, 'no.yaml'))).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      problems: [{ message: expect.stringMatching(/the file does not exist$/) }],
    })
  })

  test('YAML with one syntax error reports only that one', async () => {
    const file = await write('cascade.yaml', 'source:\n  type: kafka\n options: {topic: a\nsink:\n  - x: [\n')
    await expect(readPipelineFile(file, {})).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      problems: [{ line: 3 }],
    })
  })

  test('YAML whose aliases would blow up', async () => {
    const lines = Array.from(
      { length: 12 },
      (_, i) => `a${i}: &a${i} [${i === 0 ? 'x' : Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ')}]`,
    )
    await expect(readPipelineFile(await write('bomb.yaml', lines.join('\n')))).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
    })
  })
})

test('a file with stages only can be checked but not run', async () => {
  const file = await write('quick.json', '{"pipeline": [{"$match": {"a": 1}}]}')
  expect(await readPipelineFile(file)).toMatchObject({
    plan: undefined,
    problems: [],
    warnings: [{ message: expect.stringContaining('can be checked but not run') }],
  })
  await expect(readPlan(file)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('has only stages'),
  })
})

test('limits of the engine reach the source and the plan, or say that they have no effect', async () => {
  const text =
    'source: {type: kafka, topic: a, bootstrapServers: k, groupId: g}\nsink: {type: kafka, topic: b, bootstrapServers: k}\nruntime: {sourceQueueCapacity: 4, queueCapacity: 8, microBatchSize: 500, workerThreadPoolSize: 8, directHandoff: true}\n'
  const plan = await readPlan(await write('runtime.yaml', text))
  expect(plan.source.options['queueCapacity']).toBe(4)
  expect(plan.maxBatchesInFlight).toBe(8)
  expect(plan.warnings.map(({ path }) => path)).toEqual(['runtime.microBatchSize', 'runtime.workerThreadPoolSize'])
  expect(plan.warnings[1]!.message).toBe(
    'Option "workerThreadPoolSize" is always 1: a pipeline runs in one thread and keeps the order of records',
  )
})

test('a pipeline that reads what it writes is warned of', async () => {
  const { problems, warnings } = await check(
    'loop.yaml',
    'source: {type: kafka, topic: a, bootstrapServers: "k1,k2", groupId: g}\nsink: {type: kafka, topic: a, bootstrapServers: k2}\n',
  )
  expect(problems).toEqual([])
  expect(warnings).toEqual(['2:1 sink: Source and sink are both topic "a", so the pipeline reads what it writes'])
})

test('two topics that are refused are not reported to be the same', async () => {
  const { problems, warnings } = await check(
    'no-loop.yaml',
    'source: {type: kafka, topic: "a b", bootstrapServers: k}\nsink: {type: kafka, topic: c/d, bootstrapServers: k}\n',
  )
  expect(problems).toHaveLength(2)
  expect(warnings).toEqual([])
})

// Headers and topic that a stage sets were dropped, and lint had nothing against it.
test.each([
  { stage: '$set: {_meta.headers.x: 1, _meta.key: 2, a: 3}', warns: ['stages.0.$set._meta.headers.x'] },
  { stage: '$addFields: {_meta.topic: t}', warns: ['stages.0.$addFields._meta.topic'] },
  { stage: '$set: {_meta.topic: t}}, {$set: {t: $_meta.topic}', warns: [] },
  { stage: '$set: {_meta: {topic: t}}', warns: [] },
])('warns of parts of _meta that cannot be changed: $stage', async ({ stage, warns }) => {
  const source = 'source: {type: generate, records: 1}\n'
  const text = `${source}stages: [{${stage}}]\nsink: {type: file, path: x`
  const { warnings } = await check('meta.yaml', `${text}}\n`)
  expect(warnings.map((warning) => warning.replace(/^\d+:\d+ |: .*/g, ''))).toEqual(warns)
  expect((await check('meta.yaml', `${text}, includeMeta: true}\n`)).warnings).toEqual([])
})

// JSON with two sinks passed, with the last one; digits beyond 2^53 were rounded.
test.each([
  {
    name: 'two.json',
    text: '{"source": {"type": "generate"},\n"sink": {"type": "stdout"},\n"sink": {"type": "file", "path": "x"}}',
    want: '3:1 : Cannot read the file as JSON: key "sink" appears twice in the same object',
  },
  {
    name: 'digits.yaml',
    text: `stages:\n  - $match: {id: 9007199254740993}\n`,
    want: '2:18 : Cannot read the file as YAML: integer 9007199254740993 is beyond 2^53 and would be rounded (write it in quotes to keep it as text)',
  },
  {
    name: 'digits.json',
    text: '{"stages": [{"$match": {"id": -9007199254740993}}]}',
    want: '1:31 : Cannot read the file as JSON: integer -9007199254740993 is beyond 2^53 and would be rounded (write it in quotes to keep it as text)',
  },
  {
    name: 'infinite.yaml',
    text: 'stages: [{$match: {id: .inf}}]\n',
    want: '1:24 : Cannot read the file as YAML: number .inf is not one that JSON can hold (write it in quotes to keep it as text)',
  },
])('refuses what would be lost: $name', async ({ name, text, want }) => {
  const error: unknown = await readPipelineFile(await write(name, text), {}).catch((failure: unknown) => failure)
  const { problems } = error as ConfigError
  expect(
    problems.map(
      ({ line, column, path, message, suggestion }) =>
        `${line}:${column} ${path}: ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`,
    ),
  ).toEqual([want])
})

test('reads JSON that is indented with tabs', async () => {
  const text = '{\n\t"source": {\n\t\t"type": "generate"\n\t},\n\t"sink": {"type": "stdout"}\n}\n'
  expect(await check('tabs.json', text)).toEqual({ problems: [], warnings: [] })
})

// They let everything or nothing through, and lint had nothing against them.
test.each([
  {
    match: '{amount > 100}',
    want: '$match.amount > 100: Field "amount > 100" is a name, not a comparison (write amount: {$gt: 100})',
  },
  {
    match: '{$or: [{a: 1}, {"b>=2": }]}',
    want: '$match.$or.1.b>=2: Field "b>=2" is a name, not a comparison (write b: {$gte: 2})',
  },
  {
    match: '{a b: 1}',
    want: '$match.a b: Field "a b" has a blank in its name (check that it is meant as the name of a field)',
  },
  {
    match: '{amount: {$gte: "100"}}',
    want: '$match.amount.$gte: $gte with the text "100" is true for text only, and for no number (write 100 without quotes for numbers)',
  },
  { match: '{amount: {$gte: 100}, date: {$gte: "2024-01-01"}, "a-b": 1, $expr: {$gt: [$a, "1"]}}', want: undefined },
])('warns of conditions that cannot be meant: $match', async ({ match, want }) => {
  const text = `source: {type: generate}\nstages: [{$match: ${match}}]\nsink: {type: stdout}\n`
  const { problems, warnings } = await check('match.yaml', text)
  expect(problems).toEqual([])
  expect(warnings.map((warning) => warning.replace(/^\d+:\d+ stages\.0\./, ''))).toEqual(
    want === undefined ? [] : [want],
  )
})

test('reads a variable in JSON and TOML as YAML does', async () => {
  const json =
    '{"source": {"type": "generate"}, "stages": [{"$match": {"a": {"$gte": "${MIN}"}}}], "sink": {"type": "stdout"}}'
  const toml =
    '[source]\ntype = "generate"\n[[stages]]\n"$match" = { a = { "$gte" = "${MIN}" } }\n[sink]\ntype = "stdout"\n'
  for (const [name, text] of [
    ['min.json', json],
    ['min.toml', toml],
  ] as const) {
    const plan = await readPlan(await write(name, text), { MIN: '100' })
    expect(plan.stages[0]!.spec).toEqual({ a: { $gte: 100 } })
  }
})

test('caps pollTimeout below the timeout of requests', async () => {
  const text =
    'source: {type: kafka, topic: t, bootstrapServers: k, groupId: g, pollTimeout: PT1M}\nsink: {type: stdout}\n'
  const { problems, warnings } = await check('poll.yaml', text)
  expect(problems).toEqual([])
  expect(warnings).toEqual([expect.stringContaining('pollTimeout of 60000 ms has the effect of 25000 ms')])
  const plan = await readPlan(await write('poll.yaml', text))
  expect(kafkaSourceSettings(plan.source.options as unknown as KafkaSourceOptions).consumer.fetchMaxWaitMs).toBe(25_000)
})

test.each([
  { text: 'operationDefs: {a: {execution: {}}}\n', want: '1:1 operationDefs: This is a manifest of Fluxion' },
  { text: `process: {type: pipelineCall, pipeline: p}\n${GOOD_SINK}`, want: '1:1 process: Cannot use "process"' },
])('says what to write instead of a manifest: $want', async ({ text, want }) => {
  expect((await check('manifest.yaml', text)).problems).toEqual([expect.stringContaining(want)])
})

test('writes what to do in TOML as TOML', async () => {
  const text = '[source]\ntype = "kafka"\ntopic = "t"\n[sink]\ntype = "stdout"\n'
  expect((await check('remedy.toml', text)).problems).toEqual([
    expect.stringContaining('(for example bootstrapServers = "localhost:9092")'),
  ])
})

test.each([
  { text: 'pipelines: {clean: [{$unset: x}]}', entry: '{ref: clean}' },
  {
    text: 'pipelines: [{name: clean, version: 1.0.0, stages: [{$unset: x}]}]',
    entry: '{ref: clean@1.0.0, onError: skip}',
  },
])('finds a pipeline by ref: $entry', async ({ text, entry }) => {
  const file = `source: {type: generate}\n${text}\nstages: [{$subPipeline: [${entry}]}]\nsink: {type: stdout}\n`
  expect((await readPlan(await write('ref.yaml', file))).stages[0]!.spec).toMatchObject([
    { pipeline: [{ $unset: 'x' }] },
  ])
})

// Of 2,000 records one pipeline got 686, and another one on the same topic 1,314.
test.each([
  { text: '', want: 'source.groupId: groupId is not set, so the group is "fluxion-a-b"' },
  { text: ', groupId: g', want: undefined },
  { text: ', group.id: g', want: undefined },
])('warns of a group that another pipeline may have, too: $want', async ({ text, want }) => {
  const { warnings } = await check(
    'group.yaml',
    `source: {type: kafka, topic: "a,b", bootstrapServers: k${text}}\nsink: {type: stdout}\n`,
  )
  expect(warnings).toEqual(want === undefined ? [] : [expect.stringContaining(want)])
})

test.each([
  { text: 'commitInterval: PT1S\n', want: 'commitInterval: commitInterval has no effect with delivery at_least_once' },
  { text: '', want: undefined },
])('warns of settings without effect: $text', async ({ text, want }) => {
  const { warnings } = await check('interval.yaml', `${text}source: {type: generate}\nsink: {type: stdout}\n`)
  expect(warnings).toEqual(want === undefined ? [] : [expect.stringContaining(want)])
})

test('warns of an option that is left blank', async () => {
  const text = 'source: {type: generate}\nsink:\n  type: kafka\n  topic: t\n  bootstrapServers: k\n  acks:\nstages:\n'
  expect((await check('blank.yaml', text)).warnings).toEqual([
    expect.stringContaining('6:3 sink.acks: Option "acks" is left blank, so it has its default'),
  ])
})
