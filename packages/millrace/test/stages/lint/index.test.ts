import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/errors/index.ts'
import { createStage } from '../../../src/stages/index.ts'
import { lintStage, lintStages } from '../../../src/stages/lint/index.ts'
import { mentionsMeta } from '../../../src/stages/meta.ts'
import { STAGE_NAMES } from '../../../src/stages/definitions/index.ts'

describe('shape of a stage', () => {
  test.each([
    { name: '$match', spec: { a: 1 } },
    { name: '$match', spec: [], problem: 'must be an object of conditions' },
    { name: '$match', spec: 'amount > 5', problem: 'must be an object of conditions' },
    { name: '$mtach', spec: {}, problem: 'Unknown stage "$mtach"', suggestion: 'did you mean "$match"' },
    { name: '$out', spec: 'x', problem: 'is not available' },
    { name: 'toString', spec: {}, problem: 'Unknown stage "toString"' },
    { name: '$set', spec: { a: 1, 'b.c': 2 } },
    { name: '$set', spec: {}, problem: 'at least one field' },
    { name: '$set', spec: 5, problem: 'must be an object' },
    { name: '$set', spec: { $a: 1 }, problem: 'begins with "$"', at: '.$a', suggestion: 'write "a"' },
    { name: '$set', spec: { 'a.__proto__.b': 1 }, problem: '__proto__' },
    { name: '$set', spec: { 'a..b': 1 }, problem: 'empty parts' },
    { name: '$set', spec: { a: 1, 'a.b': 2 }, problem: 'is within "a"' },
    { name: '$unset', spec: 'a' },
    { name: '$unset', spec: ['a', 'b.c'] },
    { name: '$unset', spec: [], problem: 'at least one field' },
    { name: '$unset', spec: ['a', 5], problem: 'field name', at: '.1' },
    { name: '$unset', spec: '$a', problem: 'begins with "$"', suggestion: 'write "a"' },
    { name: '$project', spec: { a: 1 } },
    { name: '$project', spec: {}, problem: 'at least one field' },
    { name: '$replaceRoot', spec: { newRoot: '$a' } },
    { name: '$replaceRoot', spec: '$a', problem: 'with newRoot' },
    {
      name: '$replaceRoot',
      spec: { newRoot: '$a', newRot: 1 },
      problem: 'Unknown option "newRot"',
      suggestion: 'did you mean "newRoot"',
    },
    { name: '$replaceWith', spec: '$a' },
    { name: '$replaceWith', spec: 'a', problem: 'returns an object' },
    { name: '$unwind', spec: '$a.b' },
    { name: '$unwind', spec: 'a', problem: 'begins with "$"', suggestion: 'write "$a"' },
    { name: '$unwind', spec: { path: '$a', includeArrayIndex: 'i', preserveNullAndEmptyArrays: true } },
    {
      name: '$unwind',
      spec: { path: '$a', preserveNullAndEmpty: true },
      problem: 'Unknown option "preserveNullAndEmpty"',
    },
    { name: '$unwind', spec: { path: '$a', preserveNullAndEmptyArrays: 'yes' }, problem: 'true or false' },
    { name: '$unwind', spec: {}, problem: 'field path' },
    { name: '$limit', spec: 5 },
    { name: '$limit', spec: 0, problem: 'above 0' },
    { name: '$limit', spec: '5', problem: 'whole number' },
    { name: '$limit', spec: 1.5, problem: 'whole number' },
    { name: '$skip', spec: 0 },
    { name: '$skip', spec: -1, problem: 'at least 0' },
  ])('$name $spec gives $problem', ({ name, spec, problem, suggestion, at = '' }) => {
    const problems = lintStage(name, spec, 'stages.3')
    expect(problems.map(({ message }) => message)).toEqual(
      problem === undefined ? [] : [expect.stringContaining(problem)],
    )
    if (suggestion !== undefined) expect(problems[0]!.suggestion).toContain(suggestion)
    if (at !== '') expect(problems[0]!.path).toContain(`stages.3${at}`)
  })

  test('every stage that can be named can be checked and made', () => {
    const specs: { [name: string]: unknown } = {
      $limit: 1,
      $skip: 1,
      $unset: 'a',
      $unwind: '$a',
      $replaceRoot: { newRoot: '$a' },
      $replaceWith: '$a',
      $count: 'n',
      $group: { _id: '$a' },
      $bucket: { groupBy: '$a', boundaries: [0, 1] },
      $bucketAuto: { groupBy: '$a', buckets: 2 },
      $facet: { a: [] },
      $fill: { output: { a: { value: 1 } } },
      $densify: { field: 'a', range: { step: 1, bounds: 'full' } },
      $setWindowFields: { output: { b: { $sum: '$a' } } },
      $lookup: { from: [], localField: 'a', foreignField: 'a', as: 'b' },
      $sampleRate: 0.5,
      $subPipeline: [{ pipeline: [] }],
      $toEvent: {},
      $fromEvent: {},
    }
    for (const name of STAGE_NAMES) expect(createStage(name, specs[name] ?? { a: 1 }, 's').name).toBe(name)
  })
})

