/** What there is to see of a pipeline that waits for its registry: on the embedded broker. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { loadAvro } from '../../../src/codecs/schemas/avro/index.ts'
import type { WatchedPipeline } from '../../../src/engine/watching/watched-pipeline.ts'
import { KafkaSink } from '../../../src/index.ts'
import { withSchemaId } from '../../../src/schema-registry/wire-format.ts'
import { reasonsOf } from '../../../src/serve/health.ts'
import { graphFile, runGraphHere } from '../../support/graphs.ts'
import { RegistryServer } from '../../support/registry-server.ts'

const SCHEMA = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'

let broker: EmbeddedBroker
beforeAll(async () => {
  broker = await startBroker({ topics: { avro: 1, json: 1, out: 1 } })
})
afterAll(() => broker.close())

test.each([
  { name: 'reads', topic: 'avro', avroIs: 'consume', reason: 'cannot-read' },
  { name: 'writes', topic: 'json', avroIs: 'produce', reason: 'cannot-write' },
])('a pipeline that $name Avro is not ready while the registry is down, and says why', async (row) => {
  const registry = await RegistryServer.start()
  try {
    const id = registry.add('out-value', { schema: SCHEMA })
    const schema = (await loadAvro()).parse({ text: SCHEMA, references: [] })
    await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: row.topic })
    const value = row.topic === 'json' ? '{"a":1}' : withSchemaId(id, schema.write({ a: 1 }, 0, false))
    await sink.send({ value })
    const own = { brokers: broker.bootstrapServers }
    const schemaRegistry = { url: registry.url, retryTimeoutMs: 50, retryBackoffMs: 10 }
    const [reading, writing] = [
      { 'value.deserializer': 'avro', schemaRegistry },
      { 'value.serializer': 'avro', schemaRegistry },
    ]
    const file = await graphFile([
      {
        id: 'consume',
        function: 'kafka',
        config: { ...own, topic: row.topic, group_id: row.name, ...(row.avroIs === 'consume' ? reading : {}) },
      },
      {
        id: 'produce',
        function: 'kafka',
        inputs: ['consume'],
        config: { ...own, topic: 'out', ...(row.avroIs === 'produce' ? writing : {}) },
      },
    ])
    registry.always = { status: 503, body: '' }
    const pipelines: WatchedPipeline[] = []
    const running = runGraphHere(file, { onPipeline: (pipeline) => pipelines.push(pipeline) })
    const reasons = (): unknown => pipelines.flatMap((one) => reasonsOf(one, { idleMs: 0, lag: undefined }))
    await expect.poll(reasons, { timeout: 30_000 }).toEqual([
      {
        reason: row.reason,
        pipeline: expect.any(String) as string,
        message: expect.stringContaining(`Waiting for the schema registry at "${registry.url}"`) as string,
      },
    ])
    registry.always = undefined
    await running
    expect(pipelines[0]!.problem()).toEqual({ reading: undefined, writing: undefined })
  } finally {
    await registry.stop()
  }
})
