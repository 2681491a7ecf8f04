import { describe, expect, test } from 'vitest'
import type { ComponentContext } from '../../src/contracts/context.ts'
import type { Source } from '../../src/contracts/source.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { generateSource, orderAt } from '../../src/sources/generate/index.ts'
import { UNSEEN_METER } from '../../src/metrics/counters.ts'

const signal = new AbortController().signal

async function create(options: object, untilEnd = true): Promise<Source> {
  const context: ComponentContext = { pipeline: 'p', untilEnd, directory: '.', warn: () => {}, metrics: UNSEEN_METER }
  const source = await generateSource.create(parseOptions(generateSource, options).options, context)
  await source.open(signal)
  return source
}

interface Made {
  offset: number
  key: string | undefined
  value: string
}

async function make(options: object): Promise<Made[]> {
  const source = await create(options)
  const made: Made[] = []
  for await (const batch of source.batches(signal)) {
    for (let row = 0; row < batch.length; row++) {
      expect(batch.headers(row)).toEqual([])
      made.push({
        offset: Number(batch.offset(row)),
        key: batch.key(row)?.toString(),
        value: batch.value(row)!.toString(),
      })
    }
  }
  await source.close()
  return made
}

describe('orders', () => {
  test('are what orderAt computes, byte by byte', async () => {
    const made = await make({ records: 5000, seed: 7 })
    expect(made.length).toBe(5000)
    for (const [i, { offset, key, value }] of made.entries()) {
      const order = orderAt(7, i)
      expect(value).toBe(JSON.stringify(order))
      expect([offset, key]).toEqual([i, order.customer_id])
    }
  })

  test('differ with the seed and agree with it', async () => {
    const [a, again, b] = await Promise.all([
      make({ records: 50, seed: 1 }),
      make({ records: 50 }),
      make({ records: 50, seed: 2 }),
    ])
    expect(again).toEqual(a)
    expect(b.map(({ value }) => value)).not.toEqual(a.map(({ value }) => value))
  })

  test('have about 155 bytes, half of them an amount of 100 or more, many customers', () => {
    const orders = Array.from({ length: 20_000 }, (_, i) => orderAt(3, i))
    const bytes = orders.reduce((sum, order) => sum + JSON.stringify(order).length, 0) / orders.length
    const large = orders.filter(({ amount }) => amount >= 100).length / orders.length
    const { size } = new Set(orders.map(({ customer_id }) => customer_id))
    expect(bytes).toBeGreaterThan(145)
    expect(bytes).toBeLessThan(165)
    expect(large).toBeGreaterThan(0.48)
    expect(large).toBeLessThan(0.52)
    expect(size).toBeGreaterThan(10_000)
  })

  test.each([
    ['order_id', '1'],
    ['none', undefined],
  ])('have %s as key when asked to', async (key, want) => {
    expect((await make({ records: 1, key }))[0]!.key).toBe(want)
  })

  test('end at the limit, also in the middle of a batch', async () => {
    for (const records of [0, 1, 1499, 1500, 1501]) expect((await make({ records })).length).toBe(records)
  })
})

test('keeps to a rate', async () => {
  const source = await create({ records: 300, recordsPerSecond: 1000 })
  const started = performance.now()
  for await (const batch of source.batches(signal)) expect(batch.length).toBeLessThanOrEqual(20)
  // 300 records at 1000 a second; only the lower bound says something on a busy machine.
  expect(performance.now() - started).toBeGreaterThan(250)
})

test('reports what lies ahead, and refuses to look for an end that does not exist', async () => {
  const source = await create({ records: 10 })
  expect(source.progress()).toEqual({ records: 0, bytes: 0, lag: 10 })
  await expect(create({})).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('set its option "records"'),
  })
  const endless = await create({}, false)
  expect(endless.progress().lag).toBeUndefined()
  const stop = new AbortController()
  let count = 0
  for await (const batch of endless.batches(stop.signal)) {
    count += batch.length
    if (count > 3000) stop.abort()
  }
  expect(count).toBeGreaterThan(3000)
})
