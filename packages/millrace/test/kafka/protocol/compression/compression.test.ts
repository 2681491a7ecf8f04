import { randomBytes } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BatchTooLargeError, CorruptRecordError } from '../../../../src/errors/index.ts'
import { CODEC_BITS, CODECS, COMPRESSION_LEVELS } from '../../../../src/kafka/protocol/compression/codecs.ts'
import { compress, decompress } from '../../../../src/kafka/protocol/compression/compression.ts'

const COMPRESSING = CODECS.filter((codec) => codec !== 'none')

/** Bytes with repetitions near and far, as records have them. */
const compressible = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'order',
        'customer-',
        '{"amount":',
        'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      ),
      fc.string(),
    ),
    { maxLength: 200 },
  )
  .map((parts) => Buffer.from(parts.join('')))

const samples = [
  { name: 'nothing', plain: Buffer.alloc(0) },
  { name: 'one byte', plain: Buffer.from('x') },
  { name: 'a short run', plain: Buffer.alloc(70, 'a') },
  { name: 'a run of three blocks', plain: Buffer.alloc(150_000, 'a') },
  { name: 'exactly one block', plain: Buffer.alloc(65_536, 'ab') },
  { name: 'a repeated text', plain: Buffer.alloc(1_000_000, 'the quick brown fox jumps over the lazy dog ') },
  { name: 'random bytes', plain: randomBytes(200_000) },
  {
    name: 'JSON',
    plain: Buffer.from(
      Array.from({ length: 5000 }, (_, i) =>
        JSON.stringify({ orderId: i, customer: `customer-${(i * 7919) % 1000}`, amount: (i * 31) % 500 }),
      ).join(''),
    ),
  },
]

/** Gives what came out, undefined after a CorruptRecordError; throws what must not be, traps of the WebAssembly included. */
function attempt(codec: (typeof CODECS)[number], bytes: Buffer, maxBytes?: number): Buffer | undefined {
  try {
    return decompress(codec, bytes, maxBytes)
  } catch (error) {
    if (!(error instanceof CorruptRecordError) || (error.cause as Error | undefined)?.name === 'RuntimeError')
      throw error
    return undefined
  }
}

describe.each(COMPRESSING)('%s', (codec) => {
  test.each(samples)('returns $name', ({ plain }) => {
    expect(decompress(codec, compress(codec, plain)).equals(plain)).toBe(true)
  })

  test('returns anything', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          compressible,
          fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
        ),
        (plain) => {
          expect(decompress(codec, compress(codec, plain)).equals(plain)).toBe(true)
        },
      ),
    )
  })

  test('reads what the protocol library writes, and the other way round', () => {
    const library = compressionsAlgorithms[codec]
    for (const { plain } of samples.slice(1)) {
      expect(decompress(codec, library.compressSync(plain)).equals(plain)).toBe(true)
      expect(library.decompressSync(compress(codec, plain)).equals(plain)).toBe(true)
    }
  })

  test('refuses bytes that are cut off anywhere', () => {
    const whole = compress(codec, Buffer.from('hello hello hello hello hello world '.repeat(20)))
    for (let length = 0; length < whole.length; length++) {
      const plain = attempt(codec, whole.subarray(0, length))
      // A xerial stream of no blocks is legal: its header alone says so.
      if (!(codec === 'snappy' && length === 16)) expect(plain, `cut to ${length} bytes`).toBeUndefined()
    }
  })

  // After some dozens of traps the protocol library's WebAssembly gives "memory access out of bounds" for sound bytes
  // too; ours must never let it come that far.
  test('survives thousands of flipped bits and still reads sound bytes', () => {
    const plain = Buffer.from(
      Array.from({ length: 300 }, (_, i) => `{"orderId":${i * 7919},"note":"${'x'.repeat(i % 90)}"}`).join(''),
    )
    const whole = compress(codec, plain)
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const flipped = Buffer.from(whole)
        flipped[at]! ^= 1 << bit
        const result = attempt(codec, flipped)
        expect(result === undefined || result.length <= 1_000_000).toBe(true)
      }),
      { numRuns: 3000 },
    )
    expect(decompress(codec, whole).equals(plain)).toBe(true)
  })

  test('refuses random bytes, or takes them for little', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void attempt(codec, Buffer.from(bytes), 10_000)),
    )
  })

  test('stops a batch that is made to explode', () => {
    const bomb = compress(codec, Buffer.alloc(3_000_000))
    expect(() => decompress(codec, bomb, 2_999_999)).toThrow(/as one batch would decompress to more than 2999999 bytes/)
    expect(() => decompress(codec, bomb, 1000)).toThrow(BatchTooLargeError)
    expect(decompress(codec, bomb, 3_000_000).length).toBe(3_000_000)
  })

  test('says which codec cannot read the bytes, and keeps the cause', () => {
    let caught: unknown
    try {
      decompress(codec, Buffer.from('this is not compressed at all'))
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(CorruptRecordError)
    expect((caught as Error).message).toMatch(
      new RegExp(`^Cannot decompress 29 bytes of ${codec} records as (they are malformed|more than)`),
    )
    expect((caught as Error).message).not.toMatch(/\.$/)
    expect((caught as Error).cause).toBeInstanceOf(Error)
  })
})

