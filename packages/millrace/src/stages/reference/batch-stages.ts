/** What the stages do that see several documents at once, hold stages themselves, or speak with the hub of connectors. */
import type { StageName } from './names.ts'
import type { StageReference } from './entry.ts'

const SALES = [
  { shop: 'a', amount: 10 },
  { shop: 'b', amount: 30 },
  { shop: 'a', amount: 20 },
]

export const BATCH_STAGES = {
  $sort: {
    summary: 'Sorts the documents of a batch.',
    takes: 'An object of fields with 1 (ascending) or -1 (descending).',
    examples: [{ title: 'Highest first', spec: { amount: -1 }, have: SALES, want: [SALES[1], SALES[2], SALES[0]] }],
  },
  $sortByCount: {
    summary: 'Counts the documents of a batch by a value, the most frequent first.',
    takes: 'An expression.',
    examples: [
      {
        title: 'Documents by shop',
        spec: '$shop',
        have: SALES,
        want: [
          { _id: 'a', count: 2 },
          { _id: 'b', count: 1 },
        ],
      },
    ],
  },
  $count: {
    summary: 'Replaces a batch by one document with the number of its documents.',
    takes: 'Name of the field.',
    examples: [{ title: 'Size of the batch', spec: 'sales', have: SALES, want: [{ sales: 3 }] }],
  },
  $group: {
    summary: 'Groups the documents of a batch, and returns one document per group.',
    takes:
      'An object: `_id` is the expression to group by, and every other name is a field computed by an accumulator.',
    examples: [
      {
        title: 'Sum by shop',
        spec: { _id: '$shop', total: { $sum: '$amount' } },
        have: SALES,
        want: [
          { _id: 'a', total: 30 },
          { _id: 'b', total: 30 },
        ],
      },
    ],
  },
  $bucket: {
    summary: 'Groups the documents of a batch by ranges of a value.',
    takes: 'An object of options.',
    examples: [
      {
        title: 'Small and large',
        spec: { groupBy: '$amount', boundaries: [0, 20, 1000], output: { n: { $sum: 1 } } },
        have: SALES,
        want: [
          { _id: 0, n: 1 },
          { _id: 20, n: 2 },
        ],
      },
    ],
  },
  $bucketAuto: {
    summary: 'Groups the documents of a batch into a given number of ranges of about the same size.',
    takes: 'An object of options.',
    examples: [
      {
        title: 'One range',
        spec: { groupBy: '$amount', buckets: 1 },
        have: SALES,
        want: [{ _id: { min: 10, max: 30 }, count: 3 }],
      },
    ],
  },
  $facet: {
    summary: 'Runs several lists of stages over a batch, and collects their results in one document.',
    takes: 'An object of lists of stages.',
    examples: [
      {
        title: 'Two views of the same documents',
        spec: { all: [{ $count: 'n' }], high: [{ $match: { amount: { $gt: 15 } } }, { $count: 'n' }] },
        have: SALES,
        want: [{ all: [{ n: 3 }], high: [{ n: 2 }] }],
      },
    ],
  },
  $fill: {
    summary: 'Fills fields that are missing or null.',
    takes: 'An object of options.',
    examples: [
      {
        title: 'The last price that was known',
        spec: { sortBy: { at: 1 }, output: { price: { method: 'locf' } } },
        have: [{ at: 1, price: 5 }, { at: 2 }],
        want: [
          { at: 1, price: 5 },
          { at: 2, price: 5 },
        ],
      },
    ],
  },
  $densify: {
    summary: 'Adds documents where a sequence of numbers or dates has gaps.',
    takes: 'An object of options.',
    examples: [
      {
        title: 'Every step',
        spec: { field: 'at', range: { step: 1, bounds: 'full' } },
        have: [{ at: 1 }, { at: 3 }],
        want: [{ at: 1 }, { at: 2 }, { at: 3 }],
      },
    ],
  },
  $setWindowFields: {
    summary: 'Computes over windows of the documents of a batch: running sums, ranks, moving averages.',
    takes: 'An object of options.',
    examples: [
      {
        title: 'Running sum',
        spec: { sortBy: { at: 1 }, output: { total: { $sum: '$amount' } } },
        have: [
          { at: 1, amount: 5 },
          { at: 2, amount: 7 },
        ],
        want: [
          { at: 1, amount: 5, total: 5 },
          { at: 2, amount: 7, total: 12 },
        ],
      },
    ],
  },
  $lookup: {
    summary: 'Adds matching documents of a collection to each document.',
    takes: 'An object of options.',
    examples: [
      {
        title: 'The shop of a sale',
        spec: { from: [{ id: 'a', city: 'Rome' }], localField: 'shop', foreignField: 'id', as: 'found' },
        have: [{ shop: 'a' }, { shop: 'x' }],
        want: [
          { shop: 'a', found: [{ id: 'a', city: 'Rome' }] },
          { shop: 'x', found: [] },
        ],
      },
    ],
  },
  $subPipeline: {
    summary: 'Runs stages over a batch, one after the other or side by side.',
    takes:
      'A list of `{pipeline: [...]}`, `{parallel: [...], merge: concat|zip|facet}` and, in linear files, names of `pipelines` such as `clean@1.2.0`. `onError: skip` continues without an entry that fails, `input` is the document it starts with, and `globals` are its own.',
    examples: [
      {
        title: 'One part on its own',
        spec: [{ pipeline: [{ $match: { amount: { $gt: 25 } } }, { $set: { high: true } }] }],
        have: SALES,
        want: [{ shop: 'b', amount: 30, high: true }],
      },
    ],
  },
  $toEvent: {
    summary: 'Wraps a record in an event, the format of topics of the hub.',
    takes: 'An object of options, all of them optional.',
    examples: [
      {
        title: 'An event of the stream "orders"',
        spec: { stream: 'orders', includePosition: false },
        have: [],
        want: [],
      },
    ],
  },
  $fromEvent: {
    summary: 'Unwraps the record from an event of the hub.',
    takes: 'An object of options, all of them optional.',
    examples: [{ title: 'Keyed by a field of the data', spec: { keyField: 'order_id' }, have: [], want: [] }],
  },
} as const satisfies { readonly [name in StageName]?: StageReference }
