/**
 * What every codec keeps, written once; see `src/contracts/codec.ts`.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Codec, KeyCodec } from '../../src/contracts/codec.ts'
import { DecodeError, EncodeError } from '../../src/errors/index.ts'
import { batchOf } from '../support/batches.ts'

export interface CodecFixture {
  /** What bytes mean. Texts stand for their bytes in UTF-8. */
  readonly examples: readonly { readonly bytes: string | Buffer; readonly document: unknown }[]
  /** What is read from null, a tombstone; an example of what is written as null, where there is one. */
  readonly tombstone: unknown
  /** Bytes that are not of this format; none where all are. */
  readonly wrong: readonly (string | Buffer)[]
  /** What cannot be written in this format. */
  readonly unwritable: readonly unknown[]
  /** Whether documents are written in another form than that in which they are read. */
  readonly isOneWay?: boolean
}

export function describeCodec(codec: Codec | KeyCodec, fixture: CodecFixture): void {
  const { examples, tombstone, wrong, unwritable, isOneWay = false } = fixture

  describe(`codec ${codec.name}`, () => {
    test.each(examples)('reads $bytes', ({ bytes, document }) => {
      expect(codec.decode(Buffer.from(bytes as string))).toEqual(document)
    })

    if (!isOneWay)
      test.each(examples)('writes what it reads as $bytes', ({ bytes, document }) => {
        expect(bytesOf(codec.encode(document))).toEqual(Buffer.from(bytes as string))
      })

    test('reads null, which is a tombstone', () => {
      expect(codec.decode(null)).toEqual(tombstone)
    })

    test.each(wrong.map((bytes) => [bytes]))('refuses to read %j', (bytes) => {
      expect(() => codec.decode(Buffer.from(bytes as string))).toThrow(DecodeError)
    })

    test.each(unwritable.map((document) => [document]))('refuses to write %o', (document) => {
      expect(() => codec.encode(document)).toThrow(EncodeError)
    })

    test('reads any bytes or refuses them, and reads what it writes of them as the same again', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 40 }), (array) => {
          let document: unknown
          try {
            document = codec.decode(Buffer.from(array))
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError)
            return
          }
          if (isOneWay) return
          const written = codec.encode(document)
          expect(written === null ? document : codec.decode(bytesOf(written))).toEqual(document)
        }),
      )
    })

    test('leaves the bytes alone', () => {
      for (const { bytes } of examples) {
        const given = Buffer.from(bytes as string)
        codec.decode(given)
        expect(given).toEqual(Buffer.from(bytes as string))
      }
    })

    test('prepares nothing, or what can be waited for', async () => {
      const batch = batchOf(examples.map(({ bytes }) => bytes))
      await expect(Promise.resolve(codec.prepare?.(batch, new AbortController().signal))).resolves.toBeUndefined()
    })
  })
}

function bytesOf(payload: string | Buffer | null): Buffer {
  return Buffer.from(payload as string)
}
