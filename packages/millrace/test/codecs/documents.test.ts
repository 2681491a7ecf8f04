import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  codecByName,
  createDocuments,
  decodeDocuments,
  encodeDocuments,
  keyCodecByName,
} from '../../src/codecs/index.ts'
import { DecodeError, EncodeError } from '../../src/errors/index.ts'
import { createStage } from '../../src/stages/index.ts'
import type { Batch } from '../../src/records/batch.ts'
import { batchOf, batchOfDocuments, type MadeRecord } from '../support/batches.ts'

const json = codecByName('json')

/** What a sink would write for each row. */
function written(batch: Batch): (string | null)[] {
  return Array.from({ length: batch.length }, (_, row) => {
    const payload = batch.payloads?.[row]
    return (payload === undefined ? batch.value(row) : payload)?.toString() ?? null
  })
}

function stage(name: string, spec: unknown, batch: Batch): Batch {
  return createStage(name, spec, 's').process(batch)!
}

describe('decode', () => {
  test.each([
    { value: '{"a":1}', document: { a: 1 } },
    { value: ' {"a": [1, {"b": null}]}\n', document: { a: [1, { b: null }] } },
    { value: '5', document: { value: 5 } },
    { value: '"text"', document: { value: 'text' } },
    { value: '[1,2]', document: { value: [1, 2] } },
    { value: 'null', document: { value: null } },
    { value: null, document: { value: null } },
    { value: '{"ä":"€😀"}', document: { ä: '€😀' } },
    { value: '{"replacement":"\uFFFD"}', document: { replacement: '\uFFFD' } },
  ])('$value is the document $document', ({ value, document }) => {
    const batch = batchOf([value])
    decodeDocuments(batch, json)
    expect(batch.documents).toEqual([document])
  })

  test('keeps documents that were made before', () => {
    const batch = batchOf(['{"a":1}', '{"a":2}'])
    const known = { a: 'known' }
    batch.documents = [undefined, known]
    decodeDocuments(batch, json)
    expect(batch.documents).toEqual([{ a: 1 }, known])
    expect(batch.documents[1]).toBe(known)
  })

  test('decodes the rows that are left, not the first of the records', () => {
    const batch = batchOf(['broken', '{"a":1}', 'broken', '{"a":3}']).derive({ rows: Int32Array.of(1, 3) })
    decodeDocuments(batch, json)
    expect(batch.documents).toEqual([{ a: 1 }, { a: 3 }])
  })

  test.each([
    { name: 'text', value: 'hello', reason: /Unexpected token 'h': "hello"$/ },
    { name: 'a cut object', value: '{"a":1', reason: /at position 6: "\{\\"a\\":1"$/ },
    {
      name: 'an error far inside',
      value: `{"a":"${'x'.repeat(200)}" oops}`,
      reason: /at position 208: \.\.\."x{28,}\\" oops\}"$/,
    },
    { name: 'an empty value', value: '', reason: /it is empty, which is neither JSON nor a tombstone/ },
    { name: 'two values', value: '{} {}', reason: /at position 3/ },
    { name: 'a byte order mark', value: '\uFEFF{}', reason: /Unexpected token/ },
    { name: 'what a schema registry framed', value: Buffer.from([0, 0, 0, 1, 2, 10, 65, 66]), reason: /schema id 258/ },
    {
      name: 'malformed UTF-8',
      value: Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]),
      reason: /not valid UTF-8/,
    },
  ])('$name is refused with its place', ({ value, reason }) => {
    const batch = batchOf(['{"fine":1}', value])
    const decode = (): void => decodeDocuments(batch, json)
    expect(decode).toThrow(DecodeError)
    expect(decode).toThrow('Cannot decode the value at offset 101 of "orders" partition 3 as json: ')
    expect(decode).toThrow(reason)
    expect(decode).toThrow(
      expect.objectContaining({ code: 'DECODE_FAILED', part: 'value', topic: 'orders', partition: 3, offset: 101n }),
    )
  })

  test('an excerpt is short however long the value', () => {
    const batch = batchOf([`[${'"abc",'.repeat(10_000)}`])
    expect(() => decodeDocuments(batch, json)).toThrow(/^.{0,250}$/s)
  })
})

