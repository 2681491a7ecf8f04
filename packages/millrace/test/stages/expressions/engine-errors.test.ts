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
    [{ $anyElementTrue: '$name' }, '$anyElementTrue takes a list'],
    [{ $setEquals: ['$name', '$list'] }, '$setEquals takes'],
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

  test.each([
    ['$multiply expects array', '$multiply takes a list of arguments'],
    ['$concat expects array', '$concat takes a list of arguments'],
    ['arguments must resolve to array for $setUnion.', '$setUnion takes lists, and got something else'],
    ["$unwind: field 'a' must resolve to array", '$unwind takes a list in field "a", and got something else'],
    ['$derivative arguments must resolve to numeric', '$derivative takes numbers, and got something else'],
    ['$integral expects an array of numeric values', '$integral takes numbers, and got something else'],
    ["$densify 'range.step' must resolve to number.", '$densify takes a number as range.step, and got something else'],
    ["cannot convert 'x' to double/decimal", 'cannot make a number of x'],
    ['Use of undefined variable: x', 'there is no variable "x"'],
  ])('%s: %s', (message, text) => expect(explainEngineError(message)).toBe(text))

  test('anything else stays as it is', () => expect(explainEngineError('disk full')).toBe('disk full'))
})
