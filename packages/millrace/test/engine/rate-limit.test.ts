import { describe, expect, test } from 'vitest'
import { Batch } from '../../src/records/batch.ts'
import { limited } from '../../src/engine/rate-limit.ts'
import { batchOf, ORIGIN } from '../support/batches.ts'

const NEVER = new AbortController().signal

/** Batches of so many records each, and which of them have been acknowledged. */
function batchesOf(...sizes: readonly number[]): { batches: AsyncIterable<Batch>; acknowledged: number[] } {
  const acknowledged: number[] = []
  let first = 0
  const list = sizes.map((size, i) => {
    const made = batchOf(
      Array.from({ length: size }, (_, n) => `{"n":${first + n}}`),
      first,
    )
    first += size
    const { records } = made
    return new Batch(
      ORIGIN,
      {
        byteLength: made.byteLength,
        count: size,
        firstOffset: 0,
        lastOffset: size - 1,
        locate: () => records,
        raw: undefined,
      },
      { ack: () => acknowledged.push(i) },
    )
  })
  async function* all(): AsyncGenerator<Batch> {
    yield* list
  }
  return { batches: all(), acknowledged }
}

describe('a limited source', () => {
  test('gives every record, in order, and none before its time', async () => {
    const { batches, acknowledged } = batchesOf(30, 70, 5)
    const started = performance.now()
    const seen: number[] = []
    for await (const batch of limited(batches, { recordsPerSecond: 400, burst: 25, maxInFlight: undefined }, NEVER)) {
      for (let row = 0; row < batch.length; row++) seen.push(Number(batch.offset(row)))
      // The first ones come at once, the others at the rate.
      expect(seen.length).toBeLessThanOrEqual(25 + ((performance.now() - started) * 400) / 1000 + 1)
      batch.ack()
    }
    expect(seen).toEqual(Array.from({ length: 105 }, (_, i) => i))
    expect(performance.now() - started).toBeGreaterThan(190)
    expect(acknowledged).toEqual([0, 1, 2])
  })

  test('acknowledges a batch when all of its pieces are', async () => {
    const { batches, acknowledged } = batchesOf(4, 4)
    const pieces: Batch[] = []
    for await (const batch of limited(batches, { recordsPerSecond: 10_000, burst: 2, maxInFlight: undefined }, NEVER))
      pieces.push(batch)
    expect(pieces.length).toBeGreaterThan(2)
    const last = pieces.pop()!
    for (const piece of pieces) {
      piece.ack()
      piece.ack()
    }
    expect(acknowledged).toEqual([0])
    last.ack()
    expect(acknowledged).toEqual([0, 1])
  })

  test('lets no more than the limit be in flight', async () => {
    const { batches, acknowledged } = batchesOf(10, 10)
    let inFlight = 0
    for await (const batch of limited(batches, { recordsPerSecond: undefined, burst: 10, maxInFlight: 6 }, NEVER)) {
      inFlight += batch.length
      expect(inFlight).toBeLessThanOrEqual(6)
      setTimeout(() => {
        inFlight -= batch.length
        batch.ack()
      }, 1)
    }
    await expect.poll(() => acknowledged).toEqual([0, 1])
  })

  test('ends when it is asked to, and leaves the rest unacknowledged', async () => {
    const { batches, acknowledged } = batchesOf(10)
    const stop = new AbortController()
    let records = 0
    for await (const batch of limited(
      batches,
      { recordsPerSecond: 1, burst: 1, maxInFlight: undefined },
      stop.signal,
    )) {
      records += batch.length
      batch.ack()
      stop.abort()
    }
    expect({ records, acknowledged }).toEqual({ records: 1, acknowledged: [] })
  })
})
