import { describe, expect, test } from 'vitest'
import { InFlight } from '../../src/engine/in-flight.ts'

describe('what is on its way to the sink', () => {
  test.each([
    { name: 'leaves room below its bytes', bound: [100], sizes: [40, 40], hasRoom: true },
    { name: 'has none above its bytes', bound: [100], sizes: [60, 60], hasRoom: false },
    { name: 'takes a larger batch when it is empty', bound: [100], sizes: [], hasRoom: true },
    { name: 'leaves room below its number of batches', bound: [100, 3], sizes: [1, 1], hasRoom: true },
    { name: 'has none at its number of batches', bound: [100, 2], sizes: [1, 1], hasRoom: false },
  ] as const)('$name', async ({ bound: [bytes, batches], sizes, hasRoom }) => {
    const inFlight = new InFlight(bytes, batches)
    const done = Promise.withResolvers<void>()
    for (const size of sizes) inFlight.add(size, done.promise)
    let isFree = false
    const room = inFlight.room().then(() => (isFree = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(isFree).toBe(hasRoom)
    done.resolve()
    await room
  })
})
