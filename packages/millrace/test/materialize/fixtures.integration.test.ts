import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readTask, type Task } from '../../../../demo/flow/catalogue.ts'
import { publishedAt, readFixture, uuidOf } from '../../../../demo/flow/fixture.ts'
import { Runtime } from '../../../../demo/flow/runtime.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'

const EXAMPLES = join(import.meta.dirname, '../../../../examples/flow')
const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')

describe('a fixture of Flow', () => {
  test('has the identifiers and times that flowctl gives its documents', () => {
    expect(uuidOf(3600)).toBe('7545a800-1dda-11b2-8000-071353030311')
    expect(uuidOf(7201)).toBe('d7a2a680-1de2-11b2-8000-071353030311')
    expect(publishedAt(3600)).toBe('1970-01-01T01:00:00.000000000Z')
    const transactions = readFixture(join(EXAMPLES, 'orders.jsonl'))
    expect(transactions.map((documents) => documents.map(({ seconds }) => seconds))).toEqual([
      [0, 1],
      [3600, 3601],
    ])
  })

  describe.skipIf(!brokerAvailable)('played by a runtime', () => {
    const bed = topicBed()

    test.each(['proto', 'json'] as const)('comes out as records: %s', async (codec) => {
      const topic = uniqueName('acme-orders')
      const task = await readTask(join(EXAMPLES, 'flow.yaml'))
      const config = { ...task.config, bootstrap_servers: bootstrapServers(), topic_partitions: 1 }
      const bindings = task.bindings.map((binding) => ({ ...binding, resource: { topic } }))
      const played: Task = { ...task, config, bindings }
      const runtime = new Runtime(played, [process.execPath, MAIN, 'materialize-kafka'], codec)
      expect([...(await runtime.validate()).values()]).toEqual([
        { keys: ['id'], values: ['address', 'address/city', 'amount', 'customer', 'flow_published_at'] },
      ])
      expect(await runtime.apply()).toBe(`create topic ${topic}`)
      expect(await runtime.apply()).toBe('nothing to do')
      await runtime.open()
      for (const transaction of readFixture(join(EXAMPLES, 'orders.jsonl')))
        expect(await runtime.transact(transaction)).toBe(2)
      await runtime.close()
      expect(await bed().values(topic)).toEqual([
        [
          '{"address":{"city":"London"},"address/city":"London","amount":12.0,"customer":"Ada","flow_published_at":"1970-01-01T00:00:00.000000000Z","id":1}',
          '{"address":null,"address/city":null,"amount":99.95,"customer":"Grace","flow_published_at":"1970-01-01T00:00:01.000000000Z","id":2}',
          '{"address":{"city":"Paris"},"address/city":"Paris","amount":15.5,"customer":"Ada","flow_published_at":"1970-01-01T01:00:00.000000000Z","id":1}',
          '{"address":null,"address/city":null,"amount":1.0,"customer":null,"flow_published_at":"1970-01-01T01:00:01.000000000Z","id":3}',
        ],
      ])
    })
  })
})
