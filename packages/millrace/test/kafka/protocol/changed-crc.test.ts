import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changedCrc32c, portable } from '../../../src/kafka/protocol/crc32c.ts'
import { identifyBatch } from '../../../src/kafka/protocol/record-batch-builder.ts'
import { ATTRIBUTES, CRC, HEADER_BYTES } from '../../../src/kafka/protocol/record-batch.ts'

const CRC_START = ATTRIBUTES

/** Sizes around 4096, where the checksum is changed in place of being made again, and beyond. */
const size = fc.oneof(
  fc.integer({ min: HEADER_BYTES, max: HEADER_BYTES + 70 }),
  fc.integer({ min: 4090, max: 4102 }),
  fc.integer({ min: 4096, max: 70_000 }),
  fc.constantFrom(65_535, 65_536, 65_537, 131_072, 1_048_576),
)
const identity = fc.record({
  producerId: fc.oneof(fc.constantFrom(-1, 0, 2 ** 53 - 1), fc.nat()),
  producerEpoch: fc.integer({ min: -1, max: 32_767 }),
  baseSequence: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  transactional: fc.boolean(),
})

/** Bytes of any content at any place of their memory, with a header of any codec, attributes and fields, and their checksum. */
function batchOf(length: number, seed: number, place: number): { bytes: Buffer; end: number } {
  const bytes = Buffer.alloc(place + length + (seed & 7)).subarray(place)
  let state = seed | 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    bytes[i] = state >>> 24
  }
  bytes.writeUInt32BE(portable(bytes.subarray(CRC_START, length)), CRC)
  return { bytes, end: length }
}

describe('the checksum of a forwarded record batch', () => {
  test('is that of what is sent, whatever its header had, and again with each attempt', () => {
    fc.assert(
      fc.property(
        size,
        fc.integer(),
        fc.nat(64),
        fc.array(identity, { minLength: 1, maxLength: 4 }),
        (length, seed, place, identities) => {
          const { bytes, end } = batchOf(length, seed, place)
          const records = Buffer.from(bytes.subarray(HEADER_BYTES, end))
          for (const one of identities) {
            identifyBatch(bytes, end, one, true)
            expect(bytes.readUInt32BE(CRC)).toBe(portable(bytes.subarray(CRC_START, end)))
          }
          expect(bytes.subarray(HEADER_BYTES, end).equals(records)).toBe(true)
          expect(bytes[ATTRIBUTES + 1]! & ~0x17).toBe(0)
        },
      ),
      { numRuns: 400 },
    )
  })

  test('is as wrong after as before: damage is not hidden', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4096, max: 20_000 }), fc.integer(), fc.nat(), identity, (length, seed, at, one) => {
        const { bytes, end } = batchOf(length, seed, 0)
        bytes[HEADER_BYTES + (at % (length - HEADER_BYTES))]! ^= 1 << (at & 7)
        identifyBatch(bytes, end, one, true)
        expect(bytes.readUInt32BE(CRC)).not.toBe(portable(bytes.subarray(CRC_START, end)))
      }),
      { numRuns: 200 },
    )
  })

  test('can be changed for any beginning and any number of bytes behind it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 80 }),
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer(),
        (before, rest, seed) => {
          const after = before.map((byte, i) => byte ^ (seed >>> (i % 25)))
          const whole = portable(Buffer.concat([before, rest]))
          expect(changedCrc32c(whole, portable(before), portable(after), rest.length)).toBe(
            portable(Buffer.concat([after, rest])),
          )
        },
      ),
      { numRuns: 500 },
    )
  })
})
