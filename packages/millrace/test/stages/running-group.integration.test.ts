import { expect, describe, test } from 'vitest'
import { brokerAvailable } from '../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

describe.skipIf(!brokerAvailable)('$group over a stream', () => {
  const bed = topicBed()

  test.each([
    { policy: 'fail', poison: 0 },
    // Steps behind one another, with commits in between.
    { policy: 'skip', poison: 3 },
  ])(
    'exactly once, policy $policy, leaves the totals of all partitions as the last word of each group',
    async ({ policy, poison }) => {
      const [from, to] = [await bed().create({ partitions: 3 }), await bed().create()]
      const records = Array.from({ length: 3000 }, (_, n) => ({
        key: `k${n}`,
        value: JSON.stringify({ shop: n % 5, n }),
      }))
      const bad = Array.from({ length: poison }, () => ({ key: 'k', value: 'poison' }))
      await bed().write(from, [...records.slice(0, 1000), ...bad, ...records.slice(1000)], { batchBytes: 1000 })
      const spec = {
        delivery: 'exactly_once',
        commitInterval: 'PT0.02S',
        source: fromTopic(from, { 'max.partition.fetch.bytes': 4000 }),
        stages: [{ $group: { _id: '$shop', n: { $count: {} }, sum: { $sum: '$n' }, scope: 'stream' } }],
        sink: toTopic(to, { keyField: '_id' }),
        errorPolicy: policy,
      }
      await runHere(spec)
      const totals = new Map<number, unknown>()
      for (const value of (await bed().values(to, { isolation: 'read_committed' })).flat()) {
        const document = JSON.parse(value) as { _id: number }
        totals.set(document._id, document)
      }
      const sumOf = (shop: number): number => 5 * ((599 * 600) / 2) + 600 * shop
      expect([0, 1, 2, 3, 4].map((shop) => totals.get(shop))).toEqual(
        [0, 1, 2, 3, 4].map((shop) => ({ _id: shop, n: 600, sum: sumOf(shop) })),
      )
    },
  )
})
