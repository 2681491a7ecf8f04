/**
 * Kafka stages of a graph whose values have different formats: on the embedded broker, with a registry.
 *
 * A graph from Avro to JSON once passed the rows that no stage had changed on as Avro, and one row that could not be written took
 * all others of its batch along.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../src/broker/index.ts'
import { loadAvro } from '../../src/codecs/schemas/avro/index.ts'
import { KafkaSink, KafkaSource } from '../../src/index.ts'
import { schemaIdOf, withSchemaId } from '../../src/schema-registry/wire-format.ts'
import type { RunResult } from '../../src/engine/plan.ts'
import { graphFile, runGraphHere, type GraphStage } from '../support/graphs.ts'
import { RegistryServer } from '../support/registry-server.ts'

const ORDER = JSON.stringify({
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'int' },
    { name: 'amount', type: 'double' },
  ],
})

let broker: EmbeddedBroker
let registry: RegistryServer
let format: ReturnType<Awaited<ReturnType<typeof loadAvro>>['parse']>
let id: number
let made = 0
beforeAll(async () => {
  broker = await startBroker()
  registry = await RegistryServer.start()
  id = registry.add('orders-value', { schema: ORDER })
  format = (await loadAvro()).parse({ text: ORDER, references: [] })
})
afterAll(() => Promise.all([broker.close(), registry.stop()]))

const avroOf = (order: object): Buffer => withSchemaId(id, format.write(order, 0, false))

async function topic(values: readonly (Buffer | string | null)[] = []): Promise<string> {
  const name = `formats-${++made}`
  broker.createTopic(name, { partitions: 1 })
  await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: name })
  if (values.length > 0) await sink.write(values.map((value, i) => ({ key: `k${i}`, value })))
  return name
}

async function written(name: string): Promise<(Buffer | null)[]> {
  const found: (Buffer | null)[] = []
  await using source = new KafkaSource({ bootstrapServers: broker.bootstrapServers, topics: name, untilEnd: true })
  for await (const { value } of source) found.push(value === null ? null : Buffer.from(value))
  return found
}
const texts = async (name: string): Promise<(string | null)[]> =>
  (await written(name)).map((value) => value?.toString() ?? null)
const orders = async (name: string): Promise<unknown[]> =>
  (await written(name)).map((value) => value && format.read(value, 5, true))

const avro = { 'value.deserializer': 'avro' }
const toAvro = { 'value.serializer': 'avro', valueSubject: 'orders-value' }

const from = (name: string, config: object = {}): GraphStage => ({
  id: 'from',
  function: 'kafka',
  config: {
    brokers: broker.bootstrapServers,
    topic: name,
    group_id: `group-${++made}`,
    max_messages: 1_000_000,
    ...('value.deserializer' in config && config['value.deserializer'] === 'avro'
      ? { schemaRegistry: registry.url }
      : {}),
    ...config,
  },
})
const to = (name: string, config: object = {}, stageId = 'to', input = 'from'): GraphStage => ({
  id: stageId,
  function: 'kafka',
  inputs: [input],
  config: {
    brokers: broker.bootstrapServers,
    topic: name,
    ...('value.serializer' in config && config['value.serializer'] === 'avro' ? { schemaRegistry: registry.url } : {}),
    ...config,
  },
})
const run = async (stages: readonly GraphStage[], more: object = {}): Promise<RunResult> =>
  runGraphHere(await graphFile(stages, more))

const TWO = [
  { id: 1, amount: 5 },
  { id: 2, amount: 50 },
]

describe('rows that no stage changes', () => {
  test('are written as JSON where they come as Avro, and tombstones stay what they are', async () => {
    const [source, target] = [await topic([...TWO.map(avroOf), null]), await topic()]
    await run([from(source, avro), to(target)])
    expect(await texts(target)).toEqual(['{"id":1,"amount":5}', '{"id":2,"amount":50}', null])
  })

  test('are written as JSON behind a filter, too', async () => {
    const [source, target] = [await topic(TWO.map(avroOf)), await topic()]
    const filter = { column: 'amount', operator: '>', value: '10' }
    await run([
      from(source, avro),
      { id: 'large', function: 'filter.apply', inputs: ['from'], config: filter },
      to(target, {}, 'to', 'large'),
    ])
    expect(await texts(target)).toEqual(['{"id":2,"amount":50}'])
  })

  test('are written as Avro where they come as JSON', async () => {
    const [source, target] = [await topic([...TWO.map((order) => JSON.stringify(order)), null]), await topic()]
    await run([from(source), to(target, toAvro)])
    expect((await written(target)).map((value) => value && schemaIdOf(value))).toEqual([id, id, null])
    expect(await orders(target)).toEqual([...TWO, null])
  })

  test('are written to each of several sinks in its own format', async () => {
    const [source, json, other, raw] = [await topic(TWO.map(avroOf)), await topic(), await topic(), await topic()]
    await run([
      from(source, avro),
      to(json, {}, 'json'),
      to(other, toAvro, 'avro'),
      to(raw, { 'value.serializer': 'bytes' }, 'raw'),
    ])
    expect(await texts(json)).toEqual(TWO.map((order) => JSON.stringify(order)))
    expect(await orders(other)).toEqual(TWO)
    expect(await written(raw)).toEqual(TWO.map(avroOf))
  })

  test('are written as text and as numbers of Kafka, where the source has the other one', async () => {
    const number = Buffer.from([0, 0, 0, 0, 0, 0, 0, 7])
    const [source, json, back] = [await topic([number, null]), await topic(), await topic()]
    await run([from(source, { 'value.deserializer': 'long' }), to(json)])
    expect(await texts(json)).toEqual(['{"_kafka_payload":7}', null])
    await run([from(json), to(back, { 'value.serializer': 'long' })])
    expect(await written(back)).toEqual([number, null])
  })

  test('have keys with the schemas of the sink’s registry, those of tombstones included', async () => {
    const other = await RegistryServer.start()
    onTestFinished(() => other.stop())
    const KEY = '"string"'
    // So that the numbers differ.
    other.add('taken', { schema: '"int"' })
    other.add('taken', { schema: '"long"' })
    const keys = (await loadAvro()).parse({ text: KEY, references: [] })
    const keyId = registry.add('keyed-key', { schema: KEY })
    const source = `formats-${++made}`
    broker.createTopic(source, { partitions: 1 })
    await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: source })
    await sink.write([
      { key: withSchemaId(keyId, keys.write('a', 0, false)), value: '{"n":1}' },
      { key: withSchemaId(keyId, keys.write('b', 0, false)), value: null },
      { key: null, value: '{"n":2}' },
    ])
    const target = await topic()
    await run([
      from(source, { 'key.deserializer': 'avro', schemaRegistry: registry.url }),
      to(target, { 'key.serializer': 'avro', schemaRegistry: other.url, keySubject: 'target-key' }),
    ])
    const found: [number | undefined, unknown, string | undefined][] = []
    await using reader = new KafkaSource({ bootstrapServers: broker.bootstrapServers, topics: target, untilEnd: true })
    for await (const { key, value } of reader)
      found.push([key === null ? undefined : schemaIdOf(key), key && keys.read(key, 5, true), value?.toString()])
    const [idThere] = found[0]!
    expect(idThere).not.toBe(keyId)
    expect(found).toEqual([
      [idThere, { value: 'a' }, '{"n":1}'],
      [idThere, { value: 'b' }, undefined],
      [undefined, null, '{"n":2}'],
    ])
  })

  test('pass as the bytes that came in where the format is the same', async () => {
    const value = '{ "id" : 1.0 }'
    const [source, target] = [await topic([value, 'no JSON']), await topic()]
    await run([from(source), to(target)])
    expect(await texts(target)).toEqual([value, 'no JSON'])
  })
})

describe.each(['at_least_once', 'exactly_once'])('rows that cannot be read or written, %s', (delivery) => {
  const policy = (letters: string): object => ({
    global: { delivery },
    error_handling: { strategy: 'continue', dead_letter_queue: { topic: letters } },
  })
  const letters = async (name: string): Promise<unknown[]> =>
    (await texts(name)).map((letter) => JSON.parse(letter!) as unknown)

  test('meet their fate alone when they have no schema id', async () => {
    const [source, target] = [await topic([avroOf(TWO[0]!), 'text', avroOf(TWO[1]!)]), await topic()]
    const dead = await topic()
    const { errors } = await run([from(source, avro), to(target)], policy(dead))
    expect(errors.deadLettered).toEqual({ DECODE_FAILED: 1 })
    expect(await texts(target)).toEqual(TWO.map((order) => JSON.stringify(order)))
    const [letter] = await letters(dead)
    expect(letter).toMatchObject({ record: 'text', error: expect.stringContaining('it has no schema id') as string })
  })

  test('meet their fate alone when they do not have the schema of the sink', async () => {
    const values = [JSON.stringify(TWO[0]), '{"id":"x","amount":1}', JSON.stringify(TWO[1])]
    const [source, target] = [await topic(values), await topic()]
    const dead = await topic()
    const { errors } = await run([from(source), to(target, toAvro)], policy(dead))
    expect(errors.deadLettered).toEqual({ ENCODE_FAILED: 1 })
    expect(await orders(target)).toEqual(TWO)
    expect(await letters(dead)).toMatchObject([{ record: { id: 'x', amount: 1 } }])
  })

  test('end the run before anything of their batch is written, where that is the policy', async () => {
    const [source, target] = [await topic([JSON.stringify(TWO[0]), '{"id":"x"}']), await topic()]
    await expect(run([from(source), to(target, toAvro)], { global: { delivery } })).rejects.toMatchObject({
      code: 'ENCODE_FAILED',
    })
    expect(await texts(target)).toEqual([])
  })
})