describe('list of stages', () => {
  test.each([
    { stages: [], problems: [] },
    { stages: [{ $match: {} }, { $limit: 1 }], problems: [] },
    { stages: {}, problems: ['stages'] },
    {
      stages: [5, { $match: {}, $limit: 1 }, {}, { $nope: 1 }],
      problems: ['stages.0', 'stages.1', 'stages.2', 'stages.3.$nope'],
    },
  ])('$stages has problems at $problems', ({ stages, problems }) => {
    expect(lintStages(stages).map(({ path }) => path)).toEqual(problems)
  })

  test('reports all problems at once', () => {
    expect(lintStages([{ $limit: 0 }, { $skip: -1 }, { $set: { $a: 1, 'b.': 2 } }])).toHaveLength(4)
  })
})

describe('a stage that lint refuses', () => {
  test('is not made', () => {
    expect(() => createStage('$project', { a: 1, b: 0 }, 's')).toThrow(ConfigError)
  })

  test('an unknown operator is named with what was probably meant', () => {
    expect(() => createStage('$set', { a: { $multply: [1, 2] } }, 's')).toThrow(
      expect.objectContaining({
        problems: [
          {
            path: 's.a.$multply',
            message: 'Unknown expression operator "$multply"',
            suggestion: 'did you mean "$multiply"',
          },
        ],
      }),
    )
  })
})

test('lint does not load the query engine', () => {
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    const source = readFileSync(file, 'utf8')
    for (const [, specifier] of source.matchAll(/^(?:import|export) (?!type).*?from '([^']+)'/gms)) {
      expect(specifier, file).not.toMatch(/^mingo/)
      if (specifier!.startsWith('.')) visit(new URL(specifier!, `file://${file}`).pathname)
    }
  }
  visit(new URL('../../../src/stages/lint/index.ts', import.meta.url).pathname)
  expect(seen.size).toBeGreaterThan(2)
})

describe('mention of _meta', () => {
  test.each([
    { stages: [{ name: '$match', spec: { '_meta.topic': 'a' } }], mentioned: true },
    {
      stages: [
        { name: '$match', spec: { a: 1 } },
        { name: '$set', spec: { x: { $concat: ['$_meta.key', '-'] } } },
      ],
      mentioned: true,
    },
    { stages: [{ name: '$set', spec: { x: '$$ROOT._meta.offset' } }], mentioned: true },
    { stages: [{ name: '$project', spec: { _meta: 1 } }], mentioned: true },
    { stages: [{ name: '$unset', spec: '_meta' }], mentioned: false },
    { stages: [{ name: '$set', spec: { my_meta: 1, text: 'the _meta field' } }], mentioned: false },
    { stages: [], mentioned: false },
  ])('$stages', ({ stages, mentioned }) => {
    expect(mentionsMeta(stages)).toBe(mentioned)
  })
})