describe('encode', () => {
  test('any JSON document comes out as it went in, and unchanged ones as the same bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 5 }), (documents) => {
        const batch = batchOfDocuments(documents)
        decodeDocuments(batch, json)
        encodeDocuments(batch, json)
        expect(batch.payloads).toBeUndefined()
        const changed = batch.derive({ documents: batch.documents, replaced: new Uint8Array(documents.length).fill(1) })
        encodeDocuments(changed, json)
        expect(written(changed).map((text) => JSON.parse(text!))).toEqual(
          documents.map((document) => JSON.parse(JSON.stringify(document))),
        )
      }),
    )
  })

  test('writes changed documents only; spaces, duplicate names and number formats of the others stay', () => {
    const odd = '{ "a" : 1.0, "a" : 2e0 }'
    const batch = batchOf([odd, '{"b":1}'])
    decodeDocuments(batch, json)
    const changed = stage('$unset', 'b', batch)
    encodeDocuments(changed, json)
    expect(changed.payloads).toEqual([undefined, '{}'])
    expect(written(changed)).toEqual([odd, '{}'])
  })

  // A delete became an upsert.
  test.each<[name: string, spec: unknown]>([
    ['$set', { a: 1 }],
    ['$addFields', { value: 1 }],
    ['$unset', 'value'],
    ['$project', { a: 1 }],
    ['$replaceWith', { a: '$value' }],
    ['$unwind', '$items'],
  ])('a tombstone passes through %s as it is, with its key', (name, spec) => {
    const batch = batchOf([null, { key: 'k', value: null }, '{"items":[1]}'])
    decodeDocuments(batch, json, { attachMeta: true })
    encodeDocuments(batch, json, { includeMeta: true })
    expect(written(batch).slice(0, 2)).toEqual([null, null])
    const changed = stage(name, spec, batch)
    encodeDocuments(changed, json)
    expect(written(changed).slice(0, 2)).toEqual([null, null])
    expect(changed.key(1)?.toString()).toBe('k')
    expect(changed.keys?.[1]).toBeUndefined()
  })

  test('a stage that asks for _meta.tombstone makes a document of one', () => {
    const batch = batchOf([null, '{"b":1}'])
    decodeDocuments(batch, json, { attachMeta: true })
    const changed = stage('$set', { deleted: '$_meta.tombstone' }, batch)
    encodeDocuments(changed, json)
    expect(written(changed)).toEqual(['{"value":null,"deleted":true}', '{"b":1}'])
  })

  // A stage that looked at `_meta` made others write it: `$push: $$ROOT` behind `$match: {_meta.offset: ...}`.
  test.each<[name: string, spec: unknown, want: string]>([
    ['$group', { _id: null, all: { $push: '$$ROOT' } }, '{"_id":null,"all":[{"a":1},{"a":2}]}'],
    ['$set', { r: '$$ROOT' }, '{"a":1,"r":{"a":1}},{"a":2,"r":{"a":2}}'],
    ['$set', { from: '$_meta.offset' }, '{"a":1,"from":100},{"a":2,"from":101}'],
    ['$densify', { field: 'a', range: { step: 0.5, bounds: 'full' } }, '{"a":1},{"a":1.5},{"a":2}'],
  ])('%s %j writes no _meta that was attached, and leaves it to sinks that include it', (name, spec, want) => {
    const batch = batchOf(['{"a":1}', '{"a":2}'])
    decodeDocuments(batch, json, { attachMeta: true })
    const changed = stage(name, spec, batch)
    for (const includeMeta of [false, true, false]) {
      encodeDocuments(changed, json, { includeMeta })
      const text = written(changed).join(',')
      if (includeMeta && name !== '$densify') expect(text).toContain('"_meta":{"topic"')
      else if (!includeMeta) expect(text).toBe(want)
    }
  })

  test('a document that JSON cannot hold is refused with its place', () => {
    const deep: { a?: unknown } = {}
    let inner: { a?: unknown } = deep
    for (let i = 0; i < 100_000; i++) inner = inner.a = {}
    for (const document of [{ a: 1n }, deep]) {
      const batch = batchOf(['{}']).derive({ documents: [document], replaced: Uint8Array.of(1) })
      expect(() => encodeDocuments(batch, json)).toThrow(EncodeError)
      expect(() => encodeDocuments(batch, json)).toThrow(
        /^Cannot write the document as JSON: .* offset 100 of "orders" partition 3$/,
      )
    }
  })
})

