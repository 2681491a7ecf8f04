import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAnyPlan, readPipelineFile } from '../../../src/dialects/index.ts'
import type { PipelinePlan } from '../../../src/engine/plan.ts'

const SEEDS = join(import.meta.dirname, '../../fixtures/seeds')

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-connectors-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function write(text: string, name = 'file.yaml'): Promise<string> {
  const file = join(directory, name)
  await writeFile(file, text)
  return file
}

async function check(text: string): Promise<{ problems: string[]; warnings: string[] }> {
  const { problems, warnings } = await readPipelineFile(await write(text), {})
  const show = ({ path, line, column, message, suggestion }: (typeof problems)[number]): string =>
    `${line}:${column} ${path}: ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`
  return { problems: problems.map(show), warnings: warnings.map(show) }
}

const BROKER = 'broker: {bootstrap_servers: "hub:9092"}\n'

describe('the blocks of the seed', () => {
  test('a source has the options that are printed', async () => {
    const plan = (await readAnyPlan(join(SEEDS, 'rivven-source.yaml'), {})) as PipelinePlan
    expect(plan).toMatchObject({
      source: {
        component: 'kafka',
        options: {
          bootstrapServers: ['kafka1:9092', 'kafka2:9092'],
          topic: ['orders'],
          groupId: 'rivven-migration',
          autoOffsetReset: 'earliest',
          maxPollIntervalMs: 300_000,
          maxPollRecords: 500,
          sessionTimeoutMs: 30_000,
          heartbeatIntervalMs: 3000,
          fetchMinBytes: 1,
          fetchMaxBytes: 52_428_800,
          requestTimeoutMs: 30_000,
          isolation: 'read_uncommitted',
          autoCommitIntervalMs: 5000,
          clientId: 'my-consumer',
          securityProtocol: 'PLAINTEXT',
        },
      },
      stages: [
        { name: '$toEvent', spec: { stream: 'orders', namespace: 'kafka', includeKey: true, includeHeaders: true } },
      ],
      sink: {
        component: 'kafka',
        options: {
          topic: 'kafka-events',
          bootstrapServers: ['kafka1:9092', 'kafka2:9092'],
          acks: 'all',
          createTopic: { partitions: 1 },
        },
      },
    })
    expect(plan.warnings.map(({ path }) => path)).toEqual(['config.empty_poll_delay_ms'])
  })

  test('a sink has the options that are printed', async () => {
    expect(await readAnyPlan(join(SEEDS, 'rivven-sink.yaml'), {})).toMatchObject({
      source: {
        component: 'kafka',
        options: {
          topic: ['events'],
          groupId: 'kafka-producer',
          autoOffsetReset: 'latest',
          isolation: 'read_committed',
        },
      },
      stages: [
        {
          name: '$fromEvent',
          spec: {
            keyField: 'order_id',
            includeHeaders: true,
            customHeaders: { source: 'rivven', environment: 'production' },
          },
        },
      ],
      sink: {
        component: 'kafka',
        options: {
          topic: 'orders-replica',
          acks: 'all',
          compression: 'lz4',
          batchBytes: 16_384,
          lingerMs: 5,
          retryBackoffMs: 100,
          idempotence: true,
          transactionalId: 'rivven-producer-1',
          clientId: 'my-producer',
        },
      },
      delivery: 'exactly_once',
    })
  })

  test('have the defaults of the host', async () => {
    const text = `${BROKER}sources: {a: {connector: kafka, topic: t, config: {brokers: "k:9092", topic: x}}}`
    expect(await readAnyPlan(await write(text), {})).toMatchObject({
      source: { options: { groupId: 'rivven-connect', autoOffsetReset: 'earliest', sessionTimeoutMs: 30_000 } },
      stages: [{ spec: { includeKey: false, includeHeaders: false } }],
      sink: { options: { bootstrapServers: ['hub:9092'] } },
      delivery: 'at_least_once',
    })
  })

  test.each([
    {
      name: 'rivven-oauthbearer',
      want: { saslMechanism: 'OAUTHBEARER', oauthToken: 't' },
    },
    {
      name: 'rivven-msk-iam',
      want: { saslMechanism: 'AWS_MSK_IAM', awsAccessKeyId: 'i', awsSecretAccessKey: 's', awsRegion: 'us-east-1' },
    },
  ])('$name means the same here', async ({ name, want }) => {
    const block = (await readFile(join(SEEDS, `${name}.yaml`), 'utf8')).replace(/^/gm, '  ')
    const environment = { OAUTH_TOKEN: 't', AWS_ACCESS_KEY_ID: 'i', AWS_SECRET_ACCESS_KEY: 's' }
    const file = await write(`type: kafka-source\ntopic: a\nconfig:\n  brokers: k\n  topic: b\n${block}`)
    const options = { securityProtocol: 'SASL_SSL', ...want }
    // A file of one connector has its cluster as hub.
    expect(await readAnyPlan(file, environment)).toMatchObject({ source: { options }, sink: { options } })
  })
})

