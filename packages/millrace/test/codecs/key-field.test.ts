import { describe, expect, test } from 'vitest'
import { keyFromField } from '../../src/codecs/key-field.ts'
import { codecByName, decodeDocuments, encodeDocuments, keyCodecByName } from '../../src/codecs/index.ts'
import { textKeys } from '../../src/codecs/keys.ts'
import { createStage } from '../../src/stages/index.ts'
import { batchOf } from '../support/batches.ts'

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
    expect(keyFromField(batch, 0, ['id'], textKeys)).toBe(key)
  })

  // They were the digits as text, whatever serializer was asked for.
  test.each([
    { codec: 'integer', value: '{"id":42}', hex: '0000002a' },
    { codec: 'short', value: '{"id":-2}', hex: 'fffe' },
    { codec: 'long', value: '{"id":42}', hex: '000000000000002a' },
    { codec: 'long', value: '{"id":1234567890123456789}', hex: '112210f47de98115' },
    { codec: 'double', value: '{"id":1.5}', hex: '3ff8000000000000' },
    { codec: 'float', value: '{"id":1.5}', hex: '3fc00000' },
    {
      codec: 'uuid',
      value: '{"id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}',
      hex: Buffer.from('6ba7b810-9dad-11d1-80b4-00c04fd430c8').toString('hex'),
    },
    { codec: 'integer', value: '{}', hex: null },
    { codec: 'void', value: '{"id":null}', hex: null },
  ])('as $codec: $value', ({ codec, value, hex }) => {
    const batch = batchOf([value])
    batch.documents = [JSON.parse(value)]
    const key = keyFromField(batch, 0, ['id'], keyCodecByName(codec))
    expect(key === null ? null : Buffer.from(key).toString('hex')).toBe(hex)
  })

  test('refuses what the format cannot hold', () => {
    const batch = batchOf(['{"id":"x"}'])
    batch.documents = [{ id: 'x' }]
    expect(() => keyFromField(batch, 0, ['id'], keyCodecByName('integer'))).toThrow('it must be a whole number')
  })

  test('looks below dots', () => {
    const value = '{"a":{"id":1234567890123456789},"id":1}'
    const batch = batchOf([value])
    batch.documents = [JSON.parse(value)]
    expect(keyFromField(batch, 0, ['a', 'id'], textKeys)).toBe('1234567890123456789')
  })
})

// Keys were compared with whatever number had the same double in the outermost object, or were written as JavaScript does.
describe('the digits of keys', () => {
  const LARGE = '9007199254740993'
  const NEXT = '9007199254740992'

  test.each([
    { codec: undefined, path: 'a.id', value: `{"a":{"id":${LARGE}},"id":${NEXT}}`, key: LARGE },
    { codec: 'long', path: 'a.id', value: `{"a":{"id":${LARGE}},"id":${NEXT}}`, key: '\0 \0\0\0\0\0\x01' },
    { codec: 'json', path: 'id', value: `{"id":${LARGE}}`, key: LARGE },
    { codec: 'json', path: 'id', value: `{"id":{"n":${LARGE}}}`, key: `{"n":${LARGE}}` },
    { codec: 'json', path: 'id', value: '{"id":1.2345678901234567890}', key: '1.2345678901234567890' },
    { codec: 'integer', path: 'id', value: '{"id":42.0}', key: '\0\0\0*' },
    // With a schema id whose last byte is a quote.
    { codec: undefined, path: 'id', value: `\0\0\0\0"{"id":${LARGE}}`, key: LARGE },
  ])('as $codec from $path of $value', ({ codec, path, value, key }) => {
    const batch = batchOf([value])
    batch.documents = [JSON.parse(value.slice(value.indexOf('{')))]
    const keys = codec === undefined ? textKeys : keyCodecByName(codec)
    expect(Buffer.from(keyFromField(batch, 0, path.split('.'), keys)!).toString('latin1')).toBe(key)
  })

  test.each([
    { spec: { '_meta.key': '$id' }, value: `{"id":${LARGE}}`, key: LARGE },
    { spec: { '_meta.key': { n: '$id' } }, value: `{"id":${LARGE}}`, key: `{"n":${LARGE}}` },
    { spec: { '_meta.key': '$id' }, value: '{"id":"a"}', key: 'a' },
    { spec: { '_meta.key': null }, value: `{"id":${LARGE}}`, key: null },
    { spec: { '_meta.key': '$_meta.key' }, value: `{"id":${LARGE}}`, key: undefined },
  ])('that $spec gives for $value', ({ spec, value, key }) => {
    const batch = batchOf([{ key: 'k', value }])
    decodeDocuments(batch, codecByName('json'), { attachMeta: true })
    const made = createStage('$set', spec, 'stages.0').process(batch)!
    encodeDocuments(made, codecByName('json'))
    expect(made.keys?.[0]).toBe(key)
  })

  test('are not guessed: a key that may be either of two numbers fails', () => {
    const batch = batchOf([`{"a":${LARGE},"b":${NEXT}}`])
    decodeDocuments(batch, codecByName('json'), { attachMeta: true })
    const made = createStage('$set', { '_meta.key': '$a' }, 'stages.0').process(batch)!
    expect(() => encodeDocuments(made, codecByName('json'))).toThrow('two numbers of the record')
  })
})

// The key of a tombstone was replaced by that of a document which it does not have: none, so that nothing was deleted.
test('a tombstone keeps its key, unless a stage made a document of it', () => {
  const batch = batchOf([
    { key: 'a', value: '{"id":1}' },
    { key: 'b', value: null },
    { key: 'c', value: null },
  ])
  batch.documents = [{ id: 1 }, { value: null }, { id: 3 }]
  const changed = batch.derive({ documents: batch.documents, replaced: Uint8Array.of(0, 0, 1) })
  encodeDocuments(changed, codecByName('json'), { keyField: 'id' })
  expect(changed.keys).toEqual(['1', undefined, '3'])
  expect(changed.payloads).toEqual([undefined, undefined, '{"id":3}'])
})
