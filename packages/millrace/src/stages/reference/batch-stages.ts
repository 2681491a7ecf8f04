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
    summary: 'Puts the documents of a batch in order.',
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
    summary: 'Makes one document of a batch: how many there were.',
    takes: 'The name of the field.',
    examples: [{ title: 'Size of the batch', spec: 'sales', have: SALES, want: [{ sales: 3 }] }],
  },
  $group: {
    summary: 'Makes one document of each group of documents of a batch.',
    takes: 'An object: `_id` says what belongs together, every other name is a field filled by an accumulator.',
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
    summary: 'Groups the documents of a batch into so many ranges of about the same size.',
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
    summary: 'Runs several lists of stages over a batch, and makes one document of their results.',
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
    summary: 'Adds what a collection says about a document.',
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
      'A list of `{pipeline: [...]}`, `{parallel: [...], merge: concat|zip|facet}` and, in linear files, names of `pipelines` such as `clean@1.2.0`; `onError: skip` goes on without one that fails, `input` is the document with which it begins, `globals` are its own.',
    examples: [
      {
        title: 'A part by itself',
        spec: [{ pipeline: [{ $match: { amount: { $gt: 25 } } }, { $set: { high: true } }] }],
        have: SALES,
        want: [{ shop: 'b', amount: 30, high: true }],
      },
    ],
  },
  $toEvent: {
    summary: 'Makes an event of a record, as topics of the hub hold them.',
    takes: 'An object of options, all of which may be left out.',
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
    summary: 'Takes the record out of an event of the hub.',
    takes: 'An object of options, all of which may be left out.',
    examples: [{ title: 'Keyed by a field of the data', spec: { keyField: 'order_id' }, have: [], want: [] }],
  },
} as const satisfies { readonly [name in StageName]?: StageReference }
