/** Where the schema ids of records are, and which: on a real broker, with real registries. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadAvro } from '../../../src/codecs/schemas/avro/index.ts'
import { KafkaSource, SchemaDeserializer } from '../../../src/index.ts'
import type { Header } from '../../../src/records/record.ts'
import { SchemaRegistry } from '../../../src/schema-registry/client.ts'
import { schemaIdOf, withSchemaId } from '../../../src/schema-registry/wire-format.ts'
import { bootstrapServers, brokerAvailable } from '../../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../../support/pipelines.ts'
import { ForwardingServer } from '../../support/forwarding-server.ts'
import { ownRegistry, registryAvailable } from '../../support/registry.ts'
import { topicBed } from '../../support/topics.ts'

const ORDER = { type: 'record', name: 'Order', fields: [{ name: 'id', type: 'long' }] }

interface Read {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly Header[]
}

describe.skipIf(!brokerAvailable || !registryAvailable)('schema ids', () => {
  const bed = topicBed()
  const first = ownRegistry()
  const second = ownRegistry()
  let clients: readonly SchemaRegistry[] = []
  beforeAll(async () => {
    const times = {
      requestTimeoutMs: 9000,
      retryTimeoutMs: 9000,
      retryBackoffMs: 50,
      retryBackoffMaxMs: 500,
      latestTtlMs: 0,
    }
    clients = [first(), second()].map(
      ({ url }) =>
        new SchemaRegistry({ urls: [url], credentials: undefined, headers: {}, tls: undefined, ...times }, '/'),
    )
    // So that the same schema has other ids there.
    for (const name of ['X', 'Y', 'Z'])
      await clients[1]!.register(name, { type: 'AVRO', text: JSON.stringify({ ...ORDER, name }), references: [] })
  })
  afterAll(() => Promise.all(clients.map((client) => client.close())))

  async function read(topic: string): Promise<Read[]> {
    const found: Read[] = []
    await using source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, untilEnd: true })
    for await (const { key, value, headers } of source)
      found.push({
        key: key && Buffer.from(key),
        value: value && Buffer.from(value),
        headers: headers.map(([name, one]) => [name, one && Buffer.from(one)]),
      })
    return found
  }

  /** A topic whose keys and values have schemas of the first registry: two orders and a tombstone. */
  async function orders(): Promise<{ readonly topic: string; readonly keyId: number; readonly id: number }> {
    const topic = await bed().create()
    const [client] = clients as [SchemaRegistry]
    const keyId = await client.register(`${topic}-key`, { type: 'AVRO', text: '"long"', references: [] })
    const id = await client.register(`${topic}-value`, { type: 'AVRO', text: JSON.stringify(ORDER), references: [] })
    const format = (await loadAvro()).parse({ text: JSON.stringify(ORDER), references: [] })
    const value = (order: number): Buffer => withSchemaId(id, format.write({ id: order }, 0, false))
    const key = (order: number): Buffer => withSchemaId(keyId, Buffer.of(order * 2))
    await bed().write(topic, [
      { key: key(1), value: value(1), headers: [['trace', 'abc']] },
      { key: key(2), value: value(2) },
      { key: key(1), value: null },
    ])
    return { topic, keyId, id }
  }

  const avro = { 'value.deserializer': 'avro', 'key.deserializer': 'avro' }
  const toAvro = { 'value.serializer': 'avro', 'key.serializer': 'avro' }

  test.each([
    { name: 'no stage', stages: [], delivery: undefined },
    { name: 'a stage that changes values', stages: [{ $set: { id: { $add: ['$id', 0] } } }], delivery: undefined },
    { name: 'transactions', stages: [], delivery: 'exactly_once' },
  ])('are written into headers and read from there: $name', async ({ stages, delivery }) => {
    const { topic, keyId, id } = await orders()
    const [to, back] = [await bed().create(), await bed().create()]
    const options = { ...toAvro, schemaRegistry: first().url, valueSubject: `${topic}-value` }
    await runHere({
      source: fromTopic(topic, { ...avro, schemaRegistry: first().url }),
      stages,
      sink: toTopic(to, { ...options, schemaIdLocation: 'header' }),
      ...(delivery === undefined ? {} : { delivery }),
    })
    const inHeader = (one: number): Buffer => withSchemaId(one, Buffer.alloc(0))
    const written = await read(to)
    expect(written.map(({ key, value }) => [key, value])).toEqual([
      [Buffer.of(2), Buffer.of(2)],
      [Buffer.of(4), Buffer.of(4)],
      [Buffer.of(2), null],
    ])
    const names = { value: ['__value_schema_id', inHeader(id)], key: ['__key_schema_id', inHeader(keyId)] }
    expect(written.map(({ headers }) => headers)).toEqual([
      [['trace', Buffer.from('abc')], names.value, names.key],
      [names.value, names.key],
      [names.key],
    ])
    await using deserializer = new SchemaDeserializer({ format: 'avro', schemaRegistry: first().url })
    expect(await deserializer.deserialize(written[1]!.value!, written[1])).toEqual({ id: 2 })
    // From the headers to where they are by default, through a stage.
    await runHere({
      source: fromTopic(to, { ...avro, schemaRegistry: first().url }),
      stages: [{ $set: { id: { $add: ['$id', 1] } } }],
      sink: toTopic(back, options),
    })
    expect((await read(back)).map(({ value, headers }) => [value, headers.map(([name]) => name)])).toEqual([
      [withSchemaId(id, Buffer.of(4)), ['trace', '__key_schema_id']],
      [withSchemaId(id, Buffer.of(6)), ['__key_schema_id']],
      [null, ['__key_schema_id']],
    ])
  })

  test('are asked for once per process, however many partitions, records and pipelines', async () => {
    const { topic, keyId, id } = await orders()
    const wide = await bed().create({ partitions: 6 })
    const [{ key, value }] = (await read(topic)) as [Read]
    await bed().write(
      wide,
      Array.from({ length: 3000 }, (_, i) => ({ key, value, partition: i % 6 })),
    )
    const front = await ForwardingServer.start(first().url)
    try {
      const targets = [await bed().create(), await bed().create(), await bed().create()]
      await Promise.all(
        targets.map((to) =>
          runHere({
            source: fromTopic(wide, { ...avro, schemaRegistry: front.url }),
            stages: [{ $set: { seen: '$_meta.key' } }],
            sink: toTopic(to),
          }),
        ),
      )
      expect(await Promise.all(targets.map((to) => bed().end(to)))).toEqual([3000, 3000, 3000])
      expect(front.requests.toSorted()).toEqual([`GET /schemas/ids/${id}`, `GET /schemas/ids/${keyId}`].toSorted())
    } finally {
      await front.stop()
    }
  })

  test('of keys and values are those of the other registry, where they are written to another one', async () => {
    const { topic, keyId, id } = await orders()
    const [to, headed, back] = [await bed().create(), await bed().create(), await bed().create()]
    await runHere({
      source: fromTopic(topic, { ...avro, schemaRegistry: first().url }),
      sink: toTopic(to, { ...toAvro, schemaRegistry: second().url }),
    })
    const written = await read(to)
    const [there] = written as [Read]
    const keyThere = schemaIdOf(there.key!)!
    const valueThere = schemaIdOf(there.value!)!
    expect([keyThere === keyId, valueThere === id]).toEqual([false, false])
    expect(JSON.parse((await clients[1]!.schema(keyThere)).text)).toBe('long')
    expect((await clients[1]!.latest(`${to}-key`)).id).toBe(keyThere)
    expect(written.map(({ key, value }) => [key, value])).toEqual([
      [withSchemaId(keyThere, Buffer.of(2)), withSchemaId(valueThere, Buffer.of(2))],
      [withSchemaId(keyThere, Buffer.of(4)), withSchemaId(valueThere, Buffer.of(4))],
      [withSchemaId(keyThere, Buffer.of(2)), null],
    ])
    // There in headers, and from headers back to the first registry.
    await runHere({
      source: fromTopic(to, { ...avro, schemaRegistry: second().url }),
      sink: toTopic(headed, { ...toAvro, schemaRegistry: second().url, schemaIdLocation: 'header' }),
    })
    await runHere({
      source: fromTopic(headed, { ...avro, schemaRegistry: second().url }),
      sink: toTopic(back, { ...toAvro, schemaRegistry: first().url }),
    })
    expect(await read(back)).toEqual((await read(topic)).map(({ key, value, headers }) => ({ key, value, headers })))
  })
})
