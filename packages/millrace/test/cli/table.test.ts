import { expect, test } from 'vitest'
import { tableOf } from '../../src/cli/table.ts'

test('a table has numbers to the right, text to the left, and a dash for what is not known', () => {
  const rows = [
    ['orders', 0, 10_450, undefined],
    ['payments', 11, undefined, 'worker-1'],
  ]
  expect(tableOf(['topic', 'partition', 'committed', 'member'], rows)).toBe(
    [
      'topic     partition  committed  member',
      'orders            0      10450  -',
      'payments         11          -  worker-1',
      '',
    ].join('\n'),
  )
})
