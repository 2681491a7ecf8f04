import { expect, test } from 'vitest'
import { FailureLog } from '../../../src/engine/watching/failure-log.ts'
import { DecodeError, StageError } from '../../../src/errors/index.ts'

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
