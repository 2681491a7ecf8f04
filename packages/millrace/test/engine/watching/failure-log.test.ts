import { expect, test } from 'vitest'
import { FailureLog } from '../../../src/engine/watching/failure-log.ts'
import { DecodeError, StageError } from '../../../src/errors/index.ts'
import { batchOf } from '../../support/batches.ts'

test('failures of one partition with one code are one entry, which shows the latest', () => {
  const log = new FailureLog()
  for (const offset of [3n, 5n])
    log.add('skipped', new DecodeError('value', `bad ${offset}`), { topic: 'a', partition: 1, offset })
  log.add('skipped', new DecodeError('value', 'bad'), { topic: 'a', partition: 2, offset: 1n })
  log.add('retried', new StageError('worse', { topic: 'b', partition: 0, offset: 9n }))
  expect(log.entries).toMatchObject([
    { fate: 'retried', code: 'STAGE_FAILED', topic: 'b', partition: 0, offset: '9', count: 1 },
    { fate: 'skipped', topic: 'a', partition: 2, count: 1 },
    { fate: 'skipped', code: 'DECODE_FAILED', message: 'bad 5', topic: 'a', partition: 1, offset: '5', count: 2 },
  ])
})

test('is bounded: the oldest entries go, and long messages are cut', () => {
  const log = new FailureLog()
  for (let partition = 0; partition < 80; partition++)
    log.add('skipped', new DecodeError('value', 'x'.repeat(10_000)), { topic: 'a', partition })
  expect(log.entries).toHaveLength(50)
  expect(log.entries.at(-1)).toMatchObject({ partition: 30 })
  expect(JSON.stringify(log.entries).length).toBeLessThan(50 * 800)
})

test('what is no error of Millrace is kept, too', () => {
  const log = new FailureLog()
  log.add('fatal', new TypeError('undefined is not a function'))
  expect(log.entries).toMatchObject([{ code: 'UNEXPECTED', message: 'undefined is not a function', topic: undefined }])
})

// An operator needs the record that failed, which may be gone from the topic when they look.
test('keeps the record of a failure once that is asked for, whole or with its values hidden', () => {
  const batch = batchOf([{ key: 'k1', value: '{"card": "4111"}', headers: [['from', 'shop']] }])
  const error = new StageError('no', { topic: 'orders', partition: 3, offset: 100n })
  const kept = (log: FailureLog): unknown => {
    log.add('skipped', error, error, () => batch.record(0))
    return log.recordOf(log.entries[0]!.id)
  }
  expect(kept(new FailureLog())).toBeUndefined()
  const whole = new FailureLog()
  whole.keepRecords(false)
  expect(kept(whole)).toMatchObject({
    offset: '100',
    key: 'k1',
    value: '{"card": "4111"}',
    headers: [['from', 'shop']],
  })
  expect(whole.entries[0]).toMatchObject({ hasRecord: true })
  const hidden = new FailureLog()
  hidden.keepRecords(true)
  expect(kept(hidden)).toMatchObject({ key: '•••', value: '{"card":"•••"}', headers: [['from', '•••']] })
})

test('knows the record that ends a run from its batch', () => {
  const log = new FailureLog()
  log.keepRecords(false)
  const error = new DecodeError('value', 'bad', { topic: 'orders', partition: 3, offset: 101n })
  log.failing(error, batchOf(['{}', 'not JSON', '{}']))
  log.add('fatal', error)
  expect(log.recordOf(log.entries[0]!.id)).toMatchObject({ offset: '101', value: 'not JSON' })
})

test('counts how often the same record failed in a row', () => {
  const log = new FailureLog()
  const add = (offset: bigint): void => log.add('retried', new StageError('no', { topic: 'a', partition: 0, offset }))
  for (const offset of [1n, 2n, 2n, 2n]) add(offset)
  expect(log.entries).toMatchObject([{ count: 4, attempts: 3, offset: '2' }])
})
