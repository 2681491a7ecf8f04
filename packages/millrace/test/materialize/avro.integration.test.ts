import { describe, expect, test } from 'vitest'
import { subjectOf } from '../../src/materialize/avro/avro-records.ts'
import type { Codec } from '../../src/materialize/wire/frames.ts'
import type { MessageObject } from '../../src/materialize/wire/protobuf.ts'
import { parseExactly } from '../../src/records/exact-numbers.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { runRequests } from '../support/connector.ts'
import { decodeAvro } from '../support/decode-avro.ts'
import { FORMS, open, startConnector, transact } from '../support/flow-session.ts'
import { ForwardingServer } from '../support/forwarding-server.ts'
import { ownRegistry, registryAvailable } from '../support/registry.ts'
import { topicBed } from '../support/topics.ts'

describe.skipIf(!brokerAvailable || !registryAvailable)('materialize-kafka with Avro', () => {
  const bed = topicBed()
  const registry = ownRegistry()

  const COLLECTION = {
    name: 'acme/orders',
    writeSchema: {
      type: 'object',
      properties: {
        id: { type: 'integer' },
        at: { type: 'string', format: 'date-time' },
        'odd name': { type: 'number' },
        tags: { type: 'array', items: { type: 'string' } },
      },
      required: ['id', 'tags'],
    },
    projections: [
      { field: 'flow_document' },
      { ptr: '/_meta/uuid', field: 'flow_published_at', inference: { types: ['string'], exists: 'MUST' } },
    ],
  }
  const SELECTION = { keys: ['id'], values: ['at', 'flow_published_at', 'odd name', 'tags'], document: 'flow_document' }

  function materialization(topics: readonly string[], endpoint: string = registry().url): object {
    return {
      name: 'acme/orders',
      config: {
        bootstrap_servers: bootstrapServers(),
        message_format: 'Avro',
        topic_partitions: 1,
        topic_replication_factor: 1,
        schema_registry: { endpoint, username: 'u', password: 'hunter2' },
      },
      bindings: topics.map((topic) => ({
        resourceConfig: { topic },
        resourcePath: [topic],
        collection: COLLECTION,
        fieldSelection: SELECTION,
      })),
    }
  }

  async function fetchJson(path: string): Promise<unknown> {
    return (await fetch(`${registry().url}${path}`)).json()
  }

  /** A key or value in Confluent's wire format, decoded by the schema that the registry has under its id. */
  async function decode(bytes: Buffer): Promise<unknown> {
    expect(bytes[0]).toBe(0)
    const { schema } = (await fetchJson(`/schemas/ids/${bytes.readUInt32BE(1)}`)) as { schema: string }
    return decodeAvro(JSON.parse(schema), bytes.subarray(5))
  }

  async function recordsOf(topic: string): Promise<{ key: unknown; value: unknown }[]> {
    const { KafkaSource } = await import('../../src/index.ts')
    const records: { key: unknown; value: unknown }[] = []
    await using source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, untilEnd: true })
    for await (const { key, value } of source)
      records.push({ key: await decode(key!), value: value === null ? null : await decode(value) })
    return records
  }

  test.each(FORMS)('publishes documents that the registry can explain: $codec, $form', async ({ codec, form }) => {
    const topic = await bed().create()
    const connector = startConnector(codec)
    await open(connector, materialization([topic]))
    const doc = parseExactly('{"id":1,"odd name":1.0,"tags":["a"]}')
    const values = (odd: string): unknown[] => [
      '1970-01-01T00:00:01Z',
      '1970-01-01T00:00:00.000000000Z',
      parseExactly(odd),
      ['a'],
    ]
    await transact(connector, [{ key: [1], values: values('1.0'), doc }], form)
    await transact(
      connector,
      [
        { key: [1], values: values('2.5'), doc, delete: true },
        { key: [2], values: [null, 'now', null, []], doc },
      ],
      form,
    )
    expect(await connector.end()).toMatchObject({ code: 0 })

    const document = '{"id":1,"odd name":1.0,"tags":["a"]}'
    expect(await recordsOf(topic)).toEqual([
      {
        key: { _flow_key: { p1: 1 } },
        value: {
          at: 1_000_000,
          flow_document: document,
          flow_published_at: '1970-01-01T00:00:00.000000000Z',
          id: 1,
          tags: ['a'],
          _flow_extra: { 'odd name': { json: '1.0' } },
        },
      },
      { key: { _flow_key: { p1: 1 } }, value: null },
      {
        key: { _flow_key: { p1: 2 } },
        value: {
          at: null,
          flow_document: document,
          flow_published_at: 'now',
          id: 2,
          tags: [],
          _flow_extra: { 'odd name': { json: 'null' } },
        },
      },
    ])
  })

  test.each(FORMS)('publishes documents of 10 MB: $codec, $form', async ({ codec, form }) => {
    const topic = await bed().create({ configs: { 'max.message.bytes': '60000000' } })
    const connector = startConnector(codec)
    await open(connector, materialization([topic]))
    const tag = 'é"'.repeat(2_500_000)
    const doc = { id: 1, tags: [tag] }
    await transact(connector, [{ key: [1], values: [null, 'now', null, [tag]], doc }], form)
    expect(await connector.end()).toMatchObject({ code: 0 })
    const [record] = await recordsOf(topic)
    const value = record!.value as { readonly tags: readonly string[]; readonly flow_document: string }
    expect(value.tags[0] === tag).toBe(true)
    expect(value.flow_document === JSON.stringify(doc)).toBe(true)
  })

  test('needs the registry for opening only, and not while it stores', async () => {
    const topic = await bed().create()
    const front = await ForwardingServer.start(registry().url)
    const connector = startConnector('json')
    await open(connector, materialization([topic], front.url))
    await front.stop()
    for (const id of [1, 2])
      await transact(connector, [{ key: [id], values: [null, 'now', null, []], doc: {} }], 'packed')
    expect(await connector.end()).toMatchObject({ code: 0 })
    expect((await recordsOf(topic)).map(({ key }) => key)).toEqual([{ _flow_key: { p1: 1 } }, { _flow_key: { p1: 2 } }])
  })

  test('ends behind opened when the registry stays down', { timeout: 120_000 }, async () => {
    const connector = startConnector('json')
    const given = materialization([uniqueName('none')], 'http://127.0.0.1:9')
    expect(await connector.call({ open: { materialization: given } })).toEqual({ opened: {} })
    await expect(connector.call({ acknowledge: {} })).rejects.toThrow(
      /The connector ended with 1: Cannot register the schema of subject .*connection refused/,
    )
  })

  test('registers each schema under a subject of its own, however often it is opened', async () => {
    const topic = await bed().create()
    for (let session = 0; session < 2; session++) {
      const { responses, exitCode, last } = await runRequests('json', [
        { open: { materialization: materialization([topic]) } },
      ])
      expect({ exitCode, last, responses }).toEqual({
        exitCode: 0,
        last: 'connector exiting',
        responses: [{ opened: {} }],
      })
    }
    const key =
      '{"name":"root.Key","type":"record","fields":[{"name":"_flow_key","type":{"name":"root.Key.Parts","type":"record","fields":[{"name":"p1","type":"long"}]}}]}'
    const value =
      '{"name":"root","type":"record","fields":[{"name":"at","type":[{"type":"long"},"null"]},{"name":"flow_document","type":"string"},{"name":"flow_published_at","type":"string"},{"name":"id","type":"long"},{"name":"tags","type":{"type":"array","items":"string"}},{"name":"_flow_extra","type":{"type":"map","values":[{"name":"root._flow_extra.RawJSON","type":"record","fields":[{"name":"json","type":"string"}]},"null"]}}]}'
    const subjects = ((await fetchJson('/subjects')) as string[]).filter((subject) => subject.startsWith(topic))
    expect(subjects.toSorted()).toEqual([subjectOf(topic, key), subjectOf(topic, value)].toSorted())
    for (const subject of subjects) expect(await fetchJson(`/subjects/${subject}/versions`)).toEqual([1])
  })

  test('registers the schemas of many bindings', async () => {
    const topics = Array.from({ length: 23 }, () => uniqueName('many'))
    const { exitCode } = await runRequests('proto', [{ open: { materialization: materialization(topics) } }])
    expect(exitCode).toBe(0)
    const subjects = (await fetchJson('/subjects')) as string[]
    expect(topics.filter((topic) => subjects.filter((subject) => subject.startsWith(topic)).length !== 2)).toEqual([])
  })

  test('validates the registry, also for JSON', async () => {
    const validate = (config: object): MessageObject => ({ validate: { config, bindings: [] } })
    const { config } = materialization([]) as { config: { schema_registry: object } }
    expect(await runRequests('json', [validate(config)])).toMatchObject({ exitCode: 0, responses: [{ validated: {} }] })
    const wrong = {
      ...config,
      message_format: 'JSON',
      schema_registry: { ...config.schema_registry, endpoint: `${registry().url}/none` },
    }
    expect((await runRequests('json', [validate(wrong)])).last).toMatch(
      /^Could not connect to the configured schema registry\. .* failed with status 404/,
    )
  })

  test.each<{ codec: Codec }>([{ codec: 'proto' }, { codec: 'json' }])(
    'ends with the place of a value that does not fit: $codec',
    async ({ codec }) => {
      const topic = await bed().create()
      const connector = startConnector(codec)
      await open(connector, materialization([topic]))
      const stored = { key: [1], values: [null, 'now', null, ['a', 5.5]], doc: {} }
      await expect(transact(connector, [stored], 'packed')).rejects.toThrow(
        'The connector ended with 1: encoding payload: at "/tags/1", value 5.5 does not conform to AVRO schema "string"',
      )
      expect(await bed().end(topic)).toBe(0)
    },
  )
})
