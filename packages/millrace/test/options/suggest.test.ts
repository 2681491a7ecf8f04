import { expect, test } from 'vitest'
import { closest, didYouMean, editDistance } from '../../src/options/suggest.ts'

const NAMES = ['lingerMs', 'linger.ms', 'batch.size', 'acks', 'compression.type', 'group.id', 'groupId']

test.each([
  ['linger.sm', 'linger.ms'],
  ['linger_ms', 'linger.ms'],
  ['lingerms', 'lingerMs'],
  ['bach.size', 'batch.size'],
  ['ack', 'acks'],
  ['compresion.type', 'compression.type'],
  ['group_id', 'group.id'],
  ['groupIdd', 'groupId'],
  ['partitions', undefined],
  ['x', undefined],
  ['', undefined],
])('takes %j for %j', (written, meant) => {
  expect(closest(written, NAMES)).toBe(meant)
})

test('says nothing when nothing is close', () => {
  expect(didYouMean('zzz', NAMES)).toBeUndefined()
  expect(didYouMean('acsk', NAMES)).toBe('did you mean "acks"')
})

test('counts a swap of neighbours as one edit', () => {
  expect(editDistance('acsk', 'acks')).toBe(1)
  expect(editDistance('', 'abc')).toBe(3)
  expect(editDistance('kitten', 'sitting')).toBe(3)
})
