import fc from 'fast-check'
import { evalExpr } from 'mingo/core'
import { Context } from 'mingo/core'
import * as operators from 'mingo/operators/expression'
import { describe, expect, test } from 'vitest'
import { compileExpressions } from '../../../src/stages/expressions/expressions.ts'

const OPTIONS = { context: Context.init({ expression: operators }) } as never

const name = fc.constantFrom('a', 'b', 'c')
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `$${names.join('.')}`)
const { document, expression } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(1, 2.5, 'x', '', null, true),
    tie('document'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  document: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  expression: fc.oneof(
    { maxDepth: 3 },
    path,
    fc.constantFrom<unknown>(1, 'text', null, false, '$$ROOT', '$$REMOVE', '$$ROOT.a', '$$CURRENT.b', '$a.0', '$a.0.b'),
    fc.record({ $ifNull: fc.tuple(tie('expression'), tie('expression')) }),
    fc.record({ $cond: fc.tuple(tie('expression'), tie('expression'), tie('expression')) }),
    fc.record({ $isArray: fc.tuple(tie('expression')) }),
    fc.record({ $eq: fc.tuple(tie('expression'), tie('expression')) }),
    fc.array(tie('expression'), { maxLength: 2 }),
    fc.record({ x: tie('expression') }),
  ),
}))

describe('expressions', () => {
  test('give what the engine gives, whatever is answered without it', () => {
    fc.assert(
      fc.property(
        fc.array(expression, { minLength: 1, maxLength: 3 }),
        fc.array(document, { minLength: 1, maxLength: 3 }),
        (list, documents) => {
          const evaluate = compileExpressions(list)
          for (const candidate of documents) {
            const want = list.map((single) => evalExpr(candidate, single, OPTIONS))
            expect([...evaluate(candidate)]).toEqual(want)
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  test('variables of one document are unknown to the next', () => {
    const evaluate = compileExpressions([
      { $map: { input: '$a', as: 'x', in: { $add: ['$$x', '$n'] } } },
      { $let: { vars: { y: '$n' }, in: '$$y' } },
    ])
    expect(evaluate({ a: [1, 2], n: 10 })).toEqual([[11, 12], 10])
    expect(evaluate({ a: [3], n: 20 })).toEqual([[23], 20])
    expect(() => compileExpressions([{ $add: ['$$y', 1] }])({})).toThrow('undefined variable')
  })
})
