/**
 * Files of connectors on a real broker: the blocks of Rivven as they are printed, and what a user makes of them.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { catalog } from '../../../src/catalog.ts'
import { readAnyPlan } from '../../../src/dialects/index.ts'
import { explainPlan } from '../../../src/engine/explain.ts'
import type { PipelinePlan, RunResult } from '../../../src/engine/plan.ts'
import { runPlan } from '../../../src/engine/run-plan.ts'
import { KafkaSource } from '../../../src/index.ts'
import { javaAvailable } from '../../support/broker.ts'
import { AWS, listenerBroker } from '../../support/listeners.ts'
import { TLS_FIXTURES } from '../../support/secure-broker.ts'
import { topicBed } from '../../support/topics.ts'

const SEEDS = join(import.meta.dirname, '../../fixtures/seeds')

interface Read {
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
  readonly timestampMs: number
}

describe.skipIf(!javaAvailable)('files of connectors', () => {
  const listeners = listenerBroker()
  const broker = (): { readonly plaintext: string; readonly secured: string } => ({
    plaintext: listeners().address('PLAINTEXT'),
    secured: listeners().address('SASL_MTLS'),
  })
  const bed = topicBed(() => broker().plaintext)
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-connectors-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  /** Addresses are replaced; nothing else. */
  const seed = async (name: string): Promise<string> =>
    (await readFile(join(SEEDS, `${name}.yaml`), 'utf8')).replace(/kafka1:9092(?:,kafka2:9092)?/, broker().plaintext)

  async function load(content: string | object, environment = {}): Promise<Awaited<ReturnType<typeof readAnyPlan>>> {
    const file = join(directory, 'file.yaml')
    await writeFile(file, typeof content === 'string' ? content : stringify(content))
    return readAnyPlan(file, environment)
  }

  interface Runs {
    readonly signal?: AbortSignal
    readonly untilEnd?: boolean
    readonly onProgress?: (written: number) => void
  }

  async function run(content: string | object, { signal, untilEnd = true, onProgress }: Runs = {}): Promise<RunResult> {
    const never = new AbortController().signal
    const environment = {
      KAFKA_PASSWORD: 'pass',
      OAUTH_TOKEN: listeners().tokens.token(),
      AWS_ACCESS_KEY_ID: AWS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: AWS.secretAccessKey,
    }
    return runPlan(await load(content, environment), {
      components: catalog,
      signal: signal ?? never,
      abort: never,
      untilEnd,
      warn: () => {},
      onProgress: ({ written }) => onProgress?.(written.records),
    })
  }

  async function read(topic: string, options: { readonly [name: string]: unknown } = {}): Promise<Read[]> {
    await using source = new KafkaSource({
      bootstrapServers: broker().plaintext,
      topics: topic,
      untilEnd: true,
      ...options,
    })
    const records: Read[] = []
    for await (const { key, value, headers, timestampMs } of source)
      records.push({
        key: key?.toString() ?? null,
        value: value?.toString('latin1') ?? null,
        headers: headers.map(([name, text]) => [name, text?.toString() ?? null]),
        timestampMs,
      })
    return records
  }

  /** A broker tells that a transaction is committed before readers see all of it. */
  const readCommitted = (topic: string, atLeast: number): Promise<Read[]> =>
    vi.waitFor(
      async () => {
        const found = await read(topic, { isolation: 'read_committed' })
        expect(found.length).toBeGreaterThanOrEqual(atLeast)
        return found
      },
      { timeout: 60_000, interval: 100 },
    )

  const hub = (): object => ({ bootstrap_servers: [broker().plaintext] })
  const kafkaSource = (topic: string, more: object = {}): object => ({
    brokers: broker().plaintext,
    topic,
    consumer_group: `group-${topic}`,
    ...more,
  })
  const kafkaSink = (topic: string, more: object = {}): object => ({ brokers: broker().plaintext, topic, ...more })

  test('the source of the seed writes events', async () => {
    await bed().admin.createTopic({ name: 'orders', partitions: 1 })
    const [at, headers] = [1_700_000_000_123, [['trace', 'abc']] as const]
    await bed().write('orders', [
      { key: 'k1', value: '{"order_id": 1}', headers, timestampMs: at },
      { key: null, value: 'no JSON', timestampMs: at + 1 },
      { key: 'k1', value: null, timestampMs: at + 2 },
    ])
    expect(await run(await seed('rivven-source'))).toMatchObject({ read: { records: 3 }, written: { records: 3 } })
    const events = await read('kafka-events')
    expect(events.map(({ key, timestampMs }) => ({ key, timestampMs }))).toEqual([
      { key: 'k1', timestampMs: at },
      { key: null, timestampMs: at + 1 },
      { key: 'k1', timestampMs: at + 2 },
    ])
    expect(events[0]!.headers).toEqual(headers)
    const now = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string
    const event = (data: unknown, offset: number, metadata: object): object => ({
      event_type: 'record',
      stream: 'orders',
      namespace: 'kafka',
      timestamp: now,
      data,
      metadata: {
        position: `orders:0:${offset}`,
        kafka_partition: 0,
        kafka_offset: offset,
        kafka_timestamp: at + offset,
        ...metadata,
      },
    })
    expect(events.map(({ value }) => JSON.parse(value!) as unknown)).toEqual([
      event({ order_id: 1 }, 0, { kafka_key: 'k1', kafka_headers: { trace: 'abc' } }),
      event('no JSON', 1, { kafka_encoding: 'text' }),
      event(null, 2, { kafka_key: 'k1', kafka_encoding: 'tombstone' }),
    ])
    // What was read is committed.
    expect(await run(await seed('rivven-source'))).toMatchObject({ read: { records: 0 } })
  })

  test('the sink of the seed writes records, in transactions', async () => {
    for (const name of ['events', 'orders-replica']) await bed().admin.createTopic({ name, partitions: 1 })
    const stop = new AbortController()
    // It begins at the end of the topic, so something has to come after it has begun.
    const running = run(await seed('rivven-sink'), {
      untilEnd: false,
      signal: stop.signal,
      onProgress: (written) => written > 0 && stop.abort(),
    })
    let isFed = false
    const feeding = (async () => {
      for (; !isFed; await sleep(100))
        await bed().write('events', [
          {
            key: 'old',
            value:
              '{"event_type":"record","stream":"orders","namespace":"kafka","timestamp":"T","data":{"order_id":7,"big":12345678901234567890},"metadata":{"position":"orders:0:1"}}',
            headers: [['own', '1']],
          },
        ])
    })()
    expect(await running.finally(() => (isFed = true))).toMatchObject({ ended: 'signal' })
    await feeding
    const [record] = await readCommitted('orders-replica', 1)
    expect(record).toMatchObject({
      key: '7',
      value: '{"order_id":7,"big":12345678901234567890}',
      headers: [
        ['source', 'rivven'],
        ['environment', 'production'],
        ['rivven_stream', 'orders'],
        ['rivven_event_type', 'record'],
        ['rivven_namespace', 'kafka'],
        ['rivven_position', 'orders:0:1'],
        ['own', '1'],
      ],
    })
    const plan = (await load(await seed('rivven-sink'))) as PipelinePlan
    expect(plan).toMatchObject({
      delivery: 'exactly_once',
      sink: { options: { compression: 'lz4', acks: 'all', idempotence: true, transactionalId: 'rivven-producer-1' } },
    })
  })

  const records = [
    {
      key: 'a',
      value: '{ "n": 1.0, "big": 12345678901234567890 }',
      headers: [
        ['h', '1'],
        ['h', null],
        ['h', '2'],
      ] as const,
      timestampMs: 1_600_000_000_000,
    },
    { key: 'b', value: 'text', timestampMs: 1_600_000_000_001 },
    { key: 'a', value: null, timestampMs: 1_600_000_000_002 },
    { key: Buffer.from([0, 255]), value: Buffer.from([0, 255, 10]), timestampMs: 1_600_000_000_003 },
    { key: null, value: 'null', timestampMs: 1_600_000_000_004 },
  ]

  test('there and back again through the hub, exactly once, every record is what it was', async () => {
    for (const name of ['there', 'back']) await bed().admin.createTopic({ name, partitions: 3 })
    await bed().write('there', records)
    const eos = parse(await seed('rivven-exactly-once')) as { readonly isolation_level: string }
    const { isolation_level, ...producer } = eos
    const file = {
      version: '1.0',
      broker: hub(),
      sources: {
        orders: {
          connector: 'kafka',
          topic: 'hub-round',
          topic_config: { partitions: 3 },
          config: kafkaSource('there', { isolation_level }),
        },
      },
      sinks: {
        replica: {
          connector: 'kafka',
          topics: ['hub-round'],
          consumer_group: 'round',
          start_offset: 'earliest',
          config: kafkaSink('back', producer),
        },
      },
    }
    const result = await run(file)
    expect(result).toMatchObject({ read: { records: 10 }, written: { records: 10 } })
    expect(result.pipelines?.map(({ name }) => name)).toEqual(['file-source-orders', 'file-sink-replica'])
    const byTime = (all: readonly Read[]): Read[] => all.toSorted((a, b) => a.timestampMs - b.timestampMs)
    expect(byTime(await readCommitted('back', records.length))).toEqual(byTime(await read('there')))
  })

  test('a bridge forwards whole record batches', async () => {
    for (const name of ['left', 'right']) await bed().admin.createTopic({ name, partitions: 2 })
    await bed().write('left', records)
    const file = {
      bridges: {
        copy: {
          source: { connector: 'kafka-source', config: kafkaSource('left') },
          sink: { connector: 'kafka-sink', config: kafkaSink('right') },
        },
      },
    }
    expect(await explainPlan((await load(file)) as PipelinePlan, catalog)).toMatchObject({ lane: 'verbatim' })
    expect(await run(file)).toMatchObject({ written: { records: 5 } })
    expect(await read('right')).toEqual(await read('left'))
  })

  describe('with the security of the seed', () => {
    /** The block with the paths of the certificates replaced. */
    const security = async (): Promise<object> => {
      const text = (await seed('rivven-sasl')).replace(/\/etc\/ssl\/(client-key|client|ca)\.pem/g, (_, name: string) =>
        join(TLS_FIXTURES, name === 'client-key' ? 'key.pem' : 'ca.pem'),
      )
      return (parse(text) as { security: object }).security
    }

    test('PLAIN over TLS, with a certificate of ours', async () => {
      await bed().admin.createTopic({ name: 'secret', partitions: 1 })
      await bed().write('secret', records)
      const secured = { brokers: broker().secured, security: await security() }
      const file = {
        broker: { bootstrap_servers: [broker().secured], security: await security() },
        sources: {
          orders: {
            connector: 'kafka-source',
            topic: 'hub-secret',
            config: { ...secured, topic: 'secret', consumer_group: 'secret' },
          },
        },
        sinks: { out: { connector: 'stdout', topics: ['hub-secret'], consumer_group: 'out', enabled: false } },
      }
      expect(await run(file)).toMatchObject({ written: { records: 5 } })
      expect(await read('hub-secret')).toHaveLength(5)
    })

    test.each(['SCRAM-SHA-256', 'SCRAM-SHA-512'])('%s, in the other spelling', async (mechanism) => {
      await bed().admin.createTopic({ name: `to-${mechanism}`, partitions: 1 })
      const { ssl_ca_cert, ssl_client_cert, ssl_client_key } = (await security()) as { [name: string]: string }
      const config = {
        brokers: [broker().secured],
        topic: `to-${mechanism}`,
        security: {
          protocol: 'SASL_SSL',
          mechanism,
          username: 'bob',
          password: 'bob-secret',
          ssl_ca_cert,
          ssl_client_cert,
          ssl_client_key,
        },
      }
      const file = {
        bridges: {
          one: {
            source: { connector: 'datagen', config: { max_events: 3, events_per_second: 0 } },
            sink: { connector: 'kafka-sink', config },
          },
        },
      }
      expect(await run(file)).toMatchObject({ written: { records: 3 } })
    })

    test.each(['rivven-oauthbearer', 'rivven-msk-iam'])('%s, as it is printed', async (name) => {
      // The block names no authority, so the certificate has to be one that the machine trusts.
      const trusted = getCACertificates()
      setDefaultCACertificates([...trusted, await readFile(join(TLS_FIXTURES, 'ca.pem'), 'utf8')])
      try {
        const from = await bed().create()
        await bed().write(from, records)
        const block = (await seed(name)).replace(/^/gm, '  ')
        const address = listeners().address('SASL_TLS')
        const text = `type: kafka-source\ntopic: hub-${name}\nconfig:\n  brokers: "${address}"\n  topic: ${from}\n${block}`
        expect(await run(text)).toMatchObject({ read: { records: 5 }, written: { records: 5 } })
        expect(await read(`hub-${name}`)).toHaveLength(5)
      } finally {
        setDefaultCACertificates(trusted)
      }
    })

    test('never continues in clear text', async () => {
      // The other door speaks no TLS: nothing that the broker could read may have been sent to it.
      const config = {
        brokers: broker().plaintext,
        topic: 'secret',
        security: await security(),
        properties: { 'default.api.timeout.ms': 1500 },
      }
      await expect(run({ type: 'kafka-source', topic: 'x', broker: hub(), config })).rejects.toMatchObject({
        code: 'BROKER_UNREACHABLE',
      })
      const plain = { brokers: broker().secured, topic: 'secret', properties: { 'default.api.timeout.ms': 1500 } }
      await expect(run({ type: 'kafka-source', topic: 'x', broker: hub(), config: plain })).rejects.toMatchObject({
        code: 'TLS_FAILED',
      })
    })
  })

  test('what its topic does not take becomes a dead letter of the host', async () => {
    await bed().admin.createTopic({ name: 'big', partitions: 1 })
    await bed().admin.createTopic({ name: 'small', partitions: 1, configs: { 'max.message.bytes': '2000' } })
    await bed().write('big', [
      { key: '1', value: '{"n":1}' },
      { key: '2', value: JSON.stringify({ n: 'x'.repeat(5000) }) },
      { key: '3', value: '{"n":3}' },
    ])
    const file = {
      broker: hub(),
      sources: { in: { connector: 'kafka-source', topic: 'hub-big', config: kafkaSource('big') } },
      sinks: {
        out: {
          connector: 'kafka-sink',
          topics: 'hub-big',
          consumer_group: 'big-out',
          start_offset: 'earliest',
          dead_letter_topic: 'hub-dead',
          config: kafkaSink('small'),
        },
      },
    }
    expect(await run(file)).toMatchObject({ errors: { deadLettered: { RECORD_TOO_LARGE: 1 } } })
    expect((await read('small')).map(({ key }) => key)).toEqual(['1', '3'])
    const letters = (await read('hub-dead')).map(({ value }) => JSON.parse(value!) as { readonly payload_b64: string })
    expect(letters).toMatchObject([
      { original_topic: 'hub-big', error: expect.any(String) as string, timestamp: expect.any(String) as string },
    ])
    expect(Buffer.from(letters[0]!.payload_b64, 'base64').toString()).toContain('x'.repeat(5000))
  })

  test('transforms, a key of the data, and a start at a time', async () => {
    for (const name of ['raw', 'paid']) await bed().admin.createTopic({ name, partitions: 1 })
    await bed().write('raw', [
      { value: '{"id":1,"status":"paid","cust":"a"}', timestampMs: 1_600_000_000_000 },
      { value: '{"id":2,"status":"open","cust":"b"}', timestampMs: 1_700_000_000_000 },
      { value: '{"id":3,"status":"paid","cust":"c"}', timestampMs: 1_790_000_000_000 },
    ])
    const file = {
      broker: hub(),
      sources: {
        in: {
          connector: 'kafka-source',
          topic: 'hub-raw',
          transforms: [{ type: 'filter', config: { field: 'status', equals: 'paid' } }],
          config: kafkaSource('raw'),
        },
      },
      sinks: {
        out: {
          connector: 'apache-kafka',
          topics: ['hub-raw'],
          consumer_group: 'paid',
          start_offset: { timestamp: '2025-01-01T00:00:00Z' },
          transforms: [{ type: 'rename_field', config: { from: 'cust', to: 'customer' } }],
          config: kafkaSink('paid', { key_field: 'customer', idempotent: true }),
        },
      },
    }
    await run(file)
    expect(await read('paid')).toMatchObject([{ key: 'c', value: '{"id":3,"status":"paid","customer":"c"}' }])
  })

  test('one that fails stops the others after they have delivered', async () => {
    await bed().admin.createTopic({ name: 'fine', partitions: 1 })
    await bed().write('fine', records)
    const file = {
      broker: hub(),
      sources: { fine: { connector: 'kafka-source', topic: 'hub-fine', config: kafkaSource('fine') } },
      bridges: {
        broken: {
          source: { connector: 'kafka-source', config: kafkaSource('not-there') },
          sink: { connector: 'kafka-sink', config: kafkaSink('fine') },
        },
      },
    }
    await expect(run(file, { untilEnd: false })).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
  })
})
