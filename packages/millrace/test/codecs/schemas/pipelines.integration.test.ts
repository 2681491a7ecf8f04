/** Pipelines whose records have schemas: on a real broker, with a real registry. */
import { afterAll, describe, expect, test } from 'vitest'
import { readPlan } from '../../../src/dialects/index.ts'
import { explainPlan } from '../../../src/engine/explain.ts'
import { catalog } from '../../../src/catalog.ts'
import { KafkaSource } from '../../../src/index.ts'
import { loadAvro } from '../../../src/codecs/schemas/avro/index.ts'
import type { Schema } from '../../../src/contracts/schemas.ts'
import { SchemaRegistry } from '../../../src/schema-registry/client.ts'
import { schemaIdOf, withSchemaId } from '../../../src/schema-registry/wire-format.ts'
import { bootstrapServers, brokerAvailable } from '../../support/broker.ts'
import { consume, graphFile, produce, runGraphHere } from '../../support/graphs.ts'
import { fromTopic, pipelineFile, runHere, toTopic } from '../../support/pipelines.ts'
import { RegistryServer } from '../../support/registry-server.ts'
import { ownRegistry, registryAvailable } from '../../support/registry.ts'
import { topicBed } from '../../support/topics.ts'

const ORDER = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'amount', type: 'double' },
  ],
}
const NEXT = { ...ORDER, fields: [...ORDER.fields, { name: 'big', type: 'boolean', default: false }] }

