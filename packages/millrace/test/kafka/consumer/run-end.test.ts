import { afterEach, describe, expect, test, vi } from 'vitest'
import { ClosedError } from '../../../src/errors/index.ts'
import { GroupAdmin } from '../../../src/kafka/admin/groups.ts'
import type { ConsumedPartition } from '../../../src/kafka/consumer/partitions/consumed-partition.ts'
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

describe('a bounded run waits a minute', () => {
  const never = new AbortController().signal
  const partition = (number: number, delivered: number) =>
    ({ topic: 't', partition: number, delivered, end: 100 }) as ConsumedPartition

  /** Asks four times a second, as a run does. */
  async function pass(end: RunEnd, seconds: number): Promise<boolean> {
    for (let look = 0; look < seconds * 4; look++) {
      if (await end.isOver(() => {}, never)) return true
      await vi.advanceTimersByTimeAsync(250)
    }
    return false
  }

  // The minute began with the first partition that was behind a transaction: each one after it was given up at once.
  test('for the transactions of each partition', async () => {
    vi.useFakeTimers()
    const gone: number[] = []
    const warnings: string[] = []
    // Where the log ends now cannot be found out.
    const unknown = new ClosedError('a cluster')
    let behind = [partition(0, 10)]
    const partitions = {
      areAtEnd: false,
      get behindTransactions() {
        return behind
      },
      giveUp: (consumed: ConsumedPartition) => {
        gone.push(consumed.partition)
        behind = behind.filter((each) => each !== consumed)
      },
    } as unknown as ConsumedPartitions
    const options = {
      cluster: { apiTimeoutMs: 60_000, topic: () => Promise.reject(unknown) },
      topics: [],
      member: undefined,
      warn: (text: string) => warnings.push(text.slice(0, 30)),
    }
    const end = new RunEnd(partitions, options as unknown as RunEndOptions)
    const [first] = behind as [ConsumedPartition]
    const second = partition(1, 20)
    await pass(end, 50)
    behind = [first, second]
    await pass(end, 9)
    behind = [second]
    await pass(end, 30)
    expect(gone).toEqual([])
    // The next transaction.
    second.delivered = 40
    await pass(end, 59)
    expect(gone).toEqual([])
    await pass(end, 2)
    expect(gone).toEqual([1])
    expect(warnings.at(-1)).toBe('The run ends without them. Up ')
  })

  // What it had waited at the start counted: at the end of a run of more than a minute it did not wait for a rebalance at all, and the
  // partitions of a member that had died were not read.
  test('for the group to settle, at the start and again at the end', async () => {
    vi.useFakeTimers()
    const warnings: string[] = []
    const partitions = { areAtEnd: true, behindTransactions: [], all: [] }
    const group = { groupId: 'g', memberId: 'm', members: [], state: 'PreparingRebalance' }
    const asked = vi.spyOn(GroupAdmin.prototype, 'describeGroup').mockResolvedValue(group as never)
    const options = {
      cluster: { apiTimeoutMs: 60_000, cachedTopic: () => ({ partitions: [{ partition: 0 }] }) },
      topics: ['t'],
      member: group,
      warn: (text: string) => warnings.push(text),
    }
    const end = new RunEnd(partitions as unknown as ConsumedPartitions, options as unknown as RunEndOptions)
    expect(await pass(end, 1)).toBe(false)
    partitions.areAtEnd = false
    expect(await pass(end, 100)).toBe(false)
    partitions.areAtEnd = true
    expect(await pass(end, 59)).toBe(false)
    expect(await pass(end, 2)).toBe(true)
    expect(warnings.at(-1)).toContain('the group did not settle')
    asked.mockRestore()
  })
})
