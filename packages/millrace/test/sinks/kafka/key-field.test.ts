import { describe, expect, test } from 'vitest'
import { keysFromField } from '../../../src/sinks/kafka/key-field.ts'
import { batchOf } from '../../support/batches.ts'

describe('keys from a field', () => {
  test.each([
    { name: 'text as it is', value: '{"id":"a b"}', key: 'a b' },
    { name: 'a number as its digits', value: '{"id":42}', key: '42' },
    {
      name: 'an integer beyond 2^53 as the digits that came in',
      value: '{"id":1234567890123456789}',
      key: '1234567890123456789',
    },
    { name: 'a negative one', value: '{"id":-1234567890123456789}', key: '-1234567890123456789' },
    { name: 'an object with one', value: '{"id":{"a":[1234567890123456789]}}', key: '{"a":[1234567890123456789]}' },
    { name: 'a boolean', value: '{"id":false}', key: 'false' },
    { name: 'null as none', value: '{"id":null}', key: null },
    { name: 'nothing as none', value: '{}', key: null },
  ])('$name', ({ value, key }) => {
    const batch = batchOf([value])
    batch.documents = [JSON.parse(value)]
    expect(keysFromField(batch, 'id')).toEqual([key])
  })

  test('looks below dots', () => {
    const value = '{"a":{"id":1234567890123456789},"id":1}'
    const batch = batchOf([value])
    batch.documents = [JSON.parse(value)]
    expect(keysFromField(batch, 'a.id')).toEqual(['1234567890123456789'])
  })
})