describe('compression', () => {
  test('knows each codec by the attribute bits that Kafka gives it', () => {
    expect(CODECS.map((codec) => CODEC_BITS[codec])).toEqual([0, 1, 2, 3, 4])
  })

  test('leaves records alone when there is no codec', () => {
    const bytes = Buffer.from('as they are')
    expect(compress('none', bytes)).toBe(bytes)
    expect(decompress('none', bytes)).toBe(bytes)
  })

  test.each(['gzip', 'zstd'] as const)('takes a level for %s', (codec) => {
    const plain = samples.at(-1)!.plain
    const { min, max } = COMPRESSION_LEVELS[codec]
    const fast = compress(codec, plain, min)
    const small = compress(codec, plain, max)
    expect(small.length).toBeLessThan(fast.length)
    for (const bytes of [fast, small]) expect(decompress(codec, bytes).equals(plain)).toBe(true)
  })

  test.each([
    { codec: 'gzip', compressor: gzipSync },
    { codec: 'zstd', compressor: zstdCompressSync },
  ] as const)('reads several $codec streams in a row as one', ({ codec, compressor }) => {
    const bytes = Buffer.concat([compressor('one '), compressor('two')])
    expect(decompress(codec, bytes).toString()).toBe('one two')
    expect(decompress(codec, bytes, 7).toString()).toBe('one two')
    expect(() => decompress(codec, bytes, 6)).toThrow('more than 6 bytes')
  })
})

