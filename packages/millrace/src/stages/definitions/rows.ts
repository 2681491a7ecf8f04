/** Stages that let some records through, or make several of one. */
import { variableSchema } from '../../options/describe.ts'
import { field } from '../../options/fields.ts'
import { describeValue } from '../../options/values.ts'
import type { ConfigProblem } from '../../errors/index.ts'
import { isDocument } from '../field-path.ts'
import { currentProblem, fieldPath, problem, unknownOptions } from '../lint/shapes.ts'
import type { StageDefinition } from './definition.ts'

const unwindOptions = {
  path: field.string().doc('Path to the array, with a leading dollar sign.').example('$items'),
  includeArrayIndex: field.string().optional().doc('Field for the position of the element.').example('position'),
  preserveNullAndEmptyArrays: field
    .boolean()
    .default(false)
    .doc('Whether to keep documents in which the field is missing, null or an empty array.'),
}

export const ROW_STAGES = {
  $unwind: {
    summary: 'Creates one document for each element of an array.',
    takes: 'The array as `"$items"`, or an object with `path`.',
    examples: [
      {
        title: 'One document for each item',
        spec: { path: '$items', includeArrayIndex: 'position' },
        have: [
          { id: 1, items: ['a', 'b'] },
          { id: 2, items: [] },
        ],
        want: [
          { id: 1, items: 'a', position: 0 },
          { id: 1, items: 'b', position: 1 },
        ],
      },
    ],
    options: unwindOptions,
    schema: (options) => ({ anyOf: [{ type: 'string', pattern: '^\\$' }, options] }),
    shape: unwindProblems,
  },
  $limit: {
    summary: 'Passes on a number of records over the whole run, then ends the run.',
    takes: 'A whole number above 0.',
    examples: [{ title: 'The first two', spec: 2, have: [{ a: 1 }, { a: 2 }, { a: 3 }], want: [{ a: 1 }, { a: 2 }] }],
    schema: () => ({ anyOf: [{ type: 'integer', minimum: 1 }, variableSchema] }),
    shape: (spec, path) =>
      isCount(spec) && spec > 0 ? [] : [currentProblem(path, '$limit must be a whole number above 0', spec)],
  },
  $skip: {
    summary: 'Drops the first records of the run.',
    takes: 'A whole number.',
    examples: [{ title: 'Without the first', spec: 1, have: [{ a: 1 }, { a: 2 }], want: [{ a: 2 }] }],
    schema: () => ({ anyOf: [{ type: 'integer', minimum: 0 }, variableSchema] }),
    shape: (spec, path) =>
      isCount(spec) ? [] : [currentProblem(path, '$skip must be a whole number of at least 0', spec)],
  },
  $sampleRate: {
    summary: 'Keeps a random share of the records.',
    takes: 'A number from 0 to 1, or `{rate, seed}` to keep the same records in every run.',
    examples: [
      {
        title: 'About half, the same in every run',
        spec: { rate: 0.5, seed: 7 },
        have: [{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }],
        want: [{ a: 1 }, { a: 2 }],
      },
    ],
    schema: () => {
      const rate = { type: 'number', minimum: 0, maximum: 1 }
      const properties = { rate, seed: { type: 'integer' } }
      const object = { type: 'object', properties, required: ['rate'], additionalProperties: false }
      return { anyOf: [{ anyOf: [rate, object] }, variableSchema] }
    },
    shape: (spec, path) => {
      if (isRate(spec)) return []
      const ok =
        isDocument(spec) && isRate(spec['rate']) && (spec['seed'] === undefined || Number.isSafeInteger(spec['seed']))
      return ok && Object.keys(spec).every((name) => name === 'rate' || name === 'seed')
        ? []
        : [problem(path, `$sampleRate must be a number from 0 to 1, or {rate, seed}: found ${describeValue(spec)}`)]
    },
  },
} as const satisfies { readonly [name: `$${string}`]: StageDefinition }

function unwindProblems(spec: unknown, path: string): ConfigProblem[] {
  if (typeof spec === 'string') return unwindPath(spec, path)
  if (!isDocument(spec))
    return [
      currentProblem(
        path,
        '$unwind must be a field path or an object with path',
        spec,
        'write "$items" or {path: "$items"}',
      ),
    ]
  const { path: array, includeArrayIndex: index, preserveNullAndEmptyArrays: preserve } = spec
  const problems = [...unknownOptions(spec, Object.keys(unwindOptions), path), ...unwindPath(array, `${path}.path`)]
  if (index !== undefined && typeof index !== 'string')
    problems.push(currentProblem(`${path}.includeArrayIndex`, 'includeArrayIndex must be a field name', index))
  if (typeof index === 'string') problems.push(...fieldPath(index, `${path}.includeArrayIndex`))
  if (preserve !== undefined && typeof preserve !== 'boolean')
    problems.push(
      currentProblem(
        `${path}.preserveNullAndEmptyArrays`,
        'preserveNullAndEmptyArrays must be true or false',
        preserve,
      ),
    )
  return problems
}

function unwindPath(array: unknown, path: string): ConfigProblem[] {
  if (typeof array === 'string' && array.startsWith('$')) return fieldPath(array.slice(1), path)
  const suggestion = typeof array === 'string' ? `write "$${array}"` : undefined
  return [currentProblem(path, 'The path of $unwind must be a field path that begins with "$"', array, suggestion)]
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isRate(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1
}
