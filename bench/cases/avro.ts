import { startRegistry } from '../../test-bed/registry.ts'
import { runNode } from '../child.ts'
import { race } from '../measure.ts'
import type { Bench, Case } from './case.ts'
import { orderFile, orderTopic, runPipeline, startPipeline } from './copy.ts'

const RECORDS = 4_000_000

const ORDER = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'order_id', type: 'long' },
    { name: 'customer_id', type: 'string' },
    { name: 'amount', type: 'double' },
    { name: 'currency', type: 'string' },
    { name: 'status', type: 'string' },
    { name: 'region', type: 'string' },
    { name: 'items', type: 'int' },
    { name: 'created_at', type: 'string' },
  ],
}

export const avro: Case = {
  name: 'avro',
  summary:
    '4 million orders in Avro: decoded through a registry against avsc alone, and filtered from topic to topic against the same in JSON',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const file = await orderFile(bench)
    const json = await orderTopic(bench, file, records, 'none')
    const registry = await startRegistry()
    try {
      const topic = await avroTopic(bench, json, registry.url)
      const id = await idOf(registry.url, topic)
      const task = { registry: registry.url, id, schema: JSON.stringify(ORDER), file, records }
      const stages = [{ $match: { amount: { $gte: 100 } } }]
      const withSchemas = { schemaRegistry: registry.url }
      const asAvro = (output: object): object => ({ ...output, ...withSchemas, 'value.serializer': 'avro' })
      const source = { ...withSchemas, 'value.deserializer': 'avro' }
      return await race(
        [
          { name: 'decode', side: 'ours', run: () => runNode('avro-decode', { ...task, mode: 'millrace' }) },
          { name: 'avsc', side: 'peers', run: () => runNode('avro-decode', { ...task, mode: 'avsc' }) },
          {
            name: 'filter',
            side: 'ours',
            run: () => runPipeline(bench, topic, records, stages, asAvro({}), {}, source),
          },
          { name: 'filter-json', side: 'peers', run: () => runPipeline(bench, json, records, stages) },
        ],
        bench,
        ['decode/avsc', 'filter/filter-json'],
      )
    } finally {
      await registry.stop()
    }
  },
}

/** The orders of a topic in Avro, written by Millrace. */
async function avroTopic({ bed, progress }: Bench, json: string, registry: string): Promise<string> {
  const topic = await bed.createTopic(bed.name('orders-avro'))
  progress('writing the orders in Avro')
  await startPipeline(bed, {
    source: { topic: json, groupId: topic },
    stages: [],
    sink: { topic, 'value.serializer': 'avro', schemaRegistry: registry, valueSchema: ORDER, 'batch.size': 65_536 },
  })
  return topic
}

async function idOf(registry: string, topic: string): Promise<number> {
  const response = await fetch(`${registry}/subjects/${topic}-value/versions/latest`)
  return ((await response.json()) as { readonly id: number }).id
}