describe.skipIf(!brokerAvailable || !registryAvailable)('pipelines with schemas', () => {
  const bed = topicBed()
  const server = ownRegistry()
  const second = ownRegistry()
  const clients: SchemaRegistry[] = []
  const registry = (url = server().url): SchemaRegistry => {
    const made = new SchemaRegistry(
      {
        urls: [url],
        credentials: undefined,
        headers: {},
        tls: undefined,
        requestTimeoutMs: 10_000,
        retryTimeoutMs: 10_000,
        retryBackoffMs: 50,
        retryBackoffMaxMs: 500,
        latestTtlMs: 0,
      },
      '/',
    )
    clients.push(made)
    return made
  }
  afterAll(() => Promise.all(clients.map((client) => client.close())))

  const avro = { 'value.deserializer': 'avro' }
  const toAvro = { 'value.serializer': 'avro' }

  /** A topic with some orders, and the id of their schema. */
  async function orders(
    count = 5,
  ): Promise<{ readonly topic: string; readonly id: number; readonly values: readonly Buffer[] }> {
    const topic = await bed().create()
    const schema: Schema = { type: 'AVRO', text: JSON.stringify(ORDER), references: [] }
    const id = await registry().register(`${topic}-value`, schema)
    const format = (await loadAvro()).parse({ text: schema.text, references: [] })
    const values = Array.from({ length: count }, (_, i) =>
      withSchemaId(id, format.write({ id: i, amount: i * 10 }, 0, false)),
    )
    await bed().write(
      topic,
      values.map((value, i) => ({ key: `k${i}`, value })),
    )
    return { topic, id, values }
  }

  async function written(topic: string): Promise<(Buffer | null)[]> {
    const found: (Buffer | null)[] = []
    await using source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, untilEnd: true })
    for await (const { value } of source) found.push(value === null ? null : Buffer.from(value))
    return found
  }

  async function documents(topic: string, url = server().url): Promise<unknown[]> {
    const client = registry(url)
    const format = await loadAvro()
    return Promise.all(
      (await written(topic)).map(async (value) =>
        format.parse({ text: (await client.schema(schemaIdOf(value!)!)).text, references: [] }).read(value!, 5, true),
      ),
    )
  }

  test('drop records by their fields, and forward the others with the bytes and the schema id that they came with, which takes no schema', async () => {
    const { topic, values } = await orders()
    const to = await bed().create()
    await runHere({
      source: fromTopic(topic, { ...avro, schemaRegistry: server().url }),
      stages: [{ $match: { amount: { $gte: 20 } } }],
      sink: toTopic(to, { ...toAvro, schemaRegistry: { url: server().url } }),
    })
    expect(await written(to)).toEqual(values.slice(2))
  })

  test('write what a stage changed with the schema of the sink, which they register', async () => {
    const { topic } = await orders(2)
    const to = await bed().create()
    await runHere({
      source: fromTopic(topic, { ...avro, 'schema.registry.url': server().url }),
      stages: [{ $set: { big: { $gt: ['$amount', 5] } } }],
      sink: toTopic(to, { ...toAvro, 'schema.registry.url': server().url, valueSchema: NEXT }),
    })
    expect(await documents(to)).toEqual([
      { id: 0, amount: 0, big: false },
      { id: 1, amount: 10, big: true },
    ])
    expect(JSON.parse((await registry().latest(`${to}-value`)).text)).toEqual(NEXT)
  })

  test('write with the latest schema of a subject where none is given', async () => {
    const { topic, id } = await orders(1)
    const to = await bed().create()
    await runHere({
      source: fromTopic(topic, { ...avro, schemaRegistry: server().url }),
      stages: [{ $set: { amount: 99 } }],
      sink: toTopic(to, { ...toAvro, schemaRegistry: server().url, valueSubject: `${topic}-value` }),
    })
    expect(await documents(to)).toEqual([{ id: 0, amount: 99 }])
    expect(schemaIdOf((await written(to))[0]!)).toBe(id)
  })

  test('go from Avro to JSON and back, with tombstones and keys', async () => {
    const { topic, values } = await orders(2)
    await bed().write(topic, [{ key: 'gone', value: null }])
    const [json, back] = [await bed().create(), await bed().create()]
    await runHere({ source: fromTopic(topic, { ...avro, schemaRegistry: server().url }), sink: toTopic(json) })
    expect((await written(json)).map((value) => value?.toString() ?? null)).toEqual([
      '{"id":0,"amount":0}',
      '{"id":1,"amount":10}',
      null,
    ])
    await runHere({
      source: fromTopic(json),
      sink: toTopic(back, { ...toAvro, schemaRegistry: server().url, valueSubject: `${topic}-value` }),
    })
    expect(await written(back)).toEqual([...values, null])
  })

  test('read and write keys with schemas', async () => {
    const from = await bed().create()
    const to = await bed().create()
    await bed().write(from, [{ key: 'x', value: '{"id":7,"amount":1}' }])
    await runHere({
      source: fromTopic(from),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(to, {
        schemaRegistry: server().url,
        'key.serializer': 'avro',
        keySchema: '"long"',
        keyField: 'id',
      }),
    })
    const again = await bed().create()
    await runHere({
      source: fromTopic(to, {
        schemaRegistry: server().url,
        'key.deserializer': 'io.confluent.kafka.serializers.KafkaAvroDeserializer',
      }),
      stages: [{ $set: { key: '$_meta.key' } }],
      sink: toTopic(again),
    })
    expect((await written(again)).map(String)).toEqual(['{"id":7,"amount":1,"seen":true,"key":7}'])
  })

  test('write what goes to another registry under the ids of that one', async () => {
    const { topic } = await orders(2)
    const to = await bed().create()
    await runHere({
      source: fromTopic(topic, { ...avro, schemaRegistry: server().url }),
      sink: toTopic(to, { ...toAvro, schemaRegistry: second().url, valueSchema: ORDER }),
    })
    expect(await documents(to, second().url)).toEqual([
      { id: 0, amount: 0 },
      { id: 1, amount: 10 },
    ])
  })

  test('register in another registry what is written there, and replace the ids alone where no stage changes a value', async () => {
    const [money, from, to] = [await bed().create(), await bed().create(), await bed().create()]
    const own = { type: 'record', name: 'Money', namespace: 'shop', fields: [{ name: 'cents', type: 'int' }] }
    const priced = { type: 'record', name: 'Priced', fields: [{ name: 'price', type: 'shop.Money' }] }
    const text = (schema: unknown): string => JSON.stringify(schema)
    await registry().register(money, { type: 'AVRO', text: text(own), references: [] })
    const references = [{ name: 'shop.Money', subject: money, version: 1 }]
    const id = await registry().register(`${from}-value`, { type: 'AVRO', text: text(priced), references })
    const data = (cents: number): Buffer => withSchemaId(id, Buffer.of(cents * 2))
    await bed().write(from, [{ value: data(1) }, { value: null }, { value: data(2) }])
    // So that the same schema has other ids there.
    for (const name of ['x', 'y', 'z'])
      await registry(second().url).register(`${from}-${name}`, {
        type: 'AVRO',
        text: text({ ...own, name }),
        references: [],
      })
    await runHere({
      source: fromTopic(from, { ...avro, schemaRegistry: server().url }),
      sink: toTopic(to, { ...toAvro, schemaRegistry: second().url }),
    })
    const latest = await registry(second().url).latest(`${to}-value`)
    expect(latest.id).not.toBe(id)
    expect(latest.references).toEqual(references)
    expect(await written(to)).toEqual([
      withSchemaId(latest.id, Buffer.of(2)),
      null,
      withSchemaId(latest.id, Buffer.of(4)),
    ])
    // What a stage changes is written with the same schema.
    const changed = await bed().create()
    await runHere({
      source: fromTopic(from, { ...avro, schemaRegistry: server().url }),
      stages: [
        { $set: { 'price.cents': { $cond: [{ $eq: ['$price.cents', 2] }, 50, '$price.cents'] } } },
        { $match: { price: { $exists: true } } },
      ],
      sink: toTopic(changed, { ...toAvro, schemaRegistry: second().url }),
      errorPolicy: 'skip',
    })
    expect((await written(changed)).map((value) => value?.at(-1))).toEqual([2, 100])
  })

  test('wait while the registry is down, and neither skip nor dead-letter a record for it', async () => {
    const flaky = await RegistryServer.start()
    try {
      const topic = await bed().create()
      const [to, letters] = [await bed().create(), await bed().create()]
      const id = flaky.add('orders-value', { schema: JSON.stringify(ORDER) })
      const format = (await loadAvro()).parse({ text: JSON.stringify(ORDER), references: [] })
      const values = [1, 2, 3].map((n) => withSchemaId(id, format.write({ id: n, amount: n }, 0, false)))
      await bed().write(
        topic,
        values.map((value) => ({ value })),
      )
      flaky.always = { status: 503, body: '' }
      const running = runHere({
        source: fromTopic(topic, {
          ...avro,
          schemaRegistry: { url: flaky.url, retryTimeoutMs: 100, retryBackoffMs: 10 },
        }),
        stages: [{ $set: { amount: 9 } }],
        sink: toTopic(to),
        errorPolicy: { deadLetter: { topic: letters } },
      })
      const asked = (): number => flaky.requests.length
      await expect.poll(asked).toBeGreaterThan(0)
      const times = asked()
      await expect.poll(asked).toBeGreaterThan(times + 10)
      flaky.always = undefined
      const { errors } = await running
      expect(errors).toEqual({ skipped: {}, deadLettered: {}, retried: {} })
      expect((await written(to)).map(String)).toEqual([
        '{"id":1,"amount":9}',
        '{"id":2,"amount":9}',
        '{"id":3,"amount":9}',
      ])
      expect(await bed().end(letters)).toBe(0)
    } finally {
      await flaky.stop()
    }
  })

  test('fail single records whose schema is not there', async () => {
    const { topic } = await orders(1)
    await bed().write(topic, [{ value: withSchemaId(987654, Buffer.from([0])) }, { value: 'text' }])
    const to = await bed().create()
    const { errors } = await runHere({
      source: fromTopic(topic, { ...avro, schemaRegistry: server().url }),
      stages: [{ $set: { amount: 1 } }],
      sink: toTopic(to),
      errorPolicy: { type: 'skip' },
    })
    expect(errors.skipped).toEqual({ DECODE_FAILED: 2 })
    expect(await bed().end(to)).toBe(1)
  })

  test('of graphs have rows with the fields of the schema', async () => {
    const { topic } = await orders(3)
    const to = await bed().create()
    const file = await graphFile([
      consume(topic, { ...avro, schemaRegistry: server().url }),
      {
        id: 'keep',
        function: 'filter.apply',
        inputs: ['consume'],
        config: { column: 'amount', operator: '>=', value: '10' },
      },
      produce(to, ['keep'], { ...toAvro, schemaRegistry: server().url, valueSubject: `${topic}-value` }),
    ])
    await runGraphHere(file)
    expect(await documents(to)).toEqual([
      { id: 1, amount: 10 },
      { id: 2, amount: 20 },
    ])
  })

  test('are explained', async () => {
    const explain = async (sink: object, stages: readonly unknown[] = []): Promise<string> => {
      const source = fromTopic('orders', { ...avro, schemaRegistry: server().url })
      const plan = await readPlan(await pipelineFile({ source, stages, sink: toTopic('to', { ...sink }) }))
      const { lane, why } = await explainPlan(plan, catalog)
      return `${lane}: ${why}`
    }
    expect(await explain({ ...toAvro, schemaRegistry: server().url })).toMatch(/^verbatim/)
    expect(await explain({})).toBe('documents: values are read as avro and written as json')
    expect(await explain({ ...toAvro, schemaRegistry: second().url })).toMatch(/schemas of another registry/)
  })
})