describe('numbers that a double does not write with the same digits', () => {
  test.each([
    {
      name: 'stay what they are beside a change',
      value: '{"id":1234567890123456789}',
      stages: { $set: { a: 1 } },
      want: '{"id":1234567890123456789,"a":1}',
    },
    {
      name: 'stay themselves under another name',
      value: '{"id":1234567890123456789}',
      stages: { $replaceWith: { key: '$id' } },
      want: '{"key":1234567890123456789}',
    },
    {
      name: 'stay themselves in arrays and objects',
      value: '{"o":{"ids":[-9007199254740993,1]}}',
      stages: { $set: { a: 1 } },
      want: '{"o":{"ids":[-9007199254740993,1]},"a":1}',
    },
    {
      name: 'are distinguished by name when they round to the same double',
      value: '{"a":9007199254740993,"b":9007199254740992}',
      stages: { $set: { c: 1 } },
      want: '{"a":9007199254740993,"b":9007199254740992,"c":1}',
    },
    {
      name: 'are distinguished by name when both are rounded',
      value: '{"a":1234567890123456789,"b":1234567890123456790}',
      stages: { $set: { c: 1 } },
      want: '{"a":1234567890123456789,"b":1234567890123456790,"c":1}',
    },
    {
      name: 'may be computed with, as doubles',
      value: '{"id":1234567890123456789}',
      stages: { $set: { id: { $multiply: ['$id', 2] } } },
      want: '{"id":2469135780246913500}',
    },
    // A price with 19 digits came out with 17, 2.0 as 2, 1e400 as null and -0 as 0, though a stage only set another field.
    {
      name: 'and all other numbers keep their digits beside a change',
      value: '{"p":1.234567890123456789,"q":2.0,"big":1e400,"z":-0,"e":1E3,"l":[1.50,{"m":0.10}]}',
      stages: { $set: { s: 1 } },
      want: '{"p":1.234567890123456789,"q":2.0,"big":1e400,"z":-0,"e":1E3,"l":[1.50,{"m":0.10}],"s":1}',
    },
    {
      name: 'keep their digits when another field is taken away or changed, and beside text that is not ASCII',
      value: '{ "t": "2.0 é \\" 1e5", "q" : 2.0, "x": 1, "y": 10 }',
      stages: { $unset: 'x', $set: { y: 3 } },
      want: '{"t":"2.0 é \\" 1e5","q":2.0,"y":3}',
    },
    {
      name: 'are written as they are computed',
      value: '{"q":2.0,"p":1.10}',
      stages: { $set: { q: { $add: ['$q', 1] }, two: 2, r: { $multiply: ['$p', 2] } } },
      want: '{"q":3,"p":1.10,"two":2,"r":2.2}',
    },
    {
      name: 'keep their digits where they were moved',
      value: '{"order":{"price":2.50,"id":1.234567890123456789},"n":2.0}',
      stages: { $replaceWith: { price: '$order.price', key: '$order.id', m: '$n' } },
      want: '{"price":2.50,"key":1.234567890123456789,"m":2.0}',
    },
    {
      name: 'keep their digits in a value that is no object',
      value: '1.50',
      stages: { $set: { s: 1 } },
      want: '{"value":1.50,"s":1}',
    },
  ])('$name', ({ value, stages, want }) => {
    let batch = batchOf([value])
    decodeDocuments(batch, json)
    for (const [name, spec] of Object.entries(stages)) batch = stage(name, spec, batch)
    encodeDocuments(batch, json)
    expect(written(batch)).toEqual([want])
  })

  test('that cannot be distinguished are refused rather than mixed up', () => {
    const batch = batchOf(['{"a":1234567890123456789,"b":1234567890123456790}'])
    decodeDocuments(batch, json)
    const computed = stage('$replaceWith', { c: { $max: ['$b', 1] } }, batch)
    expect(() => encodeDocuments(computed, json)).toThrow(/Cannot write field "c" exactly/)
  })

  // They were written as null.
  describe('too large for a double', () => {
    const after = (value: string, name: string, spec: unknown): Batch => {
      const batch = batchOf([value])
      decodeDocuments(batch, json)
      return stage(name, spec, batch)
    }

    test.each([
      { value: '{"l":[1e400]}', name: '$unwind', spec: { path: '$l' }, want: '{"l":1e400}' },
      { value: '{"l":[1e400,-1e400]}', name: '$unwind', spec: { path: '$l' }, want: '{"l":1e400}\n{"l":-1e400}' },
      { value: '{"a":1e400}', name: '$set', spec: { b: '$a', n: null }, want: '{"a":1e400,"b":1e400,"n":null}' },
    ])('keep their digits where only one can be meant: $name of $value', ({ value, name, spec, want }) => {
      const batch = after(value, name, spec)
      encodeDocuments(batch, json)
      expect(written(batch)).toEqual(want.split('\n'))
    })

    test.each([
      { value: '{"l":[1e400,2e400]}', name: '$unwind', spec: { path: '$l' }, text: /Cannot write field "l" exactly/ },
      {
        value: '{"a":1e308}',
        name: '$set',
        spec: { 'b.c': [{ $multiply: ['$a', 10] }] },
        text: /field "b\.c\.0" .*Infinity/,
      },
      {
        value: '{"a":1e400}',
        name: '$set',
        spec: { b: { $multiply: ['$a', -1] } },
        text: /field "b" .*-Infinity.*offset \d+/,
      },
      { value: '{"a":1e400}', name: '$project', spec: { b: { $add: ['$a', 1] } }, text: /field "b" .*Infinity/ },
      { value: '{"a":1e400}', name: '$group', spec: { _id: null, s: { $sum: '$a' } }, text: /field "s" .*Infinity/ },
    ])('are refused where they are computed or may be another: $name of $value', ({ value, name, spec, text }) => {
      expect(() => encodeDocuments(after(value, name, spec), json)).toThrow(text)
    })

    test('are no key called null', () => {
      const batch = after('{"a":1e308}', '$set', { b: { $multiply: ['$a', 10] } })
      batch.documents![0] = { b: Infinity }
      expect(() => encodeDocuments(batch, json, { keyField: 'b' })).toThrow(/Infinity/)
    })
  })
})

