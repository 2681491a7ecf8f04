import { describe, expect, test } from 'vitest'
import {
  formatBytes,
  formatCount,
  parseBytes,
  parseDurationMs,
  parseInstantMs,
  suggestDuration,
  counted,
} from '../../src/options/units.ts'

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

// A time without a zone was that of the machine: nine hours early in Tokyo, and a date alone was UTC.
describe('instants', () => {
  test.each([
    ['2026-01-31', Date.UTC(2026, 0, 31)],
    ['2026-01-31T00:00', Date.UTC(2026, 0, 31)],
    ['2026-01-31T08:30:15', Date.UTC(2026, 0, 31, 8, 30, 15)],
    ['2026-01-31 08:30:15.1239z', Date.UTC(2026, 0, 31, 8, 30, 15, 123)],
    ['2026-01-31T08:30:15+09:00', Date.UTC(2026, 0, 30, 23, 30, 15)],
    ['2026-01-31T08:30:15-0530', Date.UTC(2026, 0, 31, 14, 0, 15)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
  ])('reads %s in every time zone', (text, ms) => {
    const { TZ } = process.env
    try {
      for (const zone of ['UTC', 'Asia/Tokyo', 'America/New_York']) {
        process.env['TZ'] = zone
        expect(parseInstantMs(text)).toBe(ms)
      }
    } finally {
      if (TZ === undefined) delete process.env['TZ']
      else process.env['TZ'] = TZ
    }
  })

  test.each([
    '2026-02-29',
    '2026-02-30T00:00:00Z',
    '2026-13-01',
    '2026-01-31T24:00:00',
    '2026-01-31T10:60',
    '2026-01-31T10:00:00+19:00',
    '2026-1-31',
    '31 January 2026',
    '1769817600',
    '',
  ])('refuses %j', (text) => {
    expect(parseInstantMs(text)).toBeUndefined()
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

test.each([
  [0, '0 records'],
  [1, '1 record'],
  [999, '999 records'],
  [12_345, '12,345 records'],
])('counts %i as %s', (count, text) => expect(counted(count, 'record')).toBe(text))
