/** Stages that look at the documents of a batch in an order. */
import type { ConfigProblem } from '../../errors/index.ts'
import { field } from '../../options/fields.ts'
import { describeValue } from '../../options/values.ts'
import { isDocument, type Document } from '../field-path.ts'
import { unitProblems } from '../lint/arguments.ts'
import { expressionProblems, outputProblems } from '../lint/operators.ts'
import { problem, shapeOf } from '../lint/shapes.ts'
import { SALES, type StageDefinition } from './definition.ts'

const sortBy = field.any().optional().doc('Field by which the documents are ordered, with 1 or -1.').example({ at: 1 })
const partitionBy = field
  .any()
  .optional()
  .doc('Expression to partition by: documents with the same value belong together.')
  .example('$customer')
const partitionByFields = field
  .any()
  .optional()
  .doc('Fields to partition by: documents with the same values belong together.')
  .example(['customer'])

const fillOptions = {
  output: field
    .any()
    .doc(
      'How to fill each field that is missing or null: `{method: locf}` with the last value, `{method: linear}` between its neighbours, or `{value: expression}`.',
    )
    .example({ price: { method: 'locf' } }),
  partitionBy,
  partitionByFields,
  sortBy,
}

const densifyOptions = {
  field: field.any().doc('Field with numbers or dates whose gaps are filled with new documents.').example('at'),
  range: field
    .any()
    .doc('`step`, its `unit` for dates, and `bounds`: `full`, `partition` or a list of two.')
    .example({ step: 1, unit: 'hour', bounds: 'full' }),
  partitionByFields,
}

const windowOptions = {
  output: field
    .any()
    .doc(
      'Fields to set, each with a window function. `window` sets which documents it covers; by default all documents up to the current one.',
    )
    .example({ total: { $sum: '$amount' } }),
  partitionBy,
  sortBy,
}

export const SEQUENCE_STAGES = {
  $sort: {
    summary: 'Sorts the documents of a batch.',
    takes: 'An object of fields with 1 (ascending) or -1 (descending).',
    examples: [{ title: 'Highest first', spec: { amount: -1 }, have: SALES, want: [SALES[1], SALES[2], SALES[0]] }],
    schema: () => ({ type: 'object', minProperties: 1, additionalProperties: { enum: [1, -1] } }),
    shape: (spec, path) => {
      if (!isDocument(spec) || Object.keys(spec).length === 0)
        return [problem(path, '$sort must be an object of fields', 'write {amount: -1}')]
      return Object.entries(spec)
        .filter(([, order]) => order !== 1 && order !== -1)
        .map(([name, order]) =>
          problem(
            `${path}.${name}`,
            `The order must be 1 (ascending) or -1 (descending): found ${describeValue(order)}`,
          ),
        )
    },
    wholeBatch: true,
    keepsDocuments: true,
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
    options: fillOptions,
    shape: shapeOf('$fill', fillOptions),
    operators: fillProblems,
    wholeBatch: true,
    keepsDocuments: true,
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
    options: densifyOptions,
    shape: (spec, path) => [...shapeOf('$densify', densifyOptions)(spec, path), ...rangeProblems(spec, path)],
    wholeBatch: true,
    keepsDocuments: true,
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
    options: windowOptions,
    shape: shapeOf('$setWindowFields', windowOptions),
    operators: windowProblems,
    wholeBatch: true,
    keepsDocuments: true,
  },
} as const satisfies { readonly [name: `$${string}`]: StageDefinition }

/** Ranges that fail when a record comes, or never end. */
function rangeProblems(spec: unknown, path: string): ConfigProblem[] {
  const range = isDocument(spec) ? spec['range'] : undefined
  if (range === undefined) return []
  const place = `${path}.range`
  if (!isDocument(range))
    return [
      problem(place, `range must be an object: found ${describeValue(range)}`, 'for example {step: 1, bounds: full}'),
    ]
  const { step, bounds } = range
  const problems = unitProblems(range, place)
  if (typeof step !== 'number' || !(step > 0))
    problems.push(problem(`${place}.step`, `step must be a number above 0: found ${describeValue(step)}`))
  if (bounds !== 'full' && bounds !== 'partition' && !(Array.isArray(bounds) && bounds.length === 2))
    problems.push(
      problem(`${place}.bounds`, `bounds must be full, partition or a list of two: found ${describeValue(bounds)}`),
    )
  return problems
}

const FILL_METHODS = ['locf', 'linear']
const FILL_EXAMPLE = 'for example {price: {method: locf}, currency: {value: "EUR"}}'

function fillProblems(spec: unknown, path: string): ConfigProblem[] {
  const { output, sortBy: order } = spec as Document
  if (!isDocument(output)) return [problem(`${path}.output`, 'output must be an object of fields', FILL_EXAMPLE)]
  return Object.entries(output).flatMap(([name, how]) => {
    const place = `${path}.output.${name}`
    if (!isDocument(how) || 'value' in how === 'method' in how)
      return [problem(place, 'A field must have either value or method', FILL_EXAMPLE)]
    if ('value' in how) return expressionProblems(how['value'], `${place}.value`)
    const { method } = how
    if (typeof method !== 'string' || !FILL_METHODS.includes(method))
      return [problem(`${place}.method`, `method must be locf or linear: found ${describeValue(method)}`)]
    return isDocument(order) && Object.keys(order).length > 0
      ? []
      : [
          problem(
            place,
            `method ${method} needs sortBy, the field by which the documents are ordered`,
            'for example sortBy: {at: 1}',
          ),
        ]
  })
}

function windowProblems(spec: unknown, path: string): ConfigProblem[] {
  const { output } = spec as Document
  if (!isDocument(output)) return []
  const fields = Object.entries(output).map(([name, value]) => {
    const { window: _, ...functions } = isDocument(value) ? value : {}
    return [name, functions] as const
  })
  return outputProblems(Object.fromEntries(fields), `${path}.output`)
}