describe('_meta', () => {
  const record: MadeRecord = {
    key: 'k1',
    value: '{"a":1}',
    headers: [
      ['trace', 't'],
      ['tag', 'x'],
      ['tag', 'y'],
      ['none', null],
    ],
    timestampMs: 1234,
  }
  const attached = (records: readonly MadeRecord[] = [record]): Batch => {
    const batch = batchOf(records)
    decodeDocuments(batch, json, { attachMeta: true })
    return batch
  }

  /** Without the mark that tells what was attached. */
  const plain = (batch: Batch): unknown => JSON.parse(JSON.stringify(batch.documents))

  test('says where a record came from', () => {
    expect(plain(attached())).toEqual([
      {
        a: 1,
        _meta: {
          topic: 'orders',
          partition: 3,
          offset: 100,
          timestamp: 1234,
          key: 'k1',
          headers: { trace: 't', tag: ['x', 'y'], none: null },
        },
      },
    ])
    expect(plain(attached([{ value: null }]))).toEqual([
      {
        value: null,
        _meta: {
          topic: 'orders',
          partition: 3,
          offset: 100,
          timestamp: 1.7e12,
          key: null,
          headers: {},
          tombstone: true,
        },
      },
    ])
    expect(attached([{ key: Buffer.from([255, 0]), value: '{}' }]).documents).toMatchObject([
      { _meta: { key: '/wA=' } },
    ])
    // What is base64 looked like text.
    expect(
      attached([
        {
          value: '{}',
          headers: [
            ['a', Buffer.from([255])],
            ['b', '/w=='],
          ],
        },
      ]).documents,
    ).toMatchObject([{ _meta: { headers: { a: '/w==', b: '/w==' }, headersEncoding: { a: 'base64' } } }])
    expect(attached([{ value: '{}', headers: [['__proto__', 'x']] }]).documents![0]).toHaveProperty(
      '_meta.headers',
      JSON.parse('{"__proto__":"x"}'),
    )
  })

  test.each([
    {
      name: 'does not count as a change',
      stages: [{ $match: { '_meta.topic': 'orders' } }],
      want: '{"a":1}',
      untouched: true,
    },
    { name: 'is not written with a change', stages: [{ $set: { k: '$_meta.key' } }], want: '{"a":1,"k":"k1"}' },
    {
      name: 'is written when a stage sets the field',
      stages: [{ $set: { _meta: '$_meta' } }, { $unset: '_meta.headers' }],
      want: '{"a":1,"_meta":{"topic":"orders","partition":3,"offset":100,"timestamp":1234,"key":"k1"}}',
    },
    {
      name: 'is written when a projection keeps the field',
      stages: [{ $project: { _meta: 1 } }, { $project: { '_meta.key': 1 } }],
      want: '{"_meta":{"key":"k1"}}',
    },
    {
      name: 'is written when a projection keeps a part',
      stages: [{ $project: { a: 1, '_meta.offset': 1 } }],
      want: '{"_meta":{"offset":100},"a":1}',
    },
    {
      name: 'is written under another name',
      stages: [{ $project: { from: '$_meta.topic' } }],
      want: '{"from":"orders"}',
    },
    { name: 'is not written when a stage writes below it', stages: [{ $set: { '_meta.note': 'x' } }], want: '{"a":1}' },
    { name: 'goes with $unset', stages: [{ $match: { '_meta.partition': 3 } }, { $unset: '_meta' }], want: '{"a":1}' },
  ])('$name', ({ stages, want, untouched }) => {
    let batch = attached()
    for (const one of stages) for (const [name, spec] of Object.entries(one)) batch = stage(name, spec, batch)
    encodeDocuments(batch, json)
    expect(written(batch)).toEqual([want])
    if (untouched === true) expect(batch.raw).toBeDefined()
  })

  test('is in every document when the sink includes it, and on the document still after writing', () => {
    const batch = attached()
    encodeDocuments(batch, json, { includeMeta: true })
    expect(JSON.parse(written(batch)[0]!)).toMatchObject({ a: 1, _meta: { offset: 100, key: 'k1' } })
    expect(batch.raw).toBeUndefined()
    const changed = stage('$set', { b: '$_meta.key' }, attached())
    encodeDocuments(changed, json)
    expect(changed.documents).toMatchObject([{ _meta: { key: 'k1' } }])
  })

  test('a field of that name in the value makes way and comes back untouched', () => {
    const value = '{"a":1,"_meta":{"mine":true}}'
    const batch = attached([{ value }])
    expect(batch.documents).toMatchObject([{ _meta: { topic: 'orders' } }])
    encodeDocuments(batch, json)
    expect(written(batch)).toEqual([value])
  })

  test.each([
    { name: 'a text', spec: { '_meta.key': '$customer' }, key: 'c9' },
    { name: 'a number', spec: { '_meta.key': '$n' }, key: '7' },
    { name: 'nothing', spec: { '_meta.key': '$$REMOVE' }, key: null },
    { name: 'the same text', spec: { '_meta.key': 'k1' }, key: undefined },
  ])('writing _meta.key gives the record another key: $name', ({ spec, key }) => {
    const batch = attached([{ key: 'k1', value: '{"customer":"c9","n":7}' }])
    const changed = stage('$set', spec, batch)
    encodeDocuments(changed, json)
    expect(changed.keys?.[0]).toBe(key)
    expect(written(changed)).toEqual(['{"customer":"c9","n":7}'])
  })
})

