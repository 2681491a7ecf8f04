import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameGatherer } from '../../../src/kafka/cluster/frames.ts'

const frameOf = (body: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

describe('frame gatherer', () => {
  test('gives the same frames wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (bodies, cuts) => {
          const frames = bodies.map(frameOf)
          const stream = Buffer.concat(frames)
          const got: Buffer[] = []
          const received = Buffer.alloc(50)
          const gatherer = new FrameGatherer((frame) => got.push(frame))
          for (let position = 0, i = 0; position < stream.length; i++) {
            const size = cuts[i % cuts.length]!
            // One buffer for all pieces, as a socket has it.
            const piece = received.subarray(0, stream.copy(received, 0, position, position + size))
            expect(gatherer.push(piece)).toBe(true)
            position += size
          }
          expect(got).toEqual(bodies.map((body) => Buffer.from(body)))
        },
      ),
    )
  })

  test.each([-1, 2 ** 30 + 1])('refuses a frame of %i bytes before anything of that size is allocated', (size) => {
    const length = Buffer.alloc(8)
    length.writeInt32BE(size)
    expect(new FrameGatherer(() => {}).push(length)).toBe(false)
  })
})
