import { afterEach, expect, test, vi } from 'vitest'
import type { ConsumedPartitions } from '../../../src/kafka/consumer/partitions/consumed-partitions.ts'
import { RunEnd, type RunEndOptions } from '../../../src/kafka/consumer/run-end.ts'

afterEach(() => {
  vi.useRealTimers()
})

// Each look while nothing was there began a series of looks that never ended: after a minute of reading the run did little else.
test('looks again four times a second, however often it was asked', async () => {
  vi.useFakeTimers()
  const partitions = { areAtEnd: false, behindTransactions: [] } as unknown as ConsumedPartitions
  const options = { cluster: { apiTimeoutMs: 60_000 }, topics: [], member: undefined, warn: () => {} }
  const end = new RunEnd(partitions, options as unknown as RunEndOptions)
  const never = new AbortController().signal
  let looks = 0
  const look = (): void => {
    looks++
    void end.isOver(look, never)
  }
  for (let answer = 0; answer < 100; answer++) expect(await end.isOver(look, never)).toBe(false)
  await vi.advanceTimersByTimeAsync(1000)
  expect(looks).toBe(4)
})