describe('keys with a codec of their own', () => {
  const keys = keyCodecByName('long')
  const nine = Buffer.from('0000000000000009', 'hex')
  const attached = (key: Buffer | null): Batch => {
    const batch = batchOf([{ key, value: '{"n":7}' }])
    decodeDocuments(batch, json, { attachMeta: true, keys })
    return batch
  }

  test('are what they mean in _meta.key', () => {
    expect(attached(nine).documents).toMatchObject([{ _meta: { key: 9 } }])
    expect(attached(null).documents).toMatchObject([{ _meta: { key: null } }])
  })

  test.each([
    { name: 'another number', spec: { '_meta.key': '$n' }, key: Buffer.from('0000000000000007', 'hex') },
    { name: 'the same number', spec: { '_meta.key': 9 }, key: undefined },
    { name: 'nothing', spec: { '_meta.key': '$$REMOVE' }, key: null },
  ])('go out as they came in until a stage writes them: $name', ({ spec, key }) => {
    const changed = stage('$set', spec, attached(nine))
    encodeDocuments(changed, json, { keys })
    expect(changed.keys?.[0]).toEqual(key)
  })

  test('that are something else are refused with their place, as keys', () => {
    expect(() => attached(Buffer.from('k1'))).toThrow(
      expect.objectContaining({
        code: 'DECODE_FAILED',
        part: 'key',
        offset: 100n,
        message:
          'Cannot decode the key at offset 100 of "orders" partition 3 as long: it must have 8 bytes for the long codec: it has 2',
      }),
    )
  })

  test('that a stage makes and the codec cannot write are refused', () => {
    const changed = stage('$set', { '_meta.key': 'text' }, attached(nine))
    expect(() => encodeDocuments(changed, json, { keys })).toThrow(EncodeError)
  })

  test.each([
    { name: 'text', key: 'k1', bytes: 'k1' },
    { name: 'json', key: { id: 5 }, bytes: '{"id":5}' },
    { name: 'json', key: 5, bytes: '5' },
    { name: 'uuid', key: '123e4567-e89b-12d3-a456-426614174000', bytes: '123e4567-e89b-12d3-a456-426614174000' },
  ])('$name reads what it writes: $bytes', ({ name, key, bytes }) => {
    const codec = keyCodecByName(name)
    expect(String(codec.encode(key))).toBe(bytes)
    expect(codec.decode(Buffer.from(bytes))).toEqual(key)
  })
})

describe('documents of a pipeline', () => {
  const options = { from: json, to: json, needsDocuments: false, mentionsMeta: false, includeMeta: false }

  test.each([
    { name: 'bytes pass when nothing looks at them', change: {}, made: false },
    { name: 'a stage needs documents', change: { needsDocuments: true }, made: true },
    { name: 'the sink includes _meta', change: { includeMeta: true }, made: true },
    { name: 'the formats differ', change: { from: codecByName('integer') }, made: true },
    { name: 'raw bytes go into any format', change: { to: codecByName('bytes') }, made: false },
  ])('$name', ({ change, made }) => {
    expect(createDocuments({ ...options, ...change }) !== undefined).toBe(made)
  })

  test('every value is written again when the formats differ', () => {
    const documents = createDocuments({ ...options, from: codecByName('integer'), to: json })!
    const batch = batchOf([Buffer.from([0, 0, 1, 0]), null])
    documents.decode(batch)
    documents.encode(batch)
    expect(written(batch)).toEqual(['{"value":256}', null])
  })
})
