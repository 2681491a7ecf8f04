import { describe, expect, test } from 'vitest'
import { explainEngineError } from '../../../src/stages/expressions/engine-errors.ts'
import { createEvaluator } from '../../../src/stages/expressions/mingo.ts'

const DOCUMENT = { name: 'x', list: [1], n: 1 }

// "$size expression must resolve to number" is what a user read whose field was no list.
describe('what an operator says about a value that it does not take', () => {
  test.each([
    [{ $add: ['$name', 1] }, '$add takes numbers, and got something else'],
    [{ $size: '$name' }, '$size takes a list, and got something else'],
    [{ $concatArrays: ['$name', '$list'] }, '$concatArrays takes a list, and got something else'],
    [{ $slice: ['$name', 1] }, '$slice takes a list as argument 1, and got something else'],
    [{ $floor: '$name' }, '$floor takes a number, and got something else'],
    [{ $objectToArray: '$name' }, '$objectToArray takes an object, and got something else'],
    [{ $divide: ['$n', 0] }, '$divide cannot divide by zero'],
  ])('%j', (expression, text) => {
    let message = ''
    try {
      createEvaluator([expression])(DOCUMENT)
    } catch (error) {
      message = (error as Error).message
    }
    expect(explainEngineError(message)).toMatch(text)
  })

  test('anything else stays as it is', () => expect(explainEngineError('disk full')).toBe('disk full'))
})
