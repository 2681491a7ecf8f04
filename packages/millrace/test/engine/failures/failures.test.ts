import { expect, test } from 'vitest'
import { Failures } from '../../../src/engine/failures/failures.ts'
import { DecodeError } from '../../../src/errors/index.ts'
import { gather, syntheticOrigin } from '../../../src/functions/rows/batches.ts'
import type { Batch } from '../../../src/records/batch.ts'
import { createStage } from '../../../src/stages/index.ts'
import { batchOf } from '../../support/batches.ts'

// A stage that lays records out anew numbers those that it keeps from 0. With failures told apart by that number, a record
// that failed behind such a stage counted as the other one of its number that had failed before, and was lost.
test('distinguishes records that failed before and after a stage that rearranges them', () => {
  const batch = batchOf(['{"a":"x"}', '{"a":"y"}', '{"a":"y"}'])
  const filter = { transforms: [{ type: 'filter', config: { field: 'a', equals: 'y' } }] }
  const relaid = createStage('$toEvent', filter, 'stages.0').process(batch)!
  const failures = new Failures()
  failures.add(batch, 0, new DecodeError('value', 'first'))
  failures.add(relaid, 0, new DecodeError('value', 'second'))
  failures.add(batch, 1, new DecodeError('value', 'second again'))
  expect(failures.list.map(({ error }) => error.message)).toEqual(['first', 'second'])
})

// The dead letter of a record that could not be written behind such a stage held the event made of it; replayed into the
// topic that it came from, it would have become an event within an event.
test('keeps what was read of a record that a stage has rearranged', () => {
  const batch = batchOf([
    { key: 'a', value: '{"n":1}' },
    { key: 'b', value: '{"n":2}', headers: [['h', 'x']] },
    { key: 'c', value: null },
  ])
  const events = createStage('$toEvent', {}, 'stages.0').process(batch.pick([1, 2])!)!
  const back = createStage('$fromEvent', { customHeaders: { by: 'us' } }, 'stages.1').process(events)!
  const failures = new Failures()
  for (const [i, made] of [events, back, back.pick([1])!].entries())
    failures.add(made, Math.min(i, made.length - 1), new DecodeError('value', 'x'))
  expect(
    failures.list.map(({ batch, row }) => [batch.key(row), batch.value(row), batch.headers(row)].map(String)),
  ).toEqual([
    ['b', '{"n":2}', 'h,x'],
    ['c', 'null', ''],
  ])
  expect(failures.list.map((failure) => failure.batch.offset(failure.row))).toEqual([101n, 102n])
})

// Two sources may read topics with one name on two clusters. Behind a stage that gathers their rows, the second record with the same
// offset had no letter, was not counted, and was acknowledged.
test('distinguishes records of topics with one name on two clusters', () => {
  const read = (value: string, reader: symbol): Batch => batchOf([value], 100, { reader })
  const kept = [read('"here"', Symbol('here')), read('"there"', Symbol('there'))].map((batch) => ({ batch, row: 0 }))
  const gathered = gather(kept, syntheticOrigin('sort'), { ack() {} })
  const failures = new Failures()
  for (const row of [0, 1, 1]) failures.add(gathered, row, new DecodeError('value', 'x'))
  expect(failures.list.map(({ batch, row }) => String(batch.value(row)))).toEqual(['"here"', '"there"'])
  failures.leave(kept[0]!.batch, 100)
  expect(failures.list.map(({ batch, row }) => String(batch.value(row)))).toEqual(['"there"'])
})
