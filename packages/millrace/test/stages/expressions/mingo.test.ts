/**
 * What the stages use of mingo beyond its documented interface, one test each. The version is pinned for their sake: before
 * another one is taken, all of them must pass.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Aggregator } from 'mingo/aggregator'
import { Context, evalExpr, OpType } from 'mingo/core'
import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import * as pipelines from 'mingo/operators/pipeline'
import * as projections from 'mingo/operators/projection'
import { compare } from 'mingo/util'
import { expect, test } from 'vitest'
import { createQuery } from '../../../src/stages/expressions/mingo.ts'
import { EXPRESSION_OPERATORS } from '../../../src/stages/expressions/operators.ts'
import { ROOT } from '../../support/documentation.ts'

const context = Context.init({
  accumulator: accumulators,
  expression: { ...expressions },
  pipeline: pipelines,
  projection: projections,
})
const options = { context, scriptEnabled: true } as never

interface Computed {
  readonly local: { root?: unknown; timestamp?: number | undefined }
}

/** The options of an evaluation, as an operator sees them. */
function capture(document: unknown = {}): Computed {
  let captured: Computed | undefined
  const capturing = Context.from(context).addExpressionOps({
    $capturedOptions: (_document: unknown, _argument: unknown, computed: unknown) => (captured = computed as Computed),
  })
  evalExpr(document, { $capturedOptions: 1 }, { context: capturing } as never)
  return captured!
}

test('the version of mingo is pinned exactly, and it is the one that is installed', () => {
  const read = (path: string): { version: string; dependencies: { mingo: string } } =>
    JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as never
  const { mingo } = read('packages/millrace/package.json').dependencies
  expect(mingo).toMatch(/^\d+\.\d+\.\d+$/)
  expect(read('node_modules/mingo/package.json').version).toBe(mingo)
})

test('operators are functions of a document, an argument that they evaluate themselves, and options', () => {
  const { $add } = expressions as unknown as { $add: (...args: unknown[]) => unknown }
  expect($add({ a: 2 }, ['$a', 1], capture({ a: 2 }))).toBe(3)
})

test('each operator that is not ours is one of the expression operators', () => {
  const engine = Object.keys(expressions)
  const own = [...EXPRESSION_OPERATORS].filter(([, { run }]) => run !== undefined).map(([name]) => name)
  expect([...EXPRESSION_OPERATORS.keys()].filter((name) => !engine.includes(name) && !own.includes(name))).toEqual([])
})

test('accumulators are functions of a list, an expression over each of its elements, and options', () => {
  const { $sum } = accumulators as unknown as { $sum: (...args: unknown[]) => unknown }
  expect($sum([1, 2, 3], null, capture())).toBe(6)
})

test('an operator sees the options as they are computed, and they hold the root and the time of an evaluation', () => {
  const captured = capture()
  const document = { a: 5 }
  captured.local.root = document
  captured.local.timestamp = 86_400_000
  expect(evalExpr(document, ['$$ROOT.a', '$a', '$$NOW'], captured as never)).toEqual([5, 5, new Date(86_400_000)])
})

test('operators of ours that are added to a context take the place of its own', () => {
  const replaced = Context.init({ expression: { ...expressions, $abs: () => 'ours' } })
  expect(evalExpr({}, { $abs: -1 }, { context: replaced } as never)).toBe('ours')
})

test('a stream is fed by next(), one document at a time, and starts again after one that fails', () => {
  const aggregator = new Aggregator([{ $project: { b: { $toUpper: '$a' }, c: { $divide: [1, '$n'] } } }], options)
  const step = { value: {} as unknown, done: false }
  const stream = aggregator.stream({ next: () => step } as never)
  const project = (document: unknown): unknown => {
    step.value = document
    return stream.next().value
  }
  expect(project({ a: 'x', n: 2 })).toEqual({ b: 'X', c: 0.5 })
  expect(() => project({ a: 'x', n: 'text' })).toThrow()
  expect(project({ a: 'y', n: 4 })).toEqual({ b: 'Y', c: 0.25 })
})

test('what $redact prunes is a hole in the result', () => {
  const aggregator = new Aggregator([{ $redact: '$$PRUNE' }], options)
  expect(aggregator.run([{ a: 1 }])).toEqual([undefined])
})

test('an aggregation changes the documents that it is given, which is why they are copies', () => {
  const document = { a: 1 }
  const [result] = new Aggregator([{ $redact: '$$KEEP' }], options).run([document])
  expect(result).toBe(document)
})

test('stages of ours are functions of a stream, a specification and options, and may call those of the engine', () => {
  const $bucket: typeof pipelines.$bucket = (documents, _spec, computed) =>
    pipelines.$sort(pipelines.$group(documents, { _id: '$a', n: { $sum: 1 } }, computed), { _id: 1 }, computed)
  const replaced = Context.init({ accumulator: accumulators, pipeline: { ...pipelines, $bucket } })
  const aggregator = new Aggregator([{ $bucket: {} }], { context: replaced })
  expect(aggregator.run([{ a: 2 }, { a: 1 }, { a: 2 }])).toEqual([
    { _id: 1, n: 1 },
    { _id: 2, n: 2 },
  ])
})

test('a context says whether $project gives an operator a meaning of its own', () => {
  expect(context.getOperator(OpType.PROJECTION, '$slice')).not.toBeNull()
  expect(context.getOperator(OpType.PROJECTION, '$abs')).toBeNull()
})

test('the order of values of all types is one function', () => {
  expect([{ a: 1 }, 'b', null, 2].toSorted(compare)).toEqual([null, 2, 'b', { a: 1 }])
})

test('two dates are equal when their constructors are, whatever their classes', () => {
  class Own extends Date {}
  const equals = (a: unknown, b: unknown): unknown => evalExpr({ a, b }, { $eq: ['$a', '$b'] }, options)
  expect(equals(new Own(5), new Date(5))).toBe(false)
  Object.defineProperty(Own.prototype, 'constructor', { value: Date })
  expect(equals(new Own(5), new Date(5))).toBe(true)
})

// null, false and the text "4" were taken for even numbers.
test('$mod of a condition is about numbers', () => {
  const isEven = createQuery({ a: { $mod: [2, 0] } })
  const values = [4, -2, [1, 4], '4', null, undefined, false, true, [], ['4'], [null], {}, 3]
  expect(values.filter((a) => isEven({ a }))).toEqual([4, -2, [1, 4]])
  expect(createQuery({ 'a.b': { $mod: [3, 1] } })({ a: [{ b: 3 }, { b: 4 }] })).toBe(true)
  expect(createQuery({ a: { $not: { $mod: [2, 0] } } })({ a: '4' })).toBe(true)
})
