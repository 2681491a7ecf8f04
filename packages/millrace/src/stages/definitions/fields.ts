/** Stages that look at one document at a time: conditions, fields, other documents in its place. */
import type { JsonSchema } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { isDocument } from '../field-path.ts'
import { conditionProblems, expressionProblems, projectionProblems } from '../lint/operators.ts'
import { currentProblem, fieldPath, fieldPaths, fieldsShape, problem, unknownOptions } from '../lint/shapes.ts'
import { namesOf, type StageDefinition } from './definition.ts'

const FIELDS: JsonSchema = { type: 'object', minProperties: 1 }
const FIELD_PATH: JsonSchema = { type: 'string', pattern: '^[^$]' }

const replaceRootOptions = {
  newRoot: field.any().doc('Expression that returns the new document.').example('$order'),
}

const $set: StageDefinition = {
  summary: 'Adds fields or changes them.',
  takes: 'An object of fields and expressions; dotted names set nested fields.',
  examples: [
    {
      title: 'Computed fields',
      spec: { tier: 'high', 'total.gross': { $multiply: ['$amount', 1.5] } },
      have: [{ amount: 100 }],
      want: [{ amount: 100, tier: 'high', total: { gross: 150 } }],
    },
  ],
  schema: () => FIELDS,
  shape: fieldsShape,
  operators: expressionProblems,
  made: namesOf,
}

export const FIELD_STAGES = {
  $match: {
    summary: 'Keeps the documents that match a query.',
    takes: 'An object of conditions in the query language of MongoDB; `$expr` compares fields with each other.',
    examples: [
      {
        title: 'Paid orders of high value',
        spec: { amount: { $gte: 100 }, status: { $in: ['paid', 'shipped'] } },
        have: [
          { amount: 250, status: 'paid' },
          { amount: 99, status: 'paid' },
          { amount: 100, status: 'open' },
        ],
        want: [{ amount: 250, status: 'paid' }],
      },
    ],
    schema: () => ({ type: 'object' }),
    shape: (spec, path) =>
      isDocument(spec)
        ? []
        : [
            currentProblem(
              path,
              '$match must be an object of conditions',
              spec,
              'write {field: value} or {field: {$gte: value}}',
            ),
          ],
    operators: conditionProblems,
  },
  $set,
  $addFields: { ...$set, summary: 'The same as `$set`.', takes: 'An object of fields and expressions.' },
  $unset: {
    summary: 'Removes fields.',
    takes: 'A field, or a list of fields; dots descend into objects.',
    examples: [
      {
        title: 'Without personal data',
        spec: ['email', 'customer.phone'],
        have: [{ id: 1, email: 'a@example.com', customer: { name: 'Ann', phone: '555' } }],
        want: [{ id: 1, customer: { name: 'Ann' } }],
      },
    ],
    schema: () => ({ anyOf: [FIELD_PATH, { type: 'array', minItems: 1, items: FIELD_PATH }] }),
    shape: (spec, path) => {
      const names: unknown[] = Array.isArray(spec) ? spec : [spec]
      if (names.length === 0) return [currentProblem(path, '$unset must name at least one field', spec)]
      return names.flatMap((name, i) => {
        const place = Array.isArray(spec) ? `${path}.${i}` : path
        if (typeof name !== 'string')
          return [currentProblem(place, '$unset must be a field name or a list of field names', name)]
        return fieldPath(name, place)
      })
    },
  },
  $project: {
    summary: 'Includes or excludes fields, and computes others.',
    takes: 'An object of fields: 1 includes a field, 0 excludes it, and anything else is an expression.',
    examples: [
      {
        title: 'Two fields and a computed one',
        spec: { id: 1, net: { $subtract: ['$amount', '$tax'] } },
        have: [{ id: 1, amount: 119, tax: 19, note: 'x' }],
        want: [{ id: 1, net: 100 }],
      },
    ],
    schema: () => FIELDS,
    shape: (spec, path) => {
      if (!isDocument(spec)) return [currentProblem(path, '$project must be an object of fields', spec)]
      return Object.keys(spec).length === 0
        ? [currentProblem(path, '$project must name at least one field', spec)]
        : fieldPaths(spec, path)
    },
    operators: projectionProblems,
    made: namesOf,
  },
  $replaceRoot: {
    summary: 'Replaces each document by another one.',
    takes: 'An object with `newRoot`.',
    examples: [
      {
        title: 'The inner document',
        spec: { newRoot: { $mergeObjects: ['$order', { via: 'web' }] } },
        have: [{ order: { id: 1 }, at: 5 }],
        want: [{ id: 1, via: 'web' }],
      },
    ],
    options: replaceRootOptions,
    shape: (spec, path) => {
      if (!isDocument(spec) || !('newRoot' in spec))
        return [currentProblem(path, '$replaceRoot must be an object with newRoot', spec, 'write {newRoot: "$field"}')]
      return unknownOptions(spec, Object.keys(replaceRootOptions), path)
    },
    operators: expressionProblems,
    made: (spec) => (isDocument(spec) ? namesOf(spec['newRoot']) : []),
  },
  $replaceWith: {
    summary: 'Replaces each document by another one.',
    takes: 'An expression that returns an object.',
    examples: [{ title: 'The inner document', spec: '$order', have: [{ order: { id: 1 } }], want: [{ id: 1 }] }],
    schema: () => ({ anyOf: [{ type: 'object' }, { type: 'string', pattern: '^\\$' }] }),
    shape: (spec, path) =>
      isDocument(spec) || (typeof spec === 'string' && spec.startsWith('$'))
        ? []
        : [
            currentProblem(
              path,
              '$replaceWith must be an expression that returns an object',
              spec,
              'write "$field" or {field: expression}',
            ),
          ],
    operators: expressionProblems,
    made: namesOf,
  },
  $redact: {
    summary: 'Keeps or removes documents, or parts of them, depending on their content.',
    takes: 'An expression that returns `$$KEEP`, `$$PRUNE` or `$$DESCEND`.',
    examples: [
      {
        title: 'Only what is public',
        spec: { $cond: [{ $eq: ['$level', 'public'] }, '$$DESCEND', '$$PRUNE'] },
        have: [{ level: 'public', id: 1, note: { level: 'secret', text: 'x' } }],
        want: [{ level: 'public', id: 1 }],
      },
    ],
    schema: () => ({ anyOf: [{ type: 'object' }, { type: 'string' }] }),
    shape: (spec, path) =>
      isDocument(spec) || typeof spec === 'string'
        ? []
        : [problem(path, '$redact must be an expression that returns $$KEEP, $$PRUNE or $$DESCEND')],
    operators: expressionProblems,
    keepsDocuments: true,
  },
} as const satisfies { readonly [name: `$${string}`]: StageDefinition }
