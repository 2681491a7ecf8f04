import { expect, test } from 'vitest'
import { diffLines } from '../../../dashboard/src/diff.ts'
import { seconds, short } from '../../../dashboard/src/format.ts'

// The axis of a chart read "1, 1, 0", as halves were rounded.
test('values of an axis that differ read differently', () => {
  for (const step of [0.0002, 0.001, 0.25, 1, 50, 900, 9000])
    expect(new Set([0, 1, 2, 3].map((n) => seconds(n * step))).size).toBe(4)
  expect([seconds(0.0004), seconds(0.25), seconds(1.5), seconds(150), seconds(5400)]).toEqual([
    '0.4 ms',
    '250 ms',
    '1.5 s',
    '2.5 min',
    '90 min',
  ])
  expect([short(1500), short(2_000_000)]).toEqual(['1.5K', '2M'])
})

test('a diff has a line for each field, and a field that was added changes no other', () => {
  expect(diffLines('{"a":1,"b":{"c":2}}', '{"a":1,"b":{"c":3},"d":4}')).toEqual([
    { kind: 'same', text: '{' },
    { kind: 'same', text: '  "a": 1' },
    { kind: 'same', text: '  "b": {' },
    { kind: 'removed', text: '    "c": 2' },
    { kind: 'added', text: '    "c": 3' },
    { kind: 'same', text: '  }' },
    { kind: 'added', text: '  "d": 4' },
    { kind: 'same', text: '}' },
  ])
  expect(diffLines('not JSON', 'not JSON')).toEqual([{ kind: 'same', text: 'not JSON' }])
})

test('digits that a double cannot hold stay as they are', () => {
  expect(diffLines('[9007199254740993]', '[9007199254740993]')[1]).toEqual({ kind: 'same', text: '  9007199254740993' })
})