test('a sink makes its topic where create_topic asks for it, in the words of our option', async () => {
  const text = `bridges: {a: {source: {connector: kafka, config: {brokers: k, topic: x}}, sink: {connector: kafka, config: {brokers: l, topic: y, create_topic: {partitions: 3}}}}}`
  expect(await readAnyPlan(await write(text), {})).toMatchObject({
    sink: { options: { createTopic: { partitions: 3 } } },
  })
})

describe('problems', () => {
  const source = (config: string, more = ''): string =>
    `${BROKER}sources:\n  a: {connector: kafka-source, topic: t, ${more}config: {${config}}}`
  const sink = (config: string, more = ''): string =>
    `${BROKER}sinks:\n  a: {connector: kafka-sink, topics: [t], consumer_group: g, ${more}config: {${config}}}`
  test.each([
    {
      name: 'an unknown connector',
      text: `${BROKER}sources: {a: {connector: kafak, topic: t}}`,
      want: '2:15 sources.a.connector: Unknown source connector "kafak" (did you mean "kafka")',
    },
    {
      name: 'an option of the entry and one of its config, at once',
      text: `${BROKER}sources:\n  a: {connector: kafka, tpic: t, config: {brokers: k, topic: x, start_offset: first}}`,
      want: [
        '3:25 sources.a.tpic: Unknown option "tpic" (did you mean "topic")',
        expect.stringMatching(/^3:65 sources\.a\.config\.start_offset: Cannot read option "start_offset"/),
      ],
    },
    {
      name: 'a missing connector',
      text: `${BROKER}sources: {a: {topic: t}}`,
      want: '2:11 sources.a: Missing option "connector" (for example connector: "kafka-source")',
    },
    {
      name: 'a missing topic of the hub',
      text: `${BROKER}sources: {a: {connector: datagen}}`,
      want: '2:11 sources.a: Missing option "topic" (for example topic: "kafka-events")',
    },
    {
      name: 'no group',
      text: `${BROKER}sinks: {a: {connector: stdout, topics: [t]}}`,
      want: '2:9 sinks.a: Missing option "consumer_group" (for example consumer_group: "kafka-producer")',
    },
    {
      name: 'no broker',
      text: 'sources: {a: {connector: datagen, topic: t}}',
      want: '1:11 sources.a: Missing broker: the cluster whose topics hold the events (for example broker: {bootstrap_servers: ["localhost:9092"]})',
    },
    {
      name: 'an option that does not exist',
      text: source('brokers: k, topic: x, include_keys: true'),
      want: '3:73 sources.a.config.include_keys: Unknown option "include_keys" (did you mean "include_key")',
    },
    {
      name: 'a word that is not allowed',
      text: sink('brokers: k, topic: x, acks: 2'),
      want: '3:93 sinks.a.config.acks: Cannot read option "acks" as it must be one of "none", "leader", "all": current value is 2',
    },
    {
      name: 'idempotence without acks',
      text: sink('brokers: k, topic: x, acks: leader, idempotent: true'),
      want: /^3:\d+ sinks\.a\.config\.idempotent: enable\.idempotence requires acks "all"/,
    },
    {
      name: 'a heartbeat that is too slow',
      text: source('brokers: k, topic: x, heartbeat_interval_ms: 60000'),
      want: /^3:\d+ sources\.a\.config\.heartbeat_interval_ms: heartbeat\.interval\.ms \(60000\) must be less/,
    },
    {
      name: 'a property that does not exist',
      text: source('brokers: k, topic: x, properties: {fetch.mx: 1}'),
      want: /^3:\d+ sources\.a\.config\.properties\.fetch\.mx: Unknown option "fetch\.mx"/,
    },
    {
      name: 'SASL without password',
      text: source('brokers: k, topic: x, security: {protocol: SASL_SSL, sasl_username: u}'),
      want: /^3:\d+ sources\.a\.config\.security\.sasl_password: Missing option "sasl_password", which SASL_SSL with PLAIN requires$/,
    },
    {
      name: 'OAUTHBEARER without token',
      text: source('brokers: k, topic: x, security: {protocol: SASL_SSL, sasl_mechanism: OAUTHBEARER}'),
      want: /^3:\d+ sources\.a\.config\.security\.oauth_token: Missing a token/,
    },
    {
      name: 'a token endpoint without secret',
      text: source(
        'brokers: k, topic: x, security: {protocol: SASL_SSL, sasl_mechanism: OAUTHBEARER, oauth_token_endpoint: "https://a/b", oauth_client_id: c}',
      ),
      want: /^3:\d+ sources\.a\.config\.security\.oauth_client_secret: Missing the secret of the client/,
    },
    {
      name: 'half a key of AWS',
      text: source(
        'brokers: k, topic: x, security: {protocol: SASL_SSL, sasl_mechanism: AWS_MSK_IAM, aws_access_key_id: a}',
      ),
      want: /^3:\d+ sources\.a\.config\.security\.aws_secret_access_key: awsAccessKeyId and awsSecretAccessKey must be set together/,
    },
    {
      name: 'certificates without TLS',
      text: source('brokers: k, topic: x, security: {ssl_ca_cert: ca.pem}'),
      want: /^3:\d+ sources\.a\.config\.security\.ssl_ca_cert: TLS is configured, but security\.protocol is PLAINTEXT/,
    },
    {
      name: 'IAM without TLS',
      text: source(
        'brokers: k, topic: x, security: {protocol: SASL_PLAINTEXT, sasl_mechanism: AWS_MSK_IAM, aws_access_key_id: a, aws_secret_access_key: b, aws_region: r}',
      ),
      want: /^3:\d+ sources\.a\.config\.security\.protocol: Cannot use AWS_MSK_IAM with SASL_PLAINTEXT .* \(set protocol to SASL_SSL\)$/,
    },
    {
      name: 'a hub that is not verified',
      text: 'broker: {bootstrap_servers: h, tls: {enabled: true, insecure: true}}\nsources: {a: {connector: datagen, topic: t}}',
      want: '1:53 broker.tls.insecure: Cannot use insecure, as certificates are always verified (set ca_path to the certificate of the authority)',
    },
    {
      name: 'a loop',
      text: `${BROKER}sources: {a: {connector: kafka, topic: t, config: {brokers: "hub:9092", topic: t}}}`,
      want: /^2:\d+ sources\.a\.topic: Cannot write events to topic "t" as the source also reads it/,
    },
    {
      name: 'a start that is not a time',
      text: sink('brokers: k, topic: x', 'start_offset: {timestamp: soon}, '),
      want: /^3:\d+ sinks\.a\.start_offset: Cannot read option "start_offset" as it must be latest, earliest or \{timestamp/,
    },
    {
      name: 'a wrong transform',
      text: source('brokers: k, topic: x', 'transforms: [{type: flter}], '),
      want: '3:56 sources.a.transforms.0.type: Unknown transform "flter" (did you mean "filter")',
    },
    {
      name: 'headers in a bridge',
      text: 'bridges: {a: {source: {connector: datagen}, sink: {connector: kafka, config: {brokers: k, topic: x, custom_headers: {a: b}}}}}',
      want: /^1:\d+ bridges\.a\.sink\.config\.custom_headers: Cannot use custom_headers in a bridge/,
    },
    {
      name: 'a bridge from a topic to itself',
      text: 'bridges: {a: {source: {connector: kafka, config: {brokers: "k,l", topic: x}}, sink: {connector: kafka, config: {brokers: l, topic: x}}}}',
      want: /^1:\d+ bridges\.a\.sink\.config\.topic: Source and sink are both topic "x", so the bridge reads what it writes/,
    },
    {
      name: 'nothing to run',
      text: `${BROKER}sinks: {a: {connector: stdout, topics: [t], consumer_group: g, enabled: false}}`,
      want: '1:1 : There is nothing to run (add sources, sinks or bridges, and enable at least one)',
    },
    {
      name: 'an unknown part of the file',
      text: `${BROKER}source: {}\nsources: {a: {connector: datagen, topic: t}}`,
      want: '2:1 source: Unknown option "source" (did you mean "sources")',
    },
    {
      name: 'change events',
      text: `${BROKER}sources: {a: {connector: datagen, topic: t, config: {cdc_mode: true}}}`,
      want: /^2:\d+ sources\.a\.config\.cdc_mode: Cannot use cdc_mode/,
    },
  ])('$name', async ({ text, want }) => {
    const { problems } = await check(text)
    expect(problems).toEqual(
      Array.isArray(want) ? want : [typeof want === 'string' ? want : expect.stringMatching(want)],
    )
  })

  test('what has no effect is said, and only when it is turned on', async () => {
    const text = `${BROKER}sources: {a: {connector: datagen, topic: t}}\nsettings: {state_dir: x, telemetry: {enabled: true}, metrics: {enabled: false}}\ndistributed: {enabled: true, node_id: a}`
    expect(await check(text)).toEqual({
      problems: [],
      warnings: [
        '3:12 settings.state_dir: Option "state_dir" has no effect: offsets are kept by Kafka',
        '3:26 settings.telemetry: It has no effect: it is not supported yet',
        '4:1 distributed: It has no effect: it is not supported yet',
      ],
    })
  })
})

test('a whole file becomes pipelines that know who feeds whom', async () => {
  const file = await write(
    `name: shop
${BROKER}sources:
  orders: {connector: apache-kafka, topic: t, rate_limit: {events_per_second: 100, max_in_flight: 50}, config: {bootstrap_servers: [k1, k2], topic: x}}
  off: {connector: datagen, topic: t, enabled: false}
sinks:
  replica: {type: kafka-sink, topics: "t, u", consumer_group: g, rate_limit: {events_per_second: 10, burst_capacity: 5}, config: {brokers: "k3", topic: y}}
settings: {topic: {auto_create: false}}
`,
    'shop.yaml',
  )
  const group = await readAnyPlan(file, {})
  expect(group).toMatchObject({
    name: 'shop',
    pipelines: [
      {
        name: 'shop-source-orders',
        rateLimit: { recordsPerSecond: 100, burst: 110, maxInFlight: 50 },
        source: { options: { bootstrapServers: ['k1', 'k2'] } },
      },
      {
        name: 'shop-sink-replica',
        after: ['shop-source-orders'],
        rateLimit: { recordsPerSecond: 10, burst: 15 },
        source: { options: { topic: ['t', 'u'] } },
      },
    ],
  })
  for (const { source, sink } of (group as { pipelines: readonly PipelinePlan[] }).pipelines)
    expect([source.options['createTopic'], sink.options['createTopic']]).toEqual([undefined, undefined])
})

test('warns of two pipelines that share the records of a topic', async () => {
  const sinks = (group: string): string =>
    `${BROKER}sinks:\n  a: {connector: stdout, topics: [t], consumer_group: g}\n  b: {connector: stdout, topics: [t, u], consumer_group: ${group}}\n`
  expect((await check(sinks('g'))).warnings).toEqual([
    expect.stringMatching(/Pipelines "file-sink-a" and "file-sink-b" read "t" as one group, "g": each gets a part/),
  ])
  expect((await check(sinks('h'))).warnings).toEqual([])
})

// The default of session_timeout_ms counted as a wish of the user, which the broker would not hear.
test('a source with group.protocol consumer leaves out timeouts that were not written', async () => {
  const source = (more: string): string =>
    `${BROKER}sources:\n  a: {connector: kafka-source, topic: t, config: {brokers: k, topic: x, ${more}properties: {group.protocol: consumer}}}`
  expect(await check(source(''))).toEqual({ problems: [], warnings: expect.anything() })
  expect((await check(source('session_timeout_ms: 30000, '))).problems).toEqual([
    expect.stringContaining(
      'sources.a.config.session_timeout_ms: With group.protocol consumer, the broker decides this',
    ),
  ])
})

// They named `broker.saslJaasConfig`, which the file refuses.
test.each([
  ['SASL_SSL', ['sasl_username', 'sasl_password']],
  ['SASL_SSL, sasl_mechanism: OAUTHBEARER', ['oauth_token']],
])('problems of the security of the hub have the names of the file: %s', async (protocol, names) => {
  const broker = `broker: {bootstrap_servers: "hub:9092", security: {protocol: ${protocol}}}\n`
  const { problems } = await check(`${broker}sources: {a: {connector: datagen, topic: t}}\n`)
  expect(problems).toEqual(names.map((name) => expect.stringContaining(`broker.security.${name}: Missing`)))
})

test('warns of AWS_MSK_IAM where nothing names a region', async () => {
  const source = (brokers: string, more = ''): string =>
    `${BROKER}sources:\n  a: {connector: kafka-source, topic: t, config: {brokers: "${brokers}", topic: x, security: {protocol: SASL_SSL, mechanism: AWS_MSK_IAM${more}}}}`
  expect((await check(source('kafka.internal:9098'))).warnings).toContainEqual(
    expect.stringContaining(
      'sources.a.config.security.aws_region: The addresses of the brokers do not name their region',
    ),
  )
  for (const text of [
    source('b-1.orders.x1y2z3.c2.kafka.us-east-1.amazonaws.com:9098'),
    source('kafka.internal:9098', ', aws_region: eu-west-1'),
    source('kafka.internal:9098', ', aws_profile: p'),
  ])
    expect((await check(text)).warnings.filter((warning) => warning.includes('region'))).toEqual([])
})

test('dead letters call a connector as the file does', async () => {
  const file = await write(`${BROKER}sources:\n  a: {connector: datagen, topic: t, dead_letter_topic: d}\n`)
  expect(await readAnyPlan(file, {})).toMatchObject({
    name: 'file-source-a',
    errorPolicy: { deadLetters: { envelope: 'rivven', connector: 'a' } },
  })
})

// A text in place of the block was printed with its content.
test.each(['hunter2', '[hunter2]'])(
  'shows nothing of what is written in place of the security block: %s',
  async (text) => {
    const { problems } = await check(`broker: {bootstrap_servers: "hub:9092", security: ${text}}\nsinks: {}\n`)
    expect(problems.join('\n')).toContain('security')
    expect(problems.join('\n')).not.toContain(text.replaceAll(/\W/g, ''))
  },
)

// From one cluster to another each transaction failed to commit, and the same records were written again and again; from a source
// that reads uncommitted records, those of aborted transactions were written.
describe('transactional_id', () => {
  const bridge = (source: string, sink = 'brokers: "a:9092"'): string =>
    `bridges: {copy: {source: {${source}}, sink: {connector: kafka-sink, config: {${sink}, topic: out, transactional_id: tx}}}}`
  const kafka = (more = ''): string => `connector: kafka-source, config: {brokers: "a:9092", topic: in${more}}`
  const hub = (brokers: string): string =>
    `${BROKER}sinks: {copy: {connector: kafka-sink, topics: [in], consumer_group: g, config: {brokers: "${brokers}", topic: out, transactional_id: tx}}}`

  test.each([
    {
      name: 'a bridge between clusters',
      text: bridge(kafka(), 'brokers: "b:9092"'),
      want: /bridges\.copy\.sink\.config\.brokers: Cannot promise exactly_once from one cluster to another.*\(delete transactional_id of the sink\)/,
    },
    {
      name: 'a sink in another cluster than the hub',
      text: hub('b:9092'),
      want: /sinks\.copy\.config\.brokers: Cannot promise exactly_once from one cluster to another/,
    },
    {
      name: 'a source without offsets',
      text: bridge('connector: datagen, config: {max_events: 1}'),
      want: /bridges\.copy\.source\.connector: Cannot promise exactly_once with source "datagen"/,
    },
    {
      name: 'uncommitted records',
      text: bridge(kafka(', isolation_level: read_uncommitted')),
      want: /bridges\.copy\.source\.config\.isolation_level: Cannot promise exactly_once with isolation\.level read_uncommitted.*\(leave it out\)/,
    },
    // Each transaction was aborted by its coordinator before it was committed.
    {
      name: 'transactions that end before they are committed',
      text: bridge(kafka(), 'brokers: "a:9092", properties: {transaction.timeout.ms: 150}'),
      want: /bridges\.copy\.sink\.config\.properties\S*: Cannot promise exactly_once with a commitInterval of 0\.1 s, as the brokers abort a transaction after 0\.15 s \(transaction\.timeout\.ms\) \(set transaction\.timeout\.ms to 200 or more\)/,
    },
  ])('refuses $name', async ({ text, want }) => {
    expect((await check(text)).problems).toEqual([expect.stringMatching(want)])
  })

  test.each([bridge(kafka()), bridge(kafka(', isolation_level: read_committed')), hub('hub:9092')])(
    'reads committed records: %s',
    async (text) => {
      const { plan } = await readPipelineFile(await write(text), {})
      expect(plan).toMatchObject({ delivery: 'exactly_once', source: { options: { isolation: 'read_committed' } } })
    },
  )
})
