/** Stages that make one document of several of a batch. */
import type { ConfigProblem } from '../../errors/index.ts'
import type { JsonSchema } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue } from '../../options/values.ts'
import { isDocument, type Document } from '../field-path.ts'
import { expressionProblems, outputProblems } from '../lint/operators.ts'
import { problem, shapeOf } from '../lint/shapes.ts'
import { RUNNING_ACCUMULATORS } from '../running-accumulators.ts'
import { namesOf, SALES, type StageDefinition } from './definition.ts'

/** Names below `$group` that are options when their values are plain, and otherwise fields of the result. */
export const GROUP_OPTIONS: ReadonlySet<string> = new Set(['scope', 'maxGroups'])

/** Groups that are kept unless the file says otherwise. */
export const MAX_GROUPS = 100_000

const expression = field.any()
const groupBy = expression.doc('Expression whose value decides the bucket of a document.').example('$amount')
const output = field
  .any()
  .optional()
  .doc('Fields of each bucket, each an accumulator. By default only `count`.')
  .example({ total: { $sum: '$amount' } })

const groupOptions = {
  _id: expression
    .doc(
      'Expression by which documents are grouped; null for one group of all. Every other name is a field of the result, computed by an accumulator.',
    )
    .example('$customer'),
  scope: field
    .oneOf(['batch', 'stream'])
    .default('batch')
    .doc(
      'Whether groups cover one `batch` or the whole `stream`. With `stream`, each batch returns the groups that it changed, in their current state. The groups are lost when the process ends.',
    ),
  maxGroups: field
    .int({ min: 1 })
    .default(MAX_GROUPS)
    .doc('With `scope: stream`, the maximum number of groups. A record that would start another one fails.'),
}

const bucketOptions = {
  groupBy,
  boundaries: field
    .any()
    .doc('Lower bounds of the buckets in ascending order, and the upper bound of the last one.')
    .example([0, 100, 1000]),
  default: field
    .any()
    .optional()
    .doc('`_id` of the bucket for everything else. Without it, such a document is an error.')
    .example('other'),
  output,
}

const bucketAutoOptions = {
  groupBy,
  buckets: field.any().doc('Number of buckets, of about the same size.').example(4),
  output,
  granularity: field
    .any()
    .optional()
    .doc('Series of preferred numbers to which bounds are rounded, such as `R5` or `POWERSOF2`.'),
}

export const GROUP_STAGES = {
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
    schema: () => ({ type: ['string', 'object', 'array', 'number', 'boolean'] }),
    shape: (spec, path) =>
      spec === undefined || spec === null
        ? [problem(path, '$sortByCount must be an expression', 'write "$status"')]
        : [],
    operators: expressionProblems,
    wholeBatch: true,
    groups: true,
  },
  $count: {
    summary: 'Replaces a batch by one document with the number of its documents.',
    takes: 'Name of the field.',
    examples: [{ title: 'Size of the batch', spec: 'sales', have: SALES, want: [{ sales: 3 }] }],
    schema: () => ({ type: 'string', pattern: '^[^$.]+$' }),
    shape: (spec, path) =>
      typeof spec === 'string' && /^[^$.]+$/.test(spec)
        ? []
        : [problem(path, `$count must be the name of a field: found ${describeValue(spec)}`)],
    wholeBatch: true,
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
      {
        title: 'Sums over the whole stream, as they are after this batch',
        spec: { _id: '$shop', scope: 'stream', total: { $sum: '$amount' } },
        have: SALES,
        want: [
          { _id: 'a', total: 30 },
          { _id: 'b', total: 30 },
        ],
      },
    ],
    options: groupOptions,
    schema: groupSchema,
    shape: (spec, path) => [...shapeOf('$group', groupOptions, true)(spec, path), ...groupProblems(spec, path)],
    operators: (spec, path) => {
      const { _id, ...others } = spec as Document
      // Accumulators by the field that they fill; options are no objects.
      const fields = Object.entries(others).filter(([name, value]) => isDocument(value) || !(name in groupOptions))
      return [...expressionProblems(_id, `${path}._id`), ...outputProblems(Object.fromEntries(fields), path)]
    },
    wholeBatch: true,
    groups: true,
    made: namesOf,
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
    options: bucketOptions,
    shape: (spec, path) => [...shapeOf('$bucket', bucketOptions)(spec, path), ...boundaryProblems(spec, path)],
    operators: bucketOperators,
    wholeBatch: true,
    groups: true,
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
    options: bucketAutoOptions,
    shape: shapeOf('$bucketAuto', bucketAutoOptions),
    operators: bucketOperators,
    wholeBatch: true,
  },
} as const satisfies { readonly [name: `$${string}`]: StageDefinition }

