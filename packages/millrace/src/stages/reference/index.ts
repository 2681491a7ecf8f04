/** What each stage does, and examples of it: for `millrace info`, the reference pages and the tests that run them. */
import type { StageName } from './names.ts'
import { BATCH_STAGES } from './batch-stages.ts'
import type { StageReference } from './entry.ts'

const set: StageReference['examples'] = [
  {
    title: 'Computed fields',
    spec: { tier: 'high', 'total.gross': { $multiply: ['$amount', 1.5] } },
    have: [{ amount: 100 }],
    want: [{ amount: 100, tier: 'high', total: { gross: 150 } }],
  },
]

export const STAGE_REFERENCE: { readonly [name in StageName]: StageReference } = {
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
  },
  $set: {
    summary: 'Adds fields or changes them.',
    takes: 'An object of fields and expressions; dotted names set nested fields.',
    examples: set,
  },
  $addFields: { summary: 'The same as `$set`.', takes: 'An object of fields and expressions.', examples: set },
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
  },
  $replaceWith: {
    summary: 'Replaces each document by another one.',
    takes: 'An expression that returns an object.',
    examples: [{ title: 'The inner document', spec: '$order', have: [{ order: { id: 1 } }], want: [{ id: 1 }] }],
  },
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
  },
  $limit: {
    summary: 'Passes on a number of records over the whole run, then ends the run.',
    takes: 'A whole number above 0.',
    examples: [{ title: 'The first two', spec: 2, have: [{ a: 1 }, { a: 2 }, { a: 3 }], want: [{ a: 1 }, { a: 2 }] }],
  },
  $skip: {
    summary: 'Drops the first records of the run.',
    takes: 'A whole number.',
    examples: [{ title: 'Without the first', spec: 1, have: [{ a: 1 }, { a: 2 }], want: [{ a: 2 }] }],
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
  },
  ...BATCH_STAGES,
}
