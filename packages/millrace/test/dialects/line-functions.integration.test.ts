/** The same work said in every shape and with the words of each host: the same records come out. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalog } from '../../src/catalog.ts'
import { readAnyPlan } from '../../src/dialects/index.ts'
import type { RunResult } from '../../src/engine/plan.ts'
import { runPlan } from '../../src/engine/run-plan.ts'
import { KafkaSource } from '../../src/index.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'

/** Written so that no writer would write it the same way, and with an integer that a double cannot hold. */
const orderAt = (i: number): string => `{ "id":${9_007_199_254_740_993n + BigInt(i)},  "amount": ${i % 200}.0 }`
const RECORDS = Array.from({ length: 600 }, (_, i) => ({ key: `k${i % 5}`, value: orderAt(i) }))
const WANTED = RECORDS.filter((_, i) => i % 200 > 100)

const FILTERS = {
  $match: { amount: { $gt: 100 } },
  'filter.apply': { column: 'amount', operator: '>', value: 100 },
}
type FilterName = keyof typeof FILTERS

describe.skipIf(!brokerAvailable)('a filter', () => {
  const bed = topicBed()
  let directory: string
  let from: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-shapes-'))
    from = await bed().create({ partitions: 2 })
    await bed().write(from, RECORDS)
  })
  afterAll(() => rm(directory, { recursive: true }))

  async function run(content: object, untilEnd = true): Promise<RunResult> {
    const file = join(directory, 'pipeline.json')
    await writeFile(file, JSON.stringify(content))
    const never = new AbortController().signal
    const plan = await readAnyPlan(file, {})
    return runPlan(plan, { components: catalog, signal: never, abort: never, untilEnd, warn: () => {} })
  }

  const SHAPES: { readonly [shape: string]: (name: FilterName, to: string) => object } = {
    linear: (name, to) => ({
      source: {
        type: 'kafka',
        topic: from,
        bootstrapServers: bootstrapServers(),
        groupId: uniqueName('group'),
        'auto.offset.reset': 'earliest',
      },
      stages: [{ [name]: FILTERS[name] }],
      sink: { type: 'kafka', topic: to, bootstrapServers: bootstrapServers() },
    }),
    'linear, exactly once': (name, to) => ({ ...SHAPES['linear']!(name, to), delivery: 'exactly_once' }),
    'stage graph': (name, to) => ({
      stages: [
        consumer(),
        { id: 'filter', function: name, inputs: ['in'], config: FILTERS[name] },
        { id: 'out', function: 'kafka', inputs: ['filter'], config: { brokers: bootstrapServers(), topic: to } },
      ],
    }),
    'bridge of connectors': (name, to) => ({
      bridges: {
        copy: {
          source: {
            connector: 'kafka-source',
            config: { brokers: bootstrapServers(), topic: from, consumer_group: uniqueName('group') },
          },
          sink: { connector: 'kafka-sink', config: { brokers: bootstrapServers(), topic: to } },
          transforms: [{ [name]: FILTERS[name] }],
        },
      },
    }),
  }
  const consumer = (): object => ({
    id: 'in',
    function: 'kafka',
    config: { brokers: bootstrapServers(), topic: from, group_id: uniqueName('group') },
  })

  test.each(
    Object.entries(SHAPES).flatMap(([shape, make]) =>
      (Object.keys(FILTERS) as FilterName[]).map((name) => ({ shape, name, make })),
    ),
  )('$name, $shape: lets the same records through, byte for byte', async ({ name, make }) => {
    const to = await bed().create({ partitions: 2 })
    expect(await run(make(name, to))).toMatchObject({
      read: { records: RECORDS.length },
      written: { records: WANTED.length },
    })
    const found: { key: string; value: string }[] = []
    await using source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: to, untilEnd: true })
    for await (const { key, value } of source) found.push({ key: String(key), value: String(value) })
    const inOrder = (list: typeof found): typeof found => list.toSorted((a, b) => (a.value < b.value ? -1 : 1))
    expect(inOrder(found)).toEqual(inOrder(WANTED))
  })

  test.each(['at_least_once', 'exactly_once'])(
    '%s: $limit ends a graph that would read on and on',
    async (delivery) => {
      const to = await bed().create()
      const result = await run(
        {
          global: { execution_mode: 'streaming', delivery },
          stages: [
            consumer(),
            { id: 'skip', function: '$skip', inputs: ['in'], config: 10 },
            { id: 'some', function: '$limit', inputs: ['skip'], config: 7 },
            { id: 'out', function: 'kafka', inputs: ['some'], config: { brokers: bootstrapServers(), topic: to } },
          ],
        },
        false,
      )
      expect(result).toMatchObject({ ended: 'stage', written: { records: 7 } })
    },
  )

  test('a stage that names where records came from sees it, and only its result is written', async () => {
    const to = await bed().create()
    await run({
      stages: [
        consumer(),
        { id: 'first', function: '$match', inputs: ['in'], config: { _kafka_offset: 0 } },
        {
          id: 'made',
          function: '$project',
          inputs: ['first'],
          config: { at: '$_kafka_partition', _kafka_key: 1 },
        },
        { id: 'out', function: 'kafka', inputs: ['made'], config: { brokers: bootstrapServers(), topic: to } },
      ],
    })
    const values = (await bed().values(to)).flat().map((value) => JSON.parse(value) as { at: number })
    expect(values.toSorted((a, b) => a.at - b.at)).toEqual([
      { at: 0, _kafka_key: expect.stringMatching(/^k\d$/) as unknown },
      { at: 1, _kafka_key: expect.stringMatching(/^k\d$/) as unknown },
    ])
  })
})
