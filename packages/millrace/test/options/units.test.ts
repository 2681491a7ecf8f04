import { describe, expect, test } from 'vitest'
import { formatBytes, formatCount, parseBytes, parseDurationMs, suggestDuration } from '../../src/options/units.ts'

describe('durations', () => {
  test.each([
    ['PT0.5S', 500],
    ['PT10S', 10_000],
    ['PT1M30S', 90_000],
    ['P1DT2H', 93_600_000],
    ['P2W', 1_209_600_000],
    ['pt5m', 300_000],
    ['PT0.1S', 100],
    ['500', 500],
    [' PT1S ', 1000],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms)
  })

  test.each(['P', 'PT', 'P1DT', 'P1Y', 'P1M', '5s', '-5', 'PT-5S', '', 'ten', '1e3'])('refuses %j', (text) => {
    expect(parseDurationMs(text)).toBeUndefined()
  })

  test.each([
    ['5s', 'PT5S'],
    ['2 min', 'PT2M'],
    ['1.5h', 'PT1.5H'],
    ['250ms', '250'],
    ['1 day', 'P1D'],
  ])('suggests for %s', (text, iso) => {
    expect(suggestDuration(text)).toBe(iso)
    expect(parseDurationMs(iso)).toBeGreaterThan(0)
  })
})

test.each([
  ['65536', 65_536],
  ['64KiB', 65_536],
  ['64k', 65_536],
  ['1 MB', 1_000_000],
  ['1.5MiB', 1_572_864],
  ['2GiB', 2_147_483_648],
  ['64 parsecs', undefined],
  ['-1', undefined],
  ['KiB', undefined],
])('reads %s as %s bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes)
})

test('shows sizes and counts with three digits', () => {
  expect([0, 999, 1000, 1500, 12_345, 999_499, 999_600, 1e6, 2.345e9].map(formatCount)).toEqual([
    '0',
    '999',
    '1.00k',
    '1.50k',
    '12.3k',
    '999k',
    '1.00M',
    '1.00M',
    '2.35G',
  ])
  expect([12, 1_572_864].map(formatBytes)).toEqual(['12 B', '1.57 MB'])
})
