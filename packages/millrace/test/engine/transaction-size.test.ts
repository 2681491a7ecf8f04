import { describe, expect, test } from 'vitest'
import { TransactionSize } from '../../src/engine/transaction-size.ts'

const TIMEOUT_MS = 10_000

/** Fills transactions that take so long for each row. @returns the rows of each, and whether it was aborted after its timeout */
function rowsPerTransaction(msPerRow: (n: number) => number, count: number): { rows: number; tooLong: boolean }[] {
  let now = 0
  const size = new TransactionSize(TIMEOUT_MS, true, () => now)
  return Array.from({ length: count }, (_, n) => {
    let rows = 0
    while (!size.isFull) {
      const slice = Math.min(100, size.rowsLeft)
      size.took(slice, slice)
      rows += slice
    }
    now += rows * msPerRow(n)
    if (rows * msPerRow(n) < TIMEOUT_MS) {
      size.commit()()
      return { rows, tooLong: false }
    }
    return { rows, tooLong: size.abort() !== undefined }
  })
}

describe('the size of a transaction whose work waits', () => {
  test('begins with a few rows, and doubles while transactions are short', () => {
    expect(rowsPerTransaction(() => 0.01, 6).map(({ rows }) => rows)).toEqual([16, 32, 64, 128, 256, 512])
  })

  test('stays so small that no transaction takes as long as its timeout', () => {
    const sizes = rowsPerTransaction(() => 40, 20)
    expect(sizes.some(({ tooLong }) => tooLong)).toBe(false)
    expect(sizes.at(-1)!.rows * 40).toBeLessThanOrEqual(TIMEOUT_MS / 2)
  })

  test('gets small enough after an abort when the work has become slower', () => {
    const sizes = rowsPerTransaction((n) => (n < 10 ? 0.1 : 500), 14)
    expect(sizes.findLastIndex(({ tooLong }) => tooLong)).toBe(10)
    expect(sizes.at(-1)!.rows).toBe(4)
  })

  test('is one row at least', () => {
    expect(rowsPerTransaction(() => 30_000, 4).at(-1)).toEqual({ rows: 1, tooLong: true })
  })
})

test('a transaction whose work does not wait is large when it has many bytes, and never full', () => {
  const size = new TransactionSize(TIMEOUT_MS, false)
  size.took(1_000_000, 63 * 1024 * 1024)
  expect([size.isFull, size.isLarge]).toEqual([false, false])
  size.took(1, 1024 * 1024)
  expect([size.isFull, size.isLarge]).toEqual([false, true])
})

test('a transaction that is being committed when it fails was open since its first rows were taken', () => {
  let now = 0
  const size = new TransactionSize(TIMEOUT_MS, false, () => now)
  size.took(1, 1)
  now += 6000
  size.commit()
  size.took(1, 1)
  now += 6000
  expect(size.abort()).toBe(12_000)
  expect(size.abort()).toBeUndefined()
})
