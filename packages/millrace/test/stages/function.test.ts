import { describe, expect, test } from 'vitest'
import type { RecordError } from '../../src/errors/index.ts'
import { createStage } from '../../src/stages/index.ts'
import { lintStage } from '../../src/stages/lint/index.ts'
import { batchOfDocuments } from '../support/batches.ts'

type Document = { readonly [name: string]: unknown }

function run(
  name: string,
  spec: unknown,
  documents: readonly unknown[],
  failed?: (error: RecordError) => void,
): unknown[] {
  const batch = batchOfDocuments(documents)
  batch.documents = structuredClone([...documents])
  const passed = createStage(name, spec, `stages.0.${name}`).process(batch, failed && ((_, error) => failed(error)))
  return [...(passed?.documents ?? [])]
}

const set = (body: string, args: readonly unknown[] = [], lang = 'js'): object => ({
  x: { $function: { body, args, lang } },
})
const value = (body: string, args: readonly unknown[], document: Document = {}): unknown =>
  (run('$set', set(body, args), [document])[0] as Document)['x']

describe('$function', () => {
  test.each([
    { body: '(a, b) => a + b', args: ['$a', '$b'], want: 3 },
    { body: 'function(a, b) { return a * b; }', args: ['$a', { $add: ['$b', 1] }], want: 3 },
    { body: 'function f(n) {\n  // to the end\n  return n < 2 ? 1 : n * f(n - 1)\n};', args: [5], want: 120 },
    { body: 'list => list.sort().at(-1)', args: ['$list'], want: 'c' },
    { body: '() => ({ deep: [1, { two: 2 }] })', args: [], want: { deep: [1, { two: 2 }] } },
    { body: 'd => d.getUTCFullYear()', args: [{ $toDate: '2025-05-05' }], want: 2025 },
    {
      body: '() => [typeof require, typeof process, typeof setTimeout].join()',
      args: [],
      want: 'undefined,undefined,undefined',
    },
    { body: '() => null', args: [], want: null },
  ])('$body', ({ body, args, want }) => {
    expect(value(body, args, { a: 1, b: 2, list: ['b', 'c', 'a'] })).toEqual(want)
  })

  test('gives a date that is one for the stages behind', () => {
    expect(JSON.stringify(value('() => new Date(0)', []))).toBe('"1970-01-01T00:00:00Z"')
    expect(value('() => new Date(0)', [])).toBeInstanceOf(Date)
  })

  test('gives objects that stages behind can look into', () => {
    const both = [{ pipeline: [{ $set: set('() => ({ a: { b: 1 } })') }, { $match: { 'x.a.b': 1 } }] }]
    expect(run('$subPipeline', both, [{}])).toEqual([{ x: { a: { b: 1 } } }])
  })

  test('cannot change the document by what it is given', () => {
    const [document] = run('$set', set('list => list.reverse()', ['$list']), [{ list: [1, 2] }])
    expect(document).toEqual({ list: [1, 2], x: [2, 1] })
  })

  test.each([
    { stage: '$match', spec: { $expr: { $function: { body: 'n => n > 1', args: ['$n'] } } }, want: [{ n: 2 }] },
    { stage: '$project', spec: { m: { $function: { body: 'n => -n', args: ['$n'] } } }, want: [{ m: -1 }, { m: -2 }] },
    {
      stage: '$group',
      spec: { _id: { $function: { body: 'n => n % 1', args: ['$n'] } }, n: { $count: {} } },
      want: [{ _id: 0, n: 2 }],
    },
  ])('works in $stage', ({ stage, spec, want }) => {
    expect(run(stage, spec, [{ n: 1 }, { n: 2 }])).toEqual(want)
  })

  test.each([
    { body: 'x => x.missing.field', why: "TypeError: Cannot read properties of undefined (reading 'field')" },
    { body: '() => { throw new Error("not today") }', why: 'not today' },
    { body: '() => { throw "text" }', why: 'text' },
    { body: 'async () => 1', why: 'it returned a promise' },
    { body: '() => () => 1', why: 'it returned a function' },
    // It was written as {}.
    { body: '() => ({ deep: [new Map([[1, 2]])] })', why: 'it returned a Map, which JSON cannot hold' },
    { body: '() => new Function("return 1")()', why: 'Code generation from strings disallowed' },
    { body: '5', why: 'must be a function: it is number' },
  ])('$body fails the record, with its offset', ({ body, why }) => {
    const failures: RecordError[] = []
    const documents = [{ a: {} }, { a: {} }]
    expect(run('$set', set(body, ['$a']), documents, (error) => failures.push(error))).toEqual([])
    expect(failures).toMatchObject([{ code: 'STAGE_FAILED', offset: 100n }, { offset: 101n }])
    expect(failures[0]!.message).toContain(why)
  })

  test('that never ends fails its record, and the others go on', () => {
    const failures: RecordError[] = []
    const documents = [{ n: 1 }, { n: 2 }, { n: 3 }]
    const body = 'n => { while (n === 2); return n * 10 }'
    expect(run('$set', set(body, ['$n']), documents, (error) => failures.push(error))).toEqual([
      { n: 1, x: 10 },
      { n: 3, x: 30 },
    ])
    expect(failures).toMatchObject([{ code: 'STAGE_FAILED', offset: 101n }])
    expect(failures[0]!.message).toContain('$function took longer than 1.003 s')
  })

  test('that never ends in a stage of several documents fails all of them', () => {
    const failures: RecordError[] = []
    const spec = { _id: { $function: { body: 'n => { while (n === 2); return n }', args: ['$n'] } } }
    expect(run('$group', spec, [{ n: 1 }, { n: 2 }], (error) => failures.push(error))).toEqual([])
    expect(failures).toHaveLength(2)
  })

  test('that never ends leaves the groups of a stream as they were', () => {
    const spec = {
      _id: { $function: { body: 'n => { while (n === 2); return n % 1 }', args: ['$n'] } },
      n: { $count: {} },
      scope: 'stream',
    }
    expect(run('$group', spec, [{ n: 1 }, { n: 2 }, { n: 3 }], () => {})).toEqual([{ _id: 0, n: 2 }])
  })
})

