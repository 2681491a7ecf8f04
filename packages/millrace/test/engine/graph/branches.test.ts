import { expect, test } from 'vitest'
import type { Transform } from '../../../src/contracts/stage.ts'
import { processed } from '../../../src/engine/graph/branches.ts'
import { Failures } from '../../../src/engine/failures/failures.ts'
import { StageTimer } from '../../../src/engine/watching/stage-timer.ts'
import { StageError } from '../../../src/errors/index.ts'
import { Counters } from '../../../src/metrics/counters.ts'
import { batchOf } from '../../support/batches.ts'

const never = new AbortController().signal

test.each(['at once', 'later'])('a stage of a graph can be looked at, when it answers %s', async (when) => {
  const timer = new StageTimer(new Counters().meter({}))
  // Keeps the first row, and fails on the second.
  const transform: Pick<Transform, 'process'> = {
    process(batch, _, failed) {
      failed?.(1, new StageError('no'))
      const passed = [batch.pick([0])!]
      return when === 'later' ? Promise.resolve(passed) : passed
    },
  }
  timer.tap.ask(false)
  await processed({ transform: transform as Transform, timer }, batchOf(['1', '2', '3']), never, new Failures())
  expect(timer.tap.ask(false)).toMatchObject([
    { before: '1', after: ['1'], error: undefined },
    { before: '2', after: [], error: 'no' },
    { before: '3', after: [], error: undefined },
  ])
})
