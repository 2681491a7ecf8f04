import { describe, expect, test } from 'vitest'
import { brokerAvailable } from '../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

const eos = { delivery: 'exactly_once', commitInterval: 'PT0.02S' }

/** Orders `0` to `count - 1`, each with one of seven keys. */
function numbered(count: number, first = 0): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, i) => ({ key: `k${(first + i) % 7}`, value: JSON.stringify({ n: first + i }) }))
}

function numbersOf(values: readonly string[][]): number[] {
  return values.flat().map((value) => (JSON.parse(value) as { n: number }).n)
}

describe.skipIf(!brokerAvailable)('exactly once', () => {
  const bed = topicBed()

  test('copies every record once, visible to readers of committed records only when committed', async () => {
    const [input, output] = [await bed().create({ partitions: 3 }), await bed().create({ partitions: 3 })]
    await bed().write(input, numbered(5000))
    const { read, written } = await runHere({ ...eos, source: fromTopic(input), sink: toTopic(output) })
    expect(read.records).toBe(5000)
    expect(written.records).toBe(5000)
    expect(await bed().values(output, { isolation: 'read_committed' })).toEqual(await bed().values(input))
  })
})
