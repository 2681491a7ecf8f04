import { afterEach, expect, test, vi } from 'vitest'
import { StageTap, type StageSample } from '../../../src/engine/watching/stage-tap.ts'
import { StageChain } from '../../../src/engine/stage-chain.ts'
import { StageTimer } from '../../../src/engine/watching/stage-timer.ts'
import type { Stage } from '../../../src/contracts/stage.ts'
import type { Batch } from '../../../src/records/batch.ts'
import { createStage } from '../../../src/stages/index.ts'
import { Counters } from '../../../src/metrics/counters.ts'
import { batchOf } from '../../support/batches.ts'

afterEach(() => {
  vi.useRealTimers()
})

function documentsOf(documents: readonly object[]): Batch {
  const batch = batchOf(documents.map((document, i) => ({ key: `k${i}`, value: JSON.stringify(document) })))
  batch.documents = documents.map((document) => structuredClone(document))
  return batch
}

function stageOf(spec: object): Stage {
  const [[name, options]] = Object.entries(spec) as [[string, unknown]]
  return createStage(name, options, `stages.0.${name}`)
}

/** What is seen of a stage that gets these documents. */
function seen(stage: object, documents: readonly object[], hides = false): readonly StageSample[] {
  const timer = new StageTimer(new Counters().meter({}))
  const chain = new StageChain([stageOf(stage)], [timer])
  timer.tap.ask(hides)
  chain.process(documentsOf(documents))
  return timer.tap.ask(hides)
}

test('shows each record before and after: changed, dropped, and taken apart', () => {
  const changed = seen({ $set: { tier: 'high' } }, [{ amount: 1 }, { amount: 2 }])
  expect(changed.map(({ before, after }) => [before, after])).toEqual([
    ['{"amount":1}', ['{"amount":1,"tier":"high"}']],
    ['{"amount":2}', ['{"amount":2,"tier":"high"}']],
  ])
  expect(changed[1]!.record).toMatchObject({ topic: 'orders', partition: 3, offset: '101', key: 'k1' })
  const filtered = seen({ $match: { amount: { $gte: 2 } } }, [{ amount: 1 }, { amount: 2 }])
  expect(filtered.map(({ after }) => after)).toEqual([[], ['{"amount":2}']])
  const apart = seen({ $unwind: '$list' }, [{ list: [1, 2] }])
  expect(apart.map(({ after }) => after)).toEqual([['{"list":1}', '{"list":2}']])
})

// Rounded digits in the dashboard looked like those of another record.
test('shows numbers with the digits that are written', () => {
  const values = ['{"id":9007199254740993}']
  const batch = batchOf(values)
  batch.documents = values.map((value) => JSON.parse(value) as unknown)
  const timer = new StageTimer(new Counters().meter({}))
  const chain = new StageChain([stageOf({ $set: { x: 1 } })], [timer])
  timer.tap.ask(false)
  chain.process(batch)
  expect(timer.tap.ask(false).map(({ after }) => after)).toEqual([['{"id":9007199254740993,"x":1}']])
})

test('records in another order are still those that they were', () => {
  const sorted = seen({ $sort: { amount: 1 } }, [{ amount: 2 }, { amount: 1 }])
  expect(sorted.map(({ before, after }) => [before, after])).toEqual([
    ['{"amount":2}', ['{"amount":2}']],
    ['{"amount":1}', ['{"amount":1}']],
  ])
})

test('what was made of several records comes by itself', () => {
  const grouped = seen({ $group: { _id: '$a', n: { $sum: 1 } } }, [{ a: 1 }, { a: 1 }])
  expect(grouped.at(-1)).toEqual({ record: undefined, before: null, after: ['{"_id":1,"n":2}'], error: undefined })
})

test('hidden values leave the names of fields, and nothing else', () => {
  const [sample] = seen({ $set: { 'card.kind': 'visa' } }, [{ card: { number: '4111' }, tags: ['x'] }], true)
  expect(sample!.before).toBe('{"card":{"number":"•••"},"tags":["•••"]}')
  expect(sample!.after).toEqual(['{"card":{"number":"•••","kind":"•••"},"tags":["•••"]}'])
  expect(JSON.stringify(sample)).not.toMatch(/4111|visa|k0/)
})

test('nothing is looked at until somebody asks, nor some seconds after the last one did', () => {
  vi.useFakeTimers()
  const stage = stageOf({ $set: { tier: 'high' } })
  const timer = new StageTimer(new Counters().meter({}))
  const look = vi.spyOn(timer.tap, 'look')
  const chain = new StageChain([stage], [timer])
  chain.process(documentsOf([{ amount: 1 }]))
  expect(look).not.toHaveBeenCalled()
  timer.tap.ask(false)
  chain.process(documentsOf([{ amount: 1 }]))
  expect(look).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(11_000)
  expect(timer.tap.isOpen).toBe(false)
  expect(timer.tap.ask(false)).toEqual([])
})

test('is bounded: the last rows of a batch, few batches a second, and long values cut', () => {
  vi.useFakeTimers()
  const tap = new StageTap()
  tap.ask(false)
  const batch = documentsOf(Array.from({ length: 5000 }, (_, i) => ({ i, text: 'x'.repeat(10_000) })))
  tap.look(batch)!.done([batch])
  expect(tap.look(batch)).toBeUndefined()
  for (let i = 0; i < 5; i++) {
    vi.advanceTimersByTime(300)
    tap.look(batch)!.done([batch])
  }
  const samples = tap.ask(false)
  expect(samples).toHaveLength(20)
  expect(samples.at(-1)!.record!.offset).toBe('5099')
  expect(JSON.stringify(samples).length).toBeLessThan(20 * 4 * 4200)
})

test('a row that fails says why', () => {
  const tap = new StageTap()
  tap.ask(false)
  const batch = documentsOf([{ amount: 'x' }])
  const failing: Pick<Stage, 'process'> = {
    process(_, failed) {
      failed!(0, new Error('amount is no number') as never) // any error will do
      return undefined
    },
  }
  const look = tap.look(batch)!
  failing.process(batch, (row, error) => look.failed(row, error))
  look.done([])
  expect(tap.ask(false)).toMatchObject([{ after: [], error: 'amount is no number' }])
})
