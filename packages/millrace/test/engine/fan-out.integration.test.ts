import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { brokerAvailable, uniqueName } from '../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

const records = (count: number, text = ''): { key: string; value: string }[] =>
  Array.from({ length: count }, (_, n) => ({
    key: `k${n % 7}`,
    value: JSON.stringify({ n, text: n === 50 ? text : '' }),
  }))

const numbers = (values: readonly string[][]): number[] =>
  values
    .flat()
    .map((value) => (JSON.parse(value) as { n: number }).n)
    .toSorted((a, b) => a - b)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe.skipIf(!brokerAvailable)('a fanout', () => {
  const bed = topicBed()

  test('forwards whole record batches to two topics, in order', async () => {
    const [from, a, b] = await Promise.all([1, 2, 3].map(() => bed().create({ partitions: 2 })))
    await bed().write(from!, records(5000))
    const result = await runHere({ source: fromTopic(from!), sink: { fanout: [toTopic(a!), toTopic(b!)] } })
    expect(result).toMatchObject({ read: { records: 5000 }, written: { records: 10_000 } })
    const values = await bed().values(from!)
    expect([await bed().values(a!), await bed().values(b!)]).toEqual([values, values])
  })

  test('gives every sink its own format and key', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    const path = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'out.jsonl')
    await bed().write(from, records(3))
    await runHere({
      source: fromTopic(from),
      stages: [{ $set: { seen: true } }],
      sink: {
        fanout: [toTopic(to, { includeMeta: true, keyField: 'n' }), { type: 'file', options: { path } }],
      },
    })
    const [first] = (await bed().values(to)).flat().map((value) => JSON.parse(value) as object)
    expect(first).toMatchObject({ n: 0, seen: true, _meta: { topic: from, offset: 0 } })
    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(upTo(3).map((n) => ({ n, text: '', seen: true })))
  })

  test('a record that the second topic refuses becomes one dead letter and does not come to the third', async () => {
    const small = { configs: { 'max.message.bytes': '5000' } }
    const [from, a, b, c, dead] = [
      await bed().create(),
      await bed().create(),
      await bed().create(small),
      await bed().create(),
      await bed().create(),
    ]
    await bed().write(from, records(100, 'x'.repeat(6000)))
    const result = await runHere({
      source: fromTopic(from),
      sink: { fanout: [toTopic(a), toTopic(b), toTopic(c)] },
      errorPolicy: {
        type: 'retry',
        maxRetries: 2,
        initialBackoff: 1,
        onExhausted: 'deadLetter',
        deadLetter: { topic: dead },
      },
    })
    expect(result.errors.deadLettered).toEqual({ RECORD_TOO_LARGE: 1 })
    const without = upTo(100).filter((n) => n !== 50)
    expect(numbers(await bed().values(a))).toEqual(upTo(100))
    expect([numbers(await bed().values(b)), numbers(await bed().values(c))]).toEqual([without, without])
    expect(numbers(await bed().values(dead))).toEqual([50])
  })

  test('exactly once writes to all topics in one transaction', async () => {
    const [from, a, b, dead] = [await bed().create(), await bed().create(), await bed().create(), await bed().create()]
    await bed().write(from, [...records(2000), { key: 'k', value: 'poison' }])
    const spec = {
      delivery: 'exactly_once',
      commitInterval: 'PT0.02S',
      source: fromTopic(from, { groupId: uniqueName('group') }),
      stages: [{ $set: { seen: true } }],
      sink: { fanout: [toTopic(a), toTopic(b)] },
      errorPolicy: { deadLetter: { topic: dead } },
    }
    const result = await runHere(spec)
    expect(result.errors.deadLettered).toEqual({ DECODE_FAILED: 1 })
    const committed = { isolation: 'read_committed' }
    expect(numbers(await bed().values(a, committed))).toEqual(upTo(2000))
    expect(numbers(await bed().values(b, committed))).toEqual(upTo(2000))
    expect(await bed().values(dead, committed)).toEqual([['poison']])
    expect((await runHere(spec)).read.records).toBe(0)
  })
})
