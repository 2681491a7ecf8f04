import { describe, expect, test } from 'vitest'
import { decompressLz4 } from '../../../../src/kafka/protocol/compression/lz4.ts'
import { decompressSnappy } from '../../../../src/kafka/protocol/compression/snappy.ts'

const NO_LIMIT = 2 ** 31 - 1

/** What a copy from so far back gives, byte by byte. */
function repeated(literals: Buffer, distance: number, length: number): Buffer {
  const bytes = [...literals]
  for (let i = 0; i < length; i++) bytes.push(bytes[bytes.length - distance]!)
  return Buffer.from(bytes)
}

const literalsOf = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 37 + 11) & 255))

/** A frame of one block: literals, a copy, five literals. */
function lz4Frame(literals: Buffer, distance: number, length: number): Buffer {
  const extended = (count: number): number[] => {
    const bytes = []
    for (let left = count - 15; left >= 0; left -= 255) bytes.push(Math.min(255, left))
    return bytes
  }
  const match = length - 4
  const block = Buffer.from([
    (Math.min(15, literals.length) << 4) | Math.min(15, match),
    ...extended(literals.length),
    ...literals,
    distance & 255,
    distance >> 8,
    ...extended(match),
    0x50,
    ...Buffer.from('abcde'),
  ])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]), size, block, Buffer.alloc(4)])
}

/** A bare block: literals, a copy of each kind of distance that can hold it. */
function snappyBlock(literals: Buffer, distance: number, length: number, kind: 1 | 2 | 3): Buffer {
  const total = literals.length + length
  const copy =
    kind === 1
      ? [1 | ((length - 4) << 2) | ((distance >> 8) << 5), distance & 255]
      : [kind | ((length - 1) << 2), distance & 255, distance >> 8, ...(kind === 3 ? [0, 0] : [])]
  return Buffer.from([(total & 127) | 128, total >> 7, 61 << 2, literals.length - 1, 0, ...literals, ...copy])
}

const DISTANCES = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 31, 32, 33, 64, 100, 200]

describe.each(DISTANCES)('a copy from %d bytes back', (distance) => {
  test.each([4, 5, 7, 8, 11, 15, 16, 17, 18, 19, 20, 33, 64, 300, 1000])('of %d bytes is exact in LZ4', (length) => {
    const literals = literalsOf(Math.max(distance, 3))
    const expected = Buffer.concat([repeated(literals, distance, length), Buffer.from('abcde')])
    expect(decompressLz4(lz4Frame(literals, distance, length), NO_LIMIT)).toEqual(expected)
    expect(decompressLz4(lz4Frame(literals, distance, length), expected.length)).toEqual(expected)
    expect(() => decompressLz4(lz4Frame(literals, distance, length), expected.length - 1)).toThrow(RangeError)
  })

  test.each([
    { kind: 1, lengths: [4, 7, 11] },
    { kind: 2, lengths: [1, 2, 15, 16, 17, 33, 64] },
    { kind: 3, lengths: [1, 8, 64] },
  ] as const)('is exact in Snappy, by elements of kind $kind', ({ kind, lengths }) => {
    const literals = literalsOf(Math.max(distance, 60))
    for (const length of lengths)
      expect(decompressSnappy(snappyBlock(literals, distance, length, kind), NO_LIMIT)).toEqual(
        repeated(literals, distance, length),
      )
  })
})

describe('a copy is refused', () => {
  const literals = literalsOf(60)

  test.each([0, 61, 65_535])('from %d bytes back, where there are 60', (distance) => {
    expect(() => decompressLz4(lz4Frame(literals, distance, 8), NO_LIMIT)).toThrow('cannot be decompressed')
    expect(() => decompressSnappy(snappyBlock(literals, distance, 8, 2), NO_LIMIT)).toThrow('cannot be decompressed')
  })

  test('that reaches back into another block of Snappy', () => {
    const framed = (...blocks: Buffer[]): Buffer =>
      Buffer.concat([
        Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
        ...blocks.flatMap((block) => {
          const size = Buffer.alloc(4)
          size.writeInt32BE(block.length)
          return [size, block]
        }),
      ])
    const sound = snappyBlock(literals, 60, 8, 2)
    expect(decompressSnappy(framed(sound, sound), NO_LIMIT)).toHaveLength(136)
    expect(() => decompressSnappy(framed(sound, snappyBlock(literals, 61, 8, 2)), NO_LIMIT)).toThrow(
      'cannot be decompressed',
    )
  })
})

test('what was decompressed stays as it is when more is decompressed', () => {
  const first = decompressLz4(lz4Frame(literalsOf(200), 200, 1000), NO_LIMIT)
  const copy = Buffer.from(first)
  decompressLz4(lz4Frame(Buffer.alloc(200, 'x'), 1, 60_000), NO_LIMIT)
  decompressSnappy(snappyBlock(Buffer.alloc(200, 'x'), 1, 64, 2), NO_LIMIT)
  expect(first).toEqual(copy)
})
