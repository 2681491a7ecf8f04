import { describe, expect, test } from 'vitest'
import { compileExpressions } from '../../../src/stages/expressions/expressions.ts'

const DOCUMENT = { at: '2025-05-17T13:14:15Z', ms: Date.UTC(2025, 4, 17, 13, 14, 15), none: null, text: 'soon' }

function evaluate(expression: unknown): unknown {
  return JSON.parse(JSON.stringify(compileExpressions([expression])(DOCUMENT)[0]))
}

const OF_DATE = ['$year', '$month', '$week', '$dayOfMonth', '$dayOfWeek', '$dayOfYear', '$hour', '$minute', '$second']
const PARTS = [...OF_DATE, '$millisecond', '$isoWeek', '$isoWeekYear', '$isoDayOfWeek']

describe('operators on dates', () => {
  test.each([
    { expression: { $year: '$at' }, want: 2025 },
    { expression: { $year: ['$at'] }, want: 2025 },
    { expression: { $month: '$ms' }, want: 5 },
    { expression: { $hour: { $toDate: '$at' } }, want: 13 },
    { expression: { $hour: { date: '$at' } }, want: 13 },
    { expression: { $hour: { date: '$at', timezone: 'UTC' } }, want: 13 },
    { expression: { $hour: { date: '$at', timezone: 'America/New_York' } }, want: 9 },
    { expression: { $dayOfMonth: { date: '2025-05-17T01:00:00Z', timezone: '-05:00' } }, want: 16 },
    { expression: { $hour: '2025-05-17T13:14:15' }, want: 13 },
    { expression: { $hour: '2025-05-17 13:14:15 +0200' }, want: 11 },
    { expression: { $week: '2023-01-01' }, want: 1 },
    { expression: { $week: '2026-01-02' }, want: 0 },
    { expression: { $week: '2026-01-04' }, want: 1 },
    { expression: { $isoWeek: '2025-12-29' }, want: 1 },
    { expression: { $isoWeekYear: '2024-12-30' }, want: 2025 },
    { expression: { $isoWeekYear: '2021-01-01' }, want: 2020 },
    { expression: { $isoWeekYear: '2025-05-17' }, want: 2025 },
    { expression: { $dateDiff: { startDate: '2025-01-01', endDate: '$at', unit: 'month' } }, want: 4 },
    { expression: { $dateTrunc: { date: '$at', unit: 'hour' } }, want: '2025-05-17T13:00:00Z' },
    { expression: { $dateToString: { date: '$at', format: '%Y-%m-%d' } }, want: '2025-05-17' },
    { expression: { $dateToString: { date: '$none', onNull: 'never' } }, want: 'never' },
    { expression: { $dateToParts: { date: '2025-05-17' } }, want: expect.objectContaining({ year: 2025, day: 17 }) },
    { expression: { $dateAdd: { startDate: '$at', unit: 'day', amount: 1 } }, want: '2025-05-18T13:14:15Z' },
    { expression: { $dateAdd: { startDate: '$none', unit: 'day', amount: 1 } }, want: null },
    { expression: { $dateAdd: { startDate: '$missing', unit: 'day', amount: 1 } }, want: null },
    { expression: { $dateDiff: { startDate: '$none', endDate: '$none', unit: 'day' } }, want: null },
    { expression: { $dateTrunc: { date: '$missing', unit: 'day' } }, want: null },
  ])('$expression gives $want', ({ expression, want }) => {
    expect(evaluate(expression)).toEqual(want)
  })

  test.each(PARTS)('%s gives null where there is no date, and says what is none', (name) => {
    expect(evaluate({ [name]: '$missing' })).toBeNull()
    expect(evaluate({ [name]: { date: '$none' } })).toBeNull()
    expect(() => evaluate({ [name]: '$text' })).toThrow(`${name} needs a date such as`)
  })

  test.each([
    { expression: { $dateAdd: { startDate: '$at', unit: 'dya', amount: 1 } }, problem: 'needs a unit' },
    { expression: { $dateDiff: { startDate: '$at', endDate: '$at', unit: 'dya' } }, problem: 'needs a unit' },
    { expression: { $dateTrunc: { date: '$at', unit: 'dya' } }, problem: 'found "dya"' },
    { expression: { $dateTrunc: { date: '$text', unit: 'day' } }, problem: 'needs a date' },
    { expression: { $year: '2025-02-30' }, problem: 'found "2025-02-30"' },
  ])('$expression says "$problem"', ({ expression, problem }) => {
    expect(() => evaluate(expression)).toThrow(problem)
  })
})

test('$$CLUSTER_TIME is the time of now', () => {
  const before = Date.now()
  const [value] = compileExpressions(['$$CLUSTER_TIME'])({})
  expect((value as Date).getTime()).toBeGreaterThanOrEqual(before)
})