/** `scope` and `maxGroups` may also be fields of the result, filled by an accumulator, as every other name is. */
function groupSchema(schemaOfOptions: JsonSchema): JsonSchema {
  const { propertyNames: _, properties, ...rest } = schemaOfOptions
  const options = Object.entries(properties as JsonSchema).map(([name, schema]) => [
    name,
    GROUP_OPTIONS.has(name) ? { anyOf: [schema as JsonSchema, { type: 'object' }] } : schema,
  ])
  return { ...rest, properties: Object.fromEntries(options) as JsonSchema }
}

/** Boundaries that could only fail when a record comes. */
function boundaryProblems(spec: unknown, path: string): ConfigProblem[] {
  const bounds = isDocument(spec) ? spec['boundaries'] : undefined
  if (bounds === undefined) return []
  const rises = (bound: unknown, i: number, all: unknown[]): boolean =>
    i === 0 || (typeof bound === typeof all[i - 1] && (bound as number) > (all[i - 1] as number))
  return Array.isArray(bounds) && bounds.length > 1 && bounds.every(rises)
    ? []
    : [
        problem(
          `${path}.boundaries`,
          `boundaries must be a list of at least two, in ascending order: found ${describeValue(bounds)}`,
          'for example [0, 100, 1000]',
        ),
      ]
}

const RUNNING: readonly string[] = [...RUNNING_ACCUMULATORS.keys()]

/** Of the options of `$group`, and of accumulators that cannot go on over a stream. */
function groupProblems(spec: unknown, path: string): ConfigProblem[] {
  if (!isDocument(spec)) return []
  const { scope, maxGroups } = spec
  const isOption = (value: unknown): boolean => value !== undefined && !isDocument(value)
  const problems: ConfigProblem[] = []
  if (isOption(scope) && scope !== 'batch' && scope !== 'stream')
    problems.push(problem(`${path}.scope`, `scope must be batch or stream: found ${describeValue(scope)}`))
  if (isOption(maxGroups)) {
    if (!Number.isSafeInteger(maxGroups) || (maxGroups as number) < 1)
      problems.push(
        problem(`${path}.maxGroups`, `maxGroups must be a whole number above 0: found ${describeValue(maxGroups)}`),
      )
    else if (scope !== 'stream')
      problems.push(problem(`${path}.maxGroups`, 'maxGroups has an effect only with scope: stream', 'delete it'))
  }
  if (scope !== 'stream') return problems
  const accumulators = Object.entries(spec).flatMap(([name, value]) =>
    name !== '_id' && isDocument(value) ? Object.keys(value).map((operator) => [name, operator] as const) : [],
  )
  for (const [name, operator] of accumulators)
    if (!RUNNING.includes(operator))
      problems.push(
        problem(
          `${path}.${name}.${operator}`,
          `Cannot use ${operator} with scope: stream, as it needs the values of the whole stream`,
          didYouMean(operator, RUNNING) ?? `there are ${RUNNING.join(', ')}`,
        ),
      )
  return problems
}

function bucketOperators(spec: unknown, path: string): ConfigProblem[] {
  const { groupBy: by, output: fields } = spec as Document
  return [...expressionProblems(by, `${path}.groupBy`), ...outputProblems(fields ?? {}, `${path}.output`)]
}
