import { describe, expect, test } from 'vitest'
import { compareValues, numberOf } from '../../../src/functions/rows/values.ts'

describe('numbers that may be text', () => {
  test.each([
    ['1', 1],
    [' -2.5 ', -2.5],
    ['3.', 3],
    ['.5', 0.5],
    ['1e3', 1000],
    ['1.e3', 1000],
    ['', undefined],
    ['.', undefined],
    ['1 2', undefined],
    ['0x10', undefined],
  ])('%j', (text, want) => {
    expect(numberOf(text)).toBe(want)
  })

  // 80,000 digits kept the process busy for 30 s.
  test.each([
    `${'1'.repeat(1_000_000)}x`,
    `1.${'1'.repeat(1_000_000)}x`,
    `${' '.repeat(1_000_000)}x`,
    `1${' '.repeat(1_000_000)}x`,
  ])('text of 1 MB that only begins like one is seen through at once', (text) => {
    const began = performance.now()
    expect(numberOf(text)).toBeUndefined()
    expect(compareValues(text, 1)).toBe(1)
    expect(performance.now() - began).toBeLessThan(1000)
  })
})
