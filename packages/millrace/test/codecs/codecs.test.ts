import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codecByName, keyCodecByName } from '../../src/codecs/index.ts'
import { CODEC_NAMES } from '../../src/contracts/codec-names.ts'
import { ConfigError, DecodeError, EncodeError } from '../../src/errors/index.ts'

describe('codec by name', () => {
  test('every name is a codec, of values and of keys', () => {
    for (const name of CODEC_NAMES) expect([codecByName(name).name, keyCodecByName(name).name]).toEqual([name, name])
  })

  test('keys are text unless something else is asked for', () => {
    expect(keyCodecByName(undefined).name).toBe('text')
  })

  test.each(['orc', 'org.apache.kafka.common.serialization.StringSerializer', 'toString', ''])(
    '"%s" is refused by name',
    (name) => {
      expect(() => codecByName(name, 'source')).toThrow(ConfigError)
      expect(() => codecByName(name, 'source')).toThrow(`"${name}"`)
      expect(() => keyCodecByName(name, 'source')).toThrow(
        expect.objectContaining({ problems: [expect.objectContaining({ path: 'source' })] }),
      )
    },
  )
})

describe('formats of Kafka’s own serializers', () => {
  // The bytes are what the Java classes write.
  test.each([
    { codec: 'short', value: -2, hex: 'fffe' },
    { codec: 'integer', value: 256, hex: '00000100' },
    { codec: 'integer', value: -2147483648, hex: '80000000' },
    { codec: 'long', value: 1, hex: '0000000000000001' },
    { codec: 'long', value: 9007199254740991, hex: '001fffffffffffff' },
    { codec: 'long', value: '9007199254740993', hex: '0020000000000001' },
    { codec: 'long', value: '-9223372036854775808', hex: '8000000000000000' },
    { codec: 'float', value: 1.5, hex: '3fc00000' },
    { codec: 'double', value: -0.1, hex: 'bfb999999999999a' },
    {
      codec: 'uuid',
      value: '123e4567-e89b-12d3-a456-426614174000',
      hex: Buffer.from('123e4567-e89b-12d3-a456-426614174000').toString('hex'),
    },
  ])('$codec writes and reads $value', ({ codec, value, hex }) => {
    expect(Buffer.from(codecByName(codec).encode({ value }) as Buffer).toString('hex')).toBe(hex)
    expect(codecByName(codec).decode(Buffer.from(hex, 'hex'))).toEqual({ value })
  })

  test.each(CODEC_NAMES.filter((name) => name !== 'json' && name !== 'bytes'))(
    '%s has null for a tombstone, both ways',
    (name) => {
      expect(codecByName(name).decode(null)).toEqual({ value: null })
      expect(codecByName(name).encode({ value: null })).toBeNull()
    },
  )

  test.each([
    { codec: 'integer', hex: '000001', problem: 'must have 4 bytes for the integer codec: it has 3' },
    { codec: 'long', hex: '', problem: 'must have 8 bytes' },
    { codec: 'uuid', hex: '00'.repeat(36), problem: 'must be a UUID' },
    { codec: 'void', hex: '00', problem: 'must be null' },
  ])('$codec refuses the bytes "$hex"', ({ codec, hex, problem }) => {
    expect(() => codecByName(codec).decode(Buffer.from(hex, 'hex'))).toThrow(DecodeError)
    expect(() => codecByName(codec).decode(Buffer.from(hex, 'hex'))).toThrow(problem)
  })

  test.each([
    { codec: 'short', document: { value: 40_000 }, problem: 'between -32768 and 32767: current value is 40000' },
    { codec: 'integer', document: { value: 1.5 }, problem: 'whole number' },
    { codec: 'integer', document: { value: '5' }, problem: 'whole number' },
    { codec: 'integer', document: { value: 5, note: 'x' }, problem: 'it has the field "note"' },
    { codec: 'integer', document: {}, problem: 'no field "value"' },
    { codec: 'long', document: { value: 2 ** 53 }, problem: 'as text beyond 2^53' },
    { codec: 'long', document: { value: '9223372036854775808' }, problem: '64 bits' },
    { codec: 'double', document: { value: '1' }, problem: 'must be a number' },
    { codec: 'uuid', document: { value: 'nope' }, problem: 'must be a UUID' },
    { codec: 'void', document: { value: 1 }, problem: 'must be null' },
  ])('$codec refuses the document $document', ({ codec, document, problem }) => {
    expect(() => codecByName(codec).encode(document)).toThrow(EncodeError)
    expect(() => codecByName(codec).encode(document)).toThrow(problem)
  })

  test('raw bytes are JSON where they can be, else base64 text, and a changed document is JSON text', () => {
    const codec = codecByName('bytes')
    expect(codec.decode(Buffer.from('{"a":1}'))).toEqual({ a: 1 })
    expect(codec.decode(Buffer.from('[1]'))).toEqual({ value: [1] })
    expect(codec.decode(null)).toEqual({ value: null })
    expect(codec.decode(Buffer.from([0, 1, 255]))).toEqual({ value: 'AAH/' })
    expect(codec.encode({ a: 1 })).toBe('{"a":1}')
  })

  test('every long comes back as it was', () => {
    const codec = codecByName('long')
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const bytes = Buffer.alloc(8)
        bytes.writeBigInt64BE(value)
        const document = codec.decode(bytes) as { value: number | string }
        expect(BigInt(document.value)).toBe(value)
        expect(codec.encode(document)).toEqual(bytes)
      }),
    )
  })
})
