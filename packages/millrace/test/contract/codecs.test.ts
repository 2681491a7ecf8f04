import { describe, expect, test } from 'vitest'
import { codecByName, keyCodecByName } from '../../src/codecs/index.ts'
import {
  CODEC_NAMES,
  SCHEMA_TYPE_OF,
  TEXT_KEYS,
  type CodecName,
  type SchemaCodecName,
} from '../../src/contracts/codec-names.ts'
import type { Codec } from '../../src/contracts/codec.ts'
import { batchOf } from '../support/batches.ts'
import { describeCodec, type CodecFixture } from './codec.ts'

const UUID = '123e4567-e89b-12d3-a456-426614174000'

/** Of codecs whose documents are `{value: ...}`; its bytes are what the serializers of Java write. */
function ofValues(
  examples: readonly (readonly [hex: string, value: unknown])[],
  wrong: CodecFixture['wrong'],
  unwritable: readonly unknown[],
): CodecFixture {
  return {
    examples: examples.map(([hex, value]) => ({ bytes: Buffer.from(hex, 'hex'), document: { value } })),
    tombstone: { value: null },
    wrong,
    unwritable: [...unwritable.map((value) => ({ value })), {}, { value: 1, more: 2 }],
  }
}

const FIXTURES: { readonly [name in CodecName]: CodecFixture } = {
  json: {
    examples: [
      { bytes: '{"a":1,"b":["x",null]}', document: { a: 1, b: ['x', null] } },
      { bytes: '{}', document: {} },
      { bytes: '{"value":5}', document: { value: 5 } },
    ],
    tombstone: { value: null },
    wrong: ['', 'text', '{"a":1', Buffer.from([0x22, 0xff, 0x22])],
    unwritable: [{ a: 1n }, undefined],
  },
  string: ofValues(
    [
      ['7b7d', '{}'],
      ['c3a4', 'ä'],
      ['', ''],
    ],
    [Buffer.from([0xff])],
    [5, {}],
  ),
  bytes: {
    examples: [{ bytes: Buffer.from([0, 1, 2]), document: { value: 'AAEC' } }],
    tombstone: { value: null },
    wrong: [],
    unwritable: [],
    isOneWay: true,
  },
  short: ofValues([['fffe', -2]], ['x', ''], [1.5, 40_000, '1']),
  integer: ofValues([['00000100', 256]], ['abc'], [1.5, 2 ** 31]),
  long: ofValues(
    [
      ['0000000000000001', 1],
      ['0020000000000001', '9007199254740993'],
    ],
    ['abc'],
    [1.5, '9223372036854775808', 'x'],
  ),
  float: ofValues([['3fc00000', 1.5]], ['abc'], ['1']),
  double: ofValues([['bfb999999999999a', -0.1]], ['abc'], ['1']),
  uuid: ofValues([[Buffer.from(UUID).toString('hex'), UUID]], ['abc', 'x'.repeat(36)], ['abc']),
  void: { examples: [], tombstone: { value: null }, wrong: ['x'], unwritable: [{ value: 1 }, {}] },
}

test('every codec is held to the contract', () => {
  expect(Object.keys(FIXTURES)).toEqual(CODEC_NAMES)
})

describe('of values', () => {
  for (const name of CODEC_NAMES) describeCodec(codecByName(name), FIXTURES[name])
})

/** The value of a document that is nothing else, as a key. */
function asKey(document: unknown): unknown {
  const { value = document } = document as { readonly value?: unknown }
  return value
}

/** With a schema of their own, so that there is no id in front of the data. */
async function ofSchema(name: SchemaCodecName, text: string): Promise<Codec> {
  const own = { what: 'the schema', key: text, read: () => Promise.resolve(text) }
  const use = { part: 'value', store: undefined, own, message: undefined, writing: undefined, latestTtlMs: 0 } as const
  const codec = codecByName(name, '', { ...use, warn: () => {} })
  await codec.prepare!(batchOf([]), new AbortController().signal)
  return codec
}

const RECORD =
  '{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":["null","string"]}]}'
const MESSAGE = 'syntax = "proto3"; message M { int64 a = 1; string b = 2; }'
const OBJECT = '{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}'
const WITH_SCHEMA: { readonly [name in SchemaCodecName]: CodecFixture & { readonly schema: string } } = {
  avro: {
    schema: RECORD,
    examples: [
      { bytes: Buffer.from('0200', 'hex'), document: { a: 1, b: null } },
      { bytes: Buffer.from('d80402027a', 'hex'), document: { a: 300, b: 'z' } },
    ],
    tombstone: { value: null },
    wrong: ['', Buffer.from('0204', 'hex'), Buffer.from('020000', 'hex')],
    unwritable: [{ a: 'x' }, { a: 1, c: 2 }, { value: 5 }],
    // Varints can be longer than they have to be.
    isOneWay: false,
  },
  protobuf: {
    schema: MESSAGE,
    examples: [
      { bytes: '', document: { a: 0, b: '' } },
      { bytes: Buffer.from('080112017a', 'hex'), document: { a: 1, b: 'z' } },
    ],
    tombstone: { value: null },
    wrong: [Buffer.from('1205', 'hex'), Buffer.from('08', 'hex')],
    unwritable: [{ a: 'x' }, { c: 1 }],
  },
  'json-schema': {
    schema: OBJECT,
    examples: [{ bytes: '{"a":1}', document: { a: 1 } }],
    tombstone: { value: null },
    wrong: ['', 'text', '{"a":"x"}', '{}'],
    unwritable: [{ a: 'x' }, {}, { a: 1, b: 2 }],
  },
}

test('every codec with a schema is held to the contract', () => {
  expect(Object.keys(WITH_SCHEMA)).toEqual(Object.keys(SCHEMA_TYPE_OF))
})

const prepared = await Promise.all(
  (Object.keys(WITH_SCHEMA) as SchemaCodecName[]).map(async (name) => ({
    codec: await ofSchema(name, WITH_SCHEMA[name].schema),
    fixture: WITH_SCHEMA[name],
  })),
)

describe('with a schema', () => {
  for (const { codec, fixture } of prepared) describeCodec(codec, fixture)
})

describe('of keys', () => {
  describeCodec(keyCodecByName(TEXT_KEYS), {
    examples: [
      { bytes: 'k1', document: 'k1' },
      { bytes: 'ä€', document: 'ä€' },
      { bytes: '', document: '' },
    ],
    tombstone: null,
    wrong: [],
    unwritable: [],
    // Bytes that are no text are read as base64, and base64 is written as the text that it is.
    isOneWay: true,
  })

  for (const name of CODEC_NAMES.filter((one) => !['json', 'bytes', 'string'].includes(one)))
    describeCodec(keyCodecByName(name), {
      ...FIXTURES[name],
      examples: FIXTURES[name].examples.map(({ bytes, document }) => ({ bytes, document: asKey(document) })),
      tombstone: null,
      unwritable: ['not such a value', { more: 2 }],
    })

  describeCodec(keyCodecByName('json'), {
    examples: [
      { bytes: '{"id":5}', document: { id: 5 } },
      { bytes: '5', document: 5 },
      { bytes: '"k"', document: 'k' },
    ],
    tombstone: null,
    wrong: ['', 'text'],
    unwritable: [{ a: 1n }],
  })
})
