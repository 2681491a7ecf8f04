/** Connectors whose records have schemas: from Kafka to the hub, from the hub to Kafka, and past it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalog } from '../../../src/catalog.ts'
import { loadAvro } from '../../../src/codecs/schemas/avro/index.ts'
import { readAnyPlan } from '../../../src/dialects/index.ts'
import { runPlan } from '../../../src/engine/run-plan.ts'
import { KafkaSource } from '../../../src/index.ts'
import { numberOf } from '../../../src/records/exact-numbers.ts'
import { withSchemaId } from '../../../src/schema-registry/wire-format.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../../support/broker.ts'
import { RegistryServer } from '../../support/registry-server.ts'
import { topicBed } from '../../support/topics.ts'

const ORDER = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
}
const LARGE = '9007199254740993'

describe.skipIf(!brokerAvailable)('connectors with schemas', () => {
  const bed = topicBed()
  let server: RegistryServer
  let directory: string
  let id: number
  let values: Buffer[]
  beforeAll(async () => {
    server = await RegistryServer.start()
    directory = await mkdtemp(join(tmpdir(), 'millrace-connectors-'))
    id = server.add('orders-value', { schema: JSON.stringify(ORDER) })
    const format = (await loadAvro()).parse({ text: JSON.stringify(ORDER), references: [] })
    values = [{ id: 1, note: 'x' }, { id: numberOf(LARGE) }].map((order) =>
      withSchemaId(id, format.write(order, 0, false)),
    )
  })
  afterAll(async () => {
    await server.stop()
    await rm(directory, { recursive: true })
  })

  async function run(content: object): Promise<void> {
    const file = join(directory, `${uniqueName('file')}.json`)
    await writeFile(file, JSON.stringify(content))
    const never = new AbortController().signal
    const options = { components: catalog, signal: never, abort: never, untilEnd: true, warn: () => {} }
    await runPlan(await readAnyPlan(file, {}), options)
  }

  async function written(topic: string): Promise<(Buffer | null)[]> {
    const found: (Buffer | null)[] = []
    await using source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, untilEnd: true })
    for await (const { value } of source) found.push(value && Buffer.from(value))
    return found
  }

  async function orders(): Promise<string> {
    const topic = await bed().create()
    await bed().write(topic, [...values.map((value) => ({ key: 'k', value })), { key: 'k', value: null }])
    return topic
  }

  const broker = (): object => ({ bootstrap_servers: [bootstrapServers()] })
  const from = (topic: string): object => ({
    brokers: bootstrapServers(),
    topic,
    consumer_group: uniqueName('group'),
    properties: { 'value.deserializer': 'avro', schemaRegistry: { url: server.url, username: 'u', password: 'p' } },
  })
  const to = (topic: string): object => ({
    brokers: bootstrapServers(),
    topic,
    properties: { 'value.serializer': 'avro', schemaRegistry: server.url, valueSubject: 'orders-value' },
  })

  test('put what values mean into events, with all digits, and write it again as it came', async () => {
    const topic = await orders()
    const [hub, back] = [await bed().create(), await bed().create()]
    const source = { connector: 'kafka-source', topic: hub, config: from(topic) }
    await run({ broker: broker(), sources: { orders: source } })
    const events = (await written(hub)).map(String)
    const data = events.map((event) => /"data":(.*),"metadata"/.exec(event)![1])
    expect(data).toEqual(['{"id":1,"note":"x"}', `{"id":${LARGE},"note":null}`, 'null'])
    const sink = {
      connector: 'kafka-sink',
      topics: [hub],
      consumer_group: uniqueName('hub'),
      start_offset: 'earliest',
      config: to(back),
    }
    await run({ broker: broker(), sinks: { orders: sink } })
    expect(await written(back)).toEqual([...values, null])
  })

  test('see the fields of values in stages and in transforms of events', async () => {
    const topic = await orders()
    const hub = await bed().create()
    const transforms = [{ $match: { id: { $lte: 1 } } }, { type: 'filter', config: { field: 'note', equals: 'x' } }]
    await run({
      broker: broker(),
      sources: { orders: { connector: 'kafka-source', topic: hub, config: from(topic), transforms } },
    })
    const [event, ...more] = (await written(hub)).map((value) => JSON.parse(String(value)) as object)
    expect(more).toEqual([])
    expect(event).toMatchObject({ data: { id: 1, note: 'x' } })
  })

  test('pass a bridge unchanged, or as a stage changes them', async () => {
    const topic = await orders()
    const [same, changed] = [await bed().create(), await bed().create()]
    const bridge = (sink: string, transforms: readonly object[]): object => ({
      source: { connector: 'kafka-source', config: from(topic) },
      sink: { connector: 'kafka-sink', config: to(sink) },
      transforms,
    })
    await run({ bridges: { same: bridge(same, []) } })
    expect(await written(same)).toEqual([...values, null])
    await run({ bridges: { changed: bridge(changed, [{ $match: { id: 1 } }, { $set: { note: 'y' } }]) } })
    expect((await written(changed)).map((value) => value?.toString('latin1').at(-1))).toEqual(['y'])
  })
})
