/**
 * `$limit` committed the whole batch in which it was reached, up to 16,384 records: what it had cut off was written nowhere, and no
 * later run read it.
 */
import { describe, expect, test } from 'vitest'
import { uniqueName, brokerAvailable } from '../support/broker.ts'
import { consume, graphFile, produce, runGraphHere } from '../support/graphs.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

const N = 25
const orders = Array.from({ length: N }, (_, n) => ({ value: `{"n":${n}}` }))
const lines = (...numbers: number[]): string[] => numbers.map((n) => `{"n":${n}}`)
const from = (start: number, end: number, step = 1): number[] =>
  Array.from({ length: Math.ceil((end - start) / step) }, (_, i) => start + i * step)

describe.skipIf(!brokerAvailable)('what $limit cuts off is left to the next run', () => {
  const bed = topicBed()

  async function topics(records = orders): Promise<{ input: string; output: string; groupId: string }> {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, records, { batchBytes: 1_000_000 })
    return { input, output, groupId: uniqueName('group') }
  }
  const written = async (topic: string): Promise<string[]> =>
    (await bed().values(topic, { isolation: 'read_committed' })).flat()
  const committed = async (groupId: string): Promise<number> =>
    Number((await bed().groups.committedOffsets(groupId))[0]?.offset ?? 0)

  // With at_most_once the whole batch was committed first, and what was cut off was never read (K6).
  const deliveries = [
    { delivery: 'at_least_once' },
    { delivery: 'exactly_once' },
    { delivery: 'at_most_once' },
  ] as const
  describe.each(deliveries)('with $delivery', ({ delivery }) => {
    /** Where the next run begins: nothing that was delivered is read again with at_most_once, and nothing is lost otherwise. */
    const next = (atMostOnce: number, otherwise: number): number =>
      delivery === 'at_most_once' ? atMostOnce : otherwise
    test.each([
      { name: 'alone', stages: [{ $limit: 10 }], want: from(0, N), ends: [10, 20, 25] },
      {
        name: 'behind a filter',
        stages: [{ $match: { n: { $mod: [2, 0] } } }, { $limit: 5 }],
        want: from(0, N, 2),
        ends: [10, 20, 25],
      },
      {
        name: 'before a filter',
        stages: [{ $limit: 10 }, { $match: { n: { $mod: [2, 0] } } }],
        want: from(0, N, 2),
        ends: [10, 20, 25],
      },
    ])('$name: run after run, every record once', async ({ stages, want, ends }) => {
      const { input, output, groupId } = await topics()
      const spec = { delivery, source: fromTopic(input, { groupId }), stages, sink: toTopic(output) }
      for (const end of ends) {
        await runHere(spec)
        await expect.poll(() => committed(groupId)).toBe(end)
      }
      expect(await written(output)).toEqual(lines(...want))
    })

    test('behind $sort: nothing from the first record on that was cut off, or nothing that was delivered', async () => {
      const { input, output, groupId } = await topics()
      const stages = [{ $set: { m: { $cond: [{ $lt: ['$n', 3] }, { $subtract: [0, '$n'] }, '$n'] } } }]
      const sorted = [...stages, { $sort: { m: 1 } }, { $unset: 'm' }, { $limit: 3 }]
      await runHere({ delivery, source: fromTopic(input, { groupId }), stages: sorted, sink: toTopic(output) })
      expect(await written(output)).toEqual(lines(2, 1, 0))
      await expect.poll(() => committed(groupId)).toBe(3)
      const highest = [{ $sort: { n: -1 } }, { $limit: 3 }]
      await runHere({ delivery, source: fromTopic(input, { groupId }), stages: highest, sink: toTopic(output) })
      expect(await written(output)).toEqual(lines(2, 1, 0, 24, 23, 22))
      await expect.poll(() => committed(groupId)).toBe(next(25, 3))
    })

    test('behind $unwind and $group: a record counts when all that was made of it went out', async () => {
      const { input, output, groupId } = await topics()
      const twice = [{ $set: { n: ['$n', '$n'] } }, { $unwind: '$n' }, { $limit: 5 }]
      await runHere({ delivery, source: fromTopic(input, { groupId }), stages: twice, sink: toTopic(output) })
      expect(await written(output)).toEqual(lines(0, 0, 1, 1, 2))
      await expect.poll(() => committed(groupId)).toBe(next(3, 2))
      // Groups of n from 2 to 9, 10 to 19, 20 to 24, of which the last is cut off.
      const groups = [{ $group: { _id: { $floor: { $divide: ['$n', 10] } } } }, { $limit: 2 }]
      await runHere({ delivery, source: fromTopic(input, { groupId }), stages: groups, sink: toTopic(output) })
      await expect.poll(() => committed(groupId)).toBe(20)
    })

    test('in a stage graph, run after run, every record once', async () => {
      const { input, output, groupId } = await topics()
      const limit = { id: 'limit', function: '$limit', inputs: ['consume'], config: 10 }
      const stages = [consume(input, { group_id: groupId }), limit, produce(output, ['limit'])]
      const file = await graphFile(stages, { global: { delivery } })
      for (const end of [10, 20, 25]) {
        await runGraphHere(file)
        await expect.poll(() => committed(groupId)).toBe(end)
      }
      expect(await written(output)).toEqual(lines(...from(0, N)))
    })

    test('is dropped where another branch of a stage graph takes the same rows', async () => {
      const { input, output, groupId } = await topics()
      const few = await bed().create()
      const limit = { id: 'limit', function: '$limit', inputs: ['consume'], config: 10 }
      const stages = [
        consume(input, { group_id: groupId }),
        limit,
        produce(output, ['consume'], {}, 'all'),
        produce(few, ['limit'], {}, 'few'),
      ]
      await runGraphHere(await graphFile(stages, { global: { delivery, stream_batch_size: 7 } }))
      expect(await written(output)).toEqual(lines(...from(0, N)))
      expect(await written(few)).toEqual(lines(...from(0, 10)))
      await expect.poll(() => committed(groupId)).toBe(N)
    })
  })

  describe.each(deliveries)('with $delivery, a record that fails behind what $limit lets through', ({ delivery }) => {
    const broken = 7
    const notJson = orders.map((order, n) => (n === broken ? { value: 'bad' } : order))
    const withBroken = orders.map((order, n) => (n === broken ? { value: `{"n":"${n}"}` } : order))
    const linear = [
      { name: 'not JSON', stages: [{ $set: { x: 1 } }, { $unset: 'x' }, { $limit: 5 }] },
      {
        name: 'on which a stage fails',
        stages: [{ $set: { m: { $add: ['$n', 1] } } }, { $unset: 'm' }, { $limit: 5 }],
      },
    ]
    const isNumber = {
      id: 'check',
      function: 'validate.schema',
      inputs: ['consume'],
      config: { field_types: { n: 'integer' } },
    }
    const limit = { id: 'limit', function: '$limit', inputs: ['check'], config: 5 }

    // It ended the run with an error, and with at_least_once records 5 and 6 were committed and written nowhere.
    test.each(linear)('$name: is the next run that meets it', async ({ name, stages }) => {
      const { input, output, groupId } = await topics(name === 'not JSON' ? notJson : withBroken)
      const spec = { delivery, source: fromTopic(input, { groupId }), stages, sink: toTopic(output) }
      expect(await runHere(spec)).toMatchObject({ ended: 'stage' })
      expect(await written(output)).toEqual(lines(...from(0, 5)))
      await expect.poll(() => committed(groupId)).toBe(5)
      await expect(runHere(spec)).rejects.toMatchObject({ offset: BigInt(broken) })
      expect(await written(output)).toEqual(lines(...from(0, broken)))
    })

    test('in a stage graph: is the next run that meets it', async () => {
      const { input, output, groupId } = await topics(withBroken)
      const stages = [consume(input, { group_id: groupId }), isNumber, limit, produce(output, ['limit'])]
      const file = await graphFile(stages, { global: { delivery } })
      // With at_most_once no more is read than the limit lets through.
      await runGraphHere(file)
      expect(await written(output)).toEqual(lines(...from(0, 5)))
      await expect.poll(() => committed(groupId)).toBe(5)
      await expect(runGraphHere(file)).rejects.toMatchObject({ offset: BigInt(broken) })
      expect(await written(output)).toEqual(lines(...from(0, broken)))
    })

    // Both runs wrote a letter, with exactly_once, too; with at_most_once records 5 and 6 were lost.
    test.each(linear)('$name: leaves one letter, written by the run that commits it', async ({ name, stages }) => {
      const { input, output, groupId } = await topics(name === 'not JSON' ? notJson : withBroken)
      const dead = await bed().create()
      const errorPolicy = { deadLetter: { topic: dead } }
      const spec = { delivery, source: fromTopic(input, { groupId }), stages, sink: toTopic(output), errorPolicy }
      expect(await runHere(spec)).toMatchObject({ ended: 'stage', errors: { deadLettered: {} } })
      await expect.poll(() => committed(groupId)).toBe(5)
      expect(await written(dead)).toEqual([])
      for (let run = 0; run < 3; run++) await runHere(spec)
      expect(await written(dead)).toHaveLength(1)
      expect(await written(output)).toEqual(lines(...from(0, 21).filter((n) => n !== broken)))
    })
  })

  test('with slices of a batch', async () => {
    const { input, output, groupId } = await topics()
    for (const delivery of ['at_least_once', 'exactly_once', 'at_least_once'])
      await runHere({
        delivery,
        runtime: { microBatchSize: 4 },
        source: fromTopic(input, { groupId }),
        stages: [{ $limit: 10 }],
        sink: toTopic(output),
      })
    expect(await written(output)).toEqual(lines(...from(0, N)))
  })
})
