import { describe, expect, test } from 'vitest'
import { targetOf } from '../../src/cli/offsets.ts'

describe('where offsets are reset to', () => {
  test.each([
    ['earliest', 'earliest'],
    ['latest', 'latest'],
    ['42', { offset: 42 }],
    ['+10', { shiftBy: 10 }],
    ['-10', { shiftBy: -10 }],
    ['2026-01-31T00:00:00Z', { timestampMs: Date.UTC(2026, 0, 31) }],
    ['2026-01-31', { timestampMs: Date.UTC(2026, 0, 31) }],
  ])('%s', (text, target) => expect(targetOf(text)).toEqual(target))

  test.each(['run', 'tomorrow', '1.5', '--5', ''])('is not "%s"', (text) =>
    expect(() => targetOf(text)).toThrow(`Cannot reset offsets to "${text}" as it must be earliest, latest, a time`),
  )
})