// explain said that records keep their partition.
test('a stage with $function says whether it may change keys', () => {
  const { x } = set('n => n', ['$n']) as { x: unknown }
  expect(createStage('$set', { '_meta.key': x }, 'stages.0.$set').changesKeys).toBe(true)
  expect(createStage('$set', { x }, 'stages.0.$set').changesKeys).toBe(false)
})

describe('lint', () => {
  const MESSAGE = 'Cannot read the body of $function as JavaScript'
  test.each([
    { spec: { body: '(a, b) => a +' }, path: '.body', message: `${MESSAGE}: Unexpected token ')'` },
    {
      spec: { body: 'function(a) {\n  return a +;\n}' },
      path: '.body',
      message: `${MESSAGE} in line 2 of the body: Unexpected token ';'`,
    },
    {
      spec: { body: 'lambda a, b: a + b' },
      path: '.body',
      message: MESSAGE,
      suggestion: 'write it in JavaScript: (a, b) => a + b',
    },
    { spec: { args: [] }, path: '', message: 'Missing option "body"' },
    { spec: { body: 5 }, path: '.body', message: 'body must be text: found 5' },
    { spec: { body: 'a => a', args: '$a' }, path: '.args', message: 'args must be a list of expressions: found "$a"' },
    {
      spec: { body: 'a => a', lang: 'python' },
      path: '.lang',
      message: 'Cannot run "python" as $function runs JavaScript only',
    },
    {
      spec: { body: 'a => a', arg: [] },
      path: '.arg',
      message: 'Unknown option "arg" of $function',
      suggestion: 'did you mean "args"',
    },
    {
      spec: { body: 'a => a', args: [{ $nope: 1 }] },
      path: '.args.0.$nope',
      message: 'Unknown expression operator "$nope"',
    },
    { spec: 'a => a', path: '', message: '$function must be an object: found "a => a"' },
  ])('refuses $spec', ({ spec, path, message, suggestion }) => {
    const problems = lintStage('$set', { x: { $function: spec } }, 'stages.0.$set')
    expect(problems).toMatchObject([
      {
        path: `stages.0.$set.x.$function${path}`,
        message: expect.stringContaining(message) as string,
        ...(suggestion && { suggestion }),
      },
    ])
  })
})