describe('snappy framing', () => {
  const block = compressionsAlgorithms.snappy.compressSync(Buffer.from('bare block bare block bare block'))

  test('is written as Java writes it', () => {
    const bytes = compress('snappy', Buffer.alloc(100_000, 'x'))
    expect(bytes.subarray(0, 16).toString('hex')).toBe('82534e415050590000000001' + '00000001')
    const first = bytes.readInt32BE(16)
    const second = bytes.readInt32BE(20 + first)
    expect(24 + first + second).toBe(bytes.length)
  })

  test('is not needed for reading', () => {
    expect(decompress('snappy', block).toString()).toBe('bare block bare block bare block')
  })

  test('does not nest', () => {
    const inner = compress('snappy', Buffer.from('inner'))
    const length = Buffer.alloc(4)
    length.writeInt32BE(inner.length)
    expect(attempt('snappy', Buffer.concat([inner.subarray(0, 16), length, inner]))).toBeUndefined()
  })

  test.each([
    { name: 'negative', length: -1 },
    { name: 'beyond the end', length: block.length + 1 },
    { name: 'huge', length: 2 ** 31 - 1 },
  ])('refuses a block length that is $name', ({ length }) => {
    const field = Buffer.alloc(4)
    field.writeInt32BE(length)
    expect(attempt('snappy', Buffer.concat([compress('snappy', Buffer.alloc(0)), field, block]))).toBeUndefined()
  })

  test.each([
    { name: 'a copy from before the first byte', bytes: [4, 0x01, 1] },
    { name: 'a copy over no distance', bytes: [8, 0x00, 0x61, 0x01, 0] },
    { name: 'a copy without its distance', bytes: [5, 0x00, 0x61, 0x01] },
    { name: 'a copy whose distance is cut off', bytes: [2, 0x00, 0x61, 0x02, 1] },
    { name: 'a copy whose long distance is cut off', bytes: [2, 0x00, 0x61, 0x03, 1, 0, 0] },
    { name: 'a literal that is cut off', bytes: [4, 0x0c, 0x61] },
    { name: 'a long literal whose length is cut off', bytes: [100, 0xf4, 1] },
    { name: 'more than it announces', bytes: [1, 0x04, 0x61, 0x62] },
    { name: 'less than it announces', bytes: [3, 0x04, 0x61, 0x62] },
    { name: 'a length that does not end', bytes: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] },
  ])('refuses $name', ({ bytes }) => {
    expect(attempt('snappy', Buffer.from(bytes))).toBeUndefined()
    expect(() => decompress('snappy', Buffer.from(bytes))).toThrow(/they are malformed/)
  })

  // Blocks made of sound and unsound elements, so that most of them come close to being sound.
  test('never lets the library trap', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    const literal = fc
      .uint8Array({ minLength: 1, maxLength: 70 })
      .map((text) => (text.length <= 60 ? [(text.length - 1) << 2, ...text] : [0xf0, text.length - 1, ...text]))
    const copy = fc
      .tuple(fc.constantFrom(1, 2, 3), fc.nat({ max: 63 }), fc.nat({ max: 20 }))
      .map(([kind, length, distance]) => [
        ((length << 2) & (kind === 1 ? 0x1c : 0xfc)) | kind,
        distance,
        ...Array<number>([0, 0, 1, 3][kind]!).fill(0),
      ])
    const element = fc.oneof(
      { weight: 5, arbitrary: literal },
      { weight: 5, arbitrary: copy },
      { weight: 1, arbitrary: bytes(3).map((three) => [...three]) },
    )
    fc.assert(
      fc.property(
        fc.nat({ max: 127 }),
        fc.array(element, { maxLength: 5 }),
        (length, elements) => void attempt('snappy', Buffer.from([length, ...elements.flat()])),
      ),
      { numRuns: 20_000 },
    )
    expect(decompress('snappy', block).toString()).toBe('bare block bare block bare block')
  })

  test.each([
    { name: 'one-byte distance', bytes: [12, 0x04, 0x61, 0x62, 0x19, 2], text: 'abababababab' },
    { name: 'two-byte distance', bytes: [12, 0x04, 0x61, 0x62, 0x26, 2, 0], text: 'abababababab' },
    { name: 'four-byte distance', bytes: [12, 0x04, 0x61, 0x62, 0x27, 2, 0, 0, 0], text: 'abababababab' },
    { name: 'one-byte literal length', bytes: [61, 0xf0, 60, ...Array<number>(61).fill(0x61)], text: 'a'.repeat(61) },
    {
      name: 'two-byte literal length',
      bytes: [61, 0xf4, 60, 0, ...Array<number>(61).fill(0x61)],
      text: 'a'.repeat(61),
    },
    { name: 'four-byte literal length', bytes: [2, 0xfc, 1, 0, 0, 0, 0x61, 0x62], text: 'ab' },
  ])('reads a $name', ({ bytes, text }) => {
    expect(decompress('snappy', Buffer.from(bytes)).toString()).toBe(text)
  })
})

