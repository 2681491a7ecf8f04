import { expect, test } from 'vitest'
import { MAX_ROWS, Pace } from '../../src/resilience/pace.ts'

test('takes more rows while they are quick, up to a limit', () => {
  const pace = new Pace()
  const sizes: number[] = []
  for (let i = 0; i < 12; i++) {
    sizes.push(pace.rows)
    expect(pace.worked(pace.rows, 1)).toBe(false)
  }
  expect(sizes).toEqual([16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, MAX_ROWS, MAX_ROWS])
  expect(new Pace(10).rows).toBe(10)
})

test('begins with so few rows that slow ones do not hold up the event loop for long', () => {
  const pace = new Pace()
  expect(pace.worked(pace.rows, pace.rows * 100)).toBe(true)
  expect(pace.rows).toBe(1)
  expect(new Pace().rows * 100).toBeLessThan(3000)
})

test('asks for a turn of the event loop after 20 ms, and for as many rows as take that long', () => {
  const pace = new Pace()
  expect(pace.worked(256, 256)).toBe(true)
  expect(pace.rows).toBe(20)
  expect([pace.worked(10, 10), pace.worked(9, 9), pace.worked(1, 1)]).toEqual([false, false, true])
  expect(pace.rows).toBe(20)
  expect(pace.worked(1, 1000)).toBe(true)
  expect(pace.rows).toBe(1)
})
