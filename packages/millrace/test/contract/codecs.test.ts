import { describe, expect, test } from 'vitest'
import { codecByName, keyCodecByName } from '../../src/codecs/index.ts'
import { CODEC_NAMES, TEXT_KEYS, type CodecName } from '../../src/contracts/codec-names.ts'
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

  for (const name of CODEC_NAMES.filter((one) => one !== 'json' && one !== 'bytes'))
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
