/** What `explain` says of schemas; nothing is asked of a registry for it. */
import { expect, test } from 'vitest'
import { catalog } from '../../src/catalog.ts'
import { readPlan } from '../../src/dialects/index.ts'
import { explainPlan } from '../../src/engine/explain.ts'
import { pipelineFile } from '../support/pipelines.ts'

const SOURCE = { topic: 'orders', bootstrapServers: 'localhost:9092', groupId: 'g' }
const SINK = { topic: 'to', bootstrapServers: 'localhost:9092' }
const REGISTRY = { schemaRegistry: 'http://registry:8081' }

test.each([
  { name: 'none', source: {}, sink: {}, schemas: undefined },
  {
    name: 'of a registry',
    source: { 'value.deserializer': 'avro', ...REGISTRY },
    sink: { 'value.serializer': 'avro', ...REGISTRY },
    schemas:
      'values are read as avro with the schemas of the schema registry at http://registry:8081; values are written as avro with the latest schema of subject "to-value" of the schema registry at http://registry:8081',
  },
  {
    name: 'of one’s own',
    source: { 'key.deserializer': 'protobuf', keySchema: 'key.proto' },
    sink: { 'value.serializer': 'json-schema', valueSchema: 'order.json', ...REGISTRY },
    schemas:
      'keys are read as protobuf with the schema "key.proto"; values are written as json-schema with the schema "order.json", which is registered in subject "to-value" of the schema registry at http://registry:8081',
  },
])('schemas: $name', async ({ source, sink, schemas }) => {
  const file = await pipelineFile({
    source: { type: 'kafka', options: { ...SOURCE, ...source } },
    sink: { type: 'kafka', options: { ...SINK, ...sink } },
  })
  expect((await explainPlan(await readPlan(file), catalog)).schemas).toBe(schemas)
})
