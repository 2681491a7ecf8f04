/**
 * Runs the examples one after the other on a real broker, with topics of their own.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { orderAt } from '../src/sources/generate/index.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from './support/broker.ts'
import { cli } from './support/cli.ts'
import { topicBed } from './support/topics.ts'

const EXAMPLES = join(import.meta.dirname, '../../../examples')
const RECORDS = 20_000

describe.skipIf(!brokerAvailable)('the examples', () => {
  const bed = topicBed()
  const names = {
    orders: uniqueName('orders'),
    'orders-high-value': uniqueName('high'),
    'orders-copy': uniqueName('copy'),
    'orders-dead': uniqueName('dead'),
    'orders-paid': uniqueName('paid'),
    'orders-matched': uniqueName('matched'),
  }
  let directory: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-examples-'))
    await cp(EXAMPLES, directory, { recursive: true })
    for (const name of await readdir(directory)) {
      if (!/\.(?:yaml|toml|json)$/.test(name)) continue
      const text = await readFile(join(directory, name), 'utf8')
      await writeFile(
        join(directory, name),
        text
          .replace(
            /(topic"?\s*[:=] "?)([\w-]+)/g,
            (_, before: string, topic: keyof typeof names) => before + names[topic],
          )
          .replace('1_000_000', String(RECORDS)),
      )
    }
    for (const name of Object.values(names)) await bed().admin.createTopic({ name, partitions: 3 })
  })
  afterAll(async () => {
    await bed().admin.deleteTopics(Object.values(names))
    await rm(directory, { recursive: true })
  })

  async function run(
    name: string,
    where?: string,
  ): Promise<{ read: { records: number }; written: { records: number } }> {
    const { code, stdout, stderr } = await cli(['run', '--until-end', '--json', join(directory, name)], {
      environment: { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers() },
      ...(where === undefined ? {} : { directory: where }),
    })
    expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))).toEqual([])
    expect(code).toBe(0)
    return (JSON.parse(stdout) as { result: { read: { records: number }; written: { records: number } } }).result
  }

  const all = Array.from({ length: RECORDS }, (_, i) => orderAt(7, i))

  test('generate-orders.yaml fills a topic, customers in order', async () => {
    expect(await run('generate-orders.yaml')).toMatchObject({
      read: { records: RECORDS },
      written: { records: RECORDS },
    })
    const values = await bed().values(names.orders)
    const found = values.flat().map((value) => JSON.parse(value) as (typeof all)[number])
    expect(found.toSorted((a, b) => a.order_id - b.order_id)).toEqual(all)
    for (const partition of values) {
      const last = new Map<string, number>()
      for (const value of partition) {
        const { customer_id, order_id } = JSON.parse(value) as (typeof all)[number]
        expect(order_id > (last.get(customer_id) ?? 0)).toBe(true)
        last.set(customer_id, order_id)
      }
    }
  })

  test('orders-etl.yaml writes the orders of high value, changed, and each once', async () => {
    const want = all.filter(({ amount }) => amount >= 100)
    expect(await run('orders-etl.yaml')).toMatchObject({
      read: { records: RECORDS },
      written: { records: want.length },
    })
    const found = (await bed().values(names['orders-high-value']))
      .flat()
      .map((value) => JSON.parse(value) as { order_id: number })
    expect(found.toSorted((a, b) => a.order_id - b.order_id)).toEqual(
      want.map((order) => JSON.parse(JSON.stringify({ ...order, tier: 'high', items: undefined })) as unknown),
    )
    expect(await run('orders-etl.yaml')).toMatchObject({ read: { records: 0 }, written: { records: 0 } })
  })

  test('filter-apply.yaml writes paid orders of high value once', async () => {
    const want = all.filter(({ amount, status }) => amount > 100 && status === 'paid')
    expect(await run('filter-apply.yaml')).toMatchObject({
      read: { records: RECORDS },
      written: { records: want.length },
    })
    const found = (await bed().values(names['orders-paid'], { isolation: 'read_committed' }))
      .flat()
      .map((value) => JSON.parse(value) as { order_id: number })
    expect(found.toSorted((a, b) => a.order_id - b.order_id)).toEqual(
      want.map((order) => {
        const { items: _, ...rest } = order as typeof order & { items?: unknown }
        return { ...(JSON.parse(JSON.stringify(rest)) as object), gross: order.amount * 1.19 }
      }),
    )
  })

  test('match-and-group.toml writes the bytes that came in, and sums', async () => {
    const values = (await bed().values(names.orders)).flat()
    const want = values.filter((value) => (JSON.parse(value) as { amount: number }).amount >= 100)
    expect(await run('match-and-group.toml', directory)).toMatchObject({ read: { records: RECORDS } })
    expect((await bed().values(names['orders-matched'])).flat().toSorted()).toEqual(want.toSorted())
    const lines = (await readFile(join(directory, 'out/regions.jsonl'), 'utf8')).trimEnd().split('\n')
    const sum = lines.reduce((total, line) => total + (JSON.parse(line) as { total: number }).total, 0)
    expect(sum).toBeCloseTo(all.reduce((total, { amount }) => total + (amount >= 100 ? amount : 0), 0))
  })

  test('copy-topic.toml copies every partition as it is', async () => {
    expect(await run('copy-topic.toml')).toMatchObject({ read: { records: RECORDS }, written: { records: RECORDS } })
    expect(await bed().values(names['orders-copy'])).toEqual(await bed().values(names.orders))
  })

  test('kafka-to-file.yaml writes a file with positions', async () => {
    await run('kafka-to-file.yaml')
    const lines = (await readFile(join(directory, 'out/eu-orders.jsonl'), 'utf8')).trimEnd().split('\n')
    const found = lines.map(
      (line) => JSON.parse(line) as { order_id: number; amount: number; partition: number; offset: number },
    )
    expect(found.map(({ order_id }) => order_id).toSorted((a, b) => a - b)).toEqual(
      all.filter(({ region }) => region.startsWith('eu-')).map(({ order_id }) => order_id),
    )
    const values = await bed().values(names.orders)
    for (const { order_id, amount, partition, offset } of found)
      expect(JSON.parse(values[partition]![offset]!)).toMatchObject({ order_id, amount })
  })

  test('file-to-kafka.json adds the lines of a file, keyed by customer', async () => {
    expect(await run('file-to-kafka.json')).toMatchObject({ read: { records: 3 }, written: { records: 3 } })
    const partitions = (await bed().values(names.orders)).map((values) =>
      values.filter((value) => value.includes('"imported":true')),
    )
    expect(partitions.flat()).toHaveLength(3)
    expect(partitions.filter((values) => values.some((value) => value.includes('c-00042')))).toHaveLength(1)
  })

  test('dead-letters.yaml keeps what is broken apart', async () => {
    const broken = '{"order_id": 7, "amount":'
    await bed().write(names.orders, [{ key: 'c-7', value: broken }])
    const written = (await bed().values(names.orders)).flat()
    const want = written.filter((value) => value !== broken && (JSON.parse(value) as { amount: number }).amount >= 100)
    expect(await run('dead-letters.yaml')).toMatchObject({
      read: { records: written.length },
      written: { records: want.length },
      errors: { skipped: {}, deadLettered: { DECODE_FAILED: 1 }, retried: {} },
      circuitBreaker: { state: 'closed', openings: 0, rejections: 0 },
    })
    expect((await bed().values(names['orders-dead'])).flat()).toEqual([broken])
  })
})
