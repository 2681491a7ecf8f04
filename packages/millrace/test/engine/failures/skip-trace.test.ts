import { expect, test } from 'vitest'
import { createSkipTrace } from '../../../src/engine/failures/skip-trace.ts'
import { DecodeError, StageError } from '../../../src/errors/index.ts'
import { batchOf } from '../../support/batches.ts'

// A run with the policy `skip` left no trace of which records it had skipped, and why.
test('says the first three skipped records of each code, then one a minute with how many were not shown', () => {
  const batch = batchOf(['a', 'b', 'c', 'd'])
  let now = 1000
  const said: unknown[] = []
  const trace = createSkipTrace(
    (message, facts) => said.push([message, facts]),
    () => now,
  )
  const skip = (row: number, error: DecodeError | StageError): void =>
    trace({ batch, row, error, attempts: 1, madeOf: [{ batch, row }] })
  const bad = new DecodeError('value', 'it is not JSON')
  for (let i = 0; i < 10; i++) skip(i % 4, bad)
  const fact = (row: number): object => ({
    event: 'record.skipped',
    code: 'DECODE_FAILED',
    topic: batch.topic,
    partition: batch.partition,
    offset: String(batch.offset(row)),
  })
  const text = 'A record was skipped: DECODE_FAILED: it is not JSON'
  expect(said).toEqual([0, 1, 2].map((row) => [text, fact(row)]))
  skip(0, new StageError('no number'))
  expect(said).toHaveLength(4)
  now += 60_000
  skip(3, bad)
  skip(3, bad)
  expect(said.slice(4)).toEqual([[text, { ...fact(3), notShown: 7 }]])
})
