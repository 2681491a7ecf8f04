import { expect, test } from 'vitest'
import { Failures } from '../../src/engine/error-policy.ts'
import { DecodeError } from '../../src/errors/index.ts'
import { createStage } from '../../src/stages/index.ts'
import { batchOf } from '../support/batches.ts'

// A stage that lays records out anew numbers those that it keeps from 0. With failures told apart by that number, a record
// that failed behind such a stage counted as the other one of its number that had failed before, and was lost.
test('tells records apart that failed before and behind a stage that lays them out anew', () => {
  const batch = batchOf(['{"a":"x"}', '{"a":"y"}', '{"a":"y"}'])
  const filter = { transforms: [{ type: 'filter', config: { field: 'a', equals: 'y' } }] }
  const relaid = createStage('$toEvent', filter, 'stages.0').process(batch)!
  const failures = new Failures()
  failures.add(batch, 0, new DecodeError('value', 'first'))
  failures.add(relaid, 0, new DecodeError('value', 'second'))
  failures.add(batch, 1, new DecodeError('value', 'second again'))
  expect(failures.list.map(({ error }) => error.message)).toEqual(['first', 'second'])
})