describe('lz4 frames', () => {
  const HELLO = [0x50, 0x68, 0x65, 0x6c, 0x6c, 0x6f] // a sequence of five literals

  function frame(
    blocks: readonly (readonly number[])[],
    flags = 0x60,
    blockSize = 0x40,
    rest: readonly number[] = [],
  ): Buffer {
    const sizes = blocks.map((block) => {
      const size = Buffer.alloc(4)
      size.writeUInt32LE(block.length)
      return size
    })
    const contentSize = (flags & 0x08) === 0 ? 0 : 8
    const checksum = (flags & 0x10) === 0 ? 0 : 4
    return Buffer.concat([
      Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, blockSize]),
      Buffer.alloc(contentSize + 1),
      ...blocks.flatMap((block, i) => [sizes[i]!, Buffer.from(block), Buffer.alloc(checksum)]),
      Buffer.alloc(4),
      Buffer.from(rest),
    ])
  }

  test('are written as Java reads them: version 1, independent blocks, no checksums', () => {
    expect(compress('lz4', Buffer.from('hello')).subarray(0, 6).toString('hex')).toBe('04224d186040')
  })

  test.each([
    { name: 'one block', bytes: frame([HELLO]), text: 'hello' },
    { name: 'several blocks', bytes: frame([HELLO, HELLO]), text: 'hellohello' },
    { name: 'checksums of blocks', bytes: frame([HELLO, HELLO], 0x70), text: 'hellohello' },
    { name: 'a checksum of the content', bytes: frame([HELLO], 0x64, 0x40, [1, 2, 3, 4]), text: 'hello' },
    { name: 'the size of the content', bytes: frame([HELLO], 0x68), text: 'hello' },
    { name: 'blocks of 4 MiB', bytes: frame([HELLO], 0x60, 0x70), text: 'hello' },
    { name: 'dependent blocks', bytes: frame([HELLO, [0x01, 5, 0, 0x10, 0x21]], 0x40), text: 'hellohello!' },
    { name: 'a match that overlaps itself', bytes: frame([[0x13, 0x61, 1, 0, 0x10, 0x62]]), text: 'aaaaaaaab' },
    { name: 'no block', bytes: frame([]), text: '' },
  ])('are read with $name', ({ bytes, text }) => {
    expect(decompress('lz4', bytes).toString()).toBe(text)
  })

  test.each([
    { name: 'another version', bytes: frame([HELLO], 0xa0), problem: 'version 2 of the frame format is unknown' },
    { name: 'a dictionary', bytes: frame([HELLO], 0x61), problem: 'they require a dictionary' },
    { name: 'an unknown block size', bytes: frame([HELLO], 0x60, 0x30), problem: 'block size 3 is unknown' },
    { name: 'bytes after its end', bytes: frame([HELLO], 0x60, 0x40, [0]), problem: 'the frame ends at byte 21' },
    { name: 'a match before the first byte', bytes: frame([[0x10, 0x61, 2, 0]]), problem: 'cannot be decompressed' },
    { name: 'a match over no distance', bytes: frame([[0x10, 0x61, 0, 0]]), problem: 'cannot be decompressed' },
    { name: 'a match whose distance is cut off', bytes: frame([[0x10, 0x61, 1]]), problem: 'cannot be decompressed' },
    { name: 'a literal length that does not end', bytes: frame([[0xf0, 255, 255]]), problem: 'cannot be decompressed' },
    {
      name: 'a match length that does not end',
      bytes: frame([[0x1f, 0x61, 1, 0, 255]]),
      problem: 'cannot be decompressed',
    },
    {
      name: 'a block that is larger than it may be',
      bytes: frame([[0x1f, 0x61, 1, 0, ...Array<number>(300).fill(255), 0], HELLO]),
      problem: 'cannot be decompressed',
    },
  ])('are refused with $name', ({ bytes, problem }) => {
    expect(() => decompress('lz4', bytes)).toThrow(problem)
  })

  test('keep no memory that was announced and not used', () => {
    const literals = Array<number>(20_000).fill(0x61)
    const plain = decompress('lz4', frame([[0xf0, ...Array<number>(78).fill(255), 95, ...literals]], 0x60, 0x70))
    expect(plain.equals(Buffer.from(literals))).toBe(true)
    expect(plain.buffer.byteLength).toBeLessThan(1024 * 1024) // a full block would be 4 MiB
  })
})
