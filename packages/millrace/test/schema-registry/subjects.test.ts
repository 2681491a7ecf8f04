import { expect, test } from 'vitest'
import { subjectName } from '../../src/schema-registry/subjects.ts'

test.each([
  { strategy: 'topic', part: 'value', subject: 'orders-value' },
  { strategy: 'topic', part: 'key', subject: 'orders-key' },
  { strategy: 'record', part: 'value', subject: 'shop.Order' },
  { strategy: 'topic-record', part: 'key', subject: 'orders-shop.Order' },
  { strategy: 'topic-hash', part: 'key', subject: 'orders-e112304b73f079f7' },
] as const)('the subject of a $part by $strategy is $subject', ({ strategy, part, subject }) => {
  expect(subjectName(strategy, { topic: 'orders', part, recordName: 'shop.Order', text: '"int"' })).toBe(subject)
})
