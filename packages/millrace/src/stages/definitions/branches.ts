/** Stages that hold other stages, or look into a collection. */
import type { ConfigProblem } from '../../errors/index.ts'
import type { JsonSchema } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { isDocument } from '../field-path.ts'
import { unknownVariable } from '../lint/arguments.ts'
import { problem, shapeOf } from '../lint/shapes.ts'
import { subPipelines } from '../lint/sub-pipelines.ts'
import { SALES, type LintStages, type StageDefinition } from './definition.ts'

/** Where schemas describe a list of stages. */
const STAGES: JsonSchema = { $ref: '#/definitions/stages' }

const lookupOptions = {
  as: field.any().doc('Field for the list of matching documents.').example('customer'),
  from: field
    .any()
    .optional()
    .doc('Collection: its name under `collections`, or a list of documents.')
    .example('customers'),
  localField: field.any().optional().doc('Field of the document to look up.').example('customer_id'),
  foreignField: field.any().optional().doc('Field of the collection that must be equal to it.').example('id'),
  let: field.any().optional().doc('Variables for `pipeline`, as expressions over the document.'),
  pipeline: field.any().optional().doc('Stages over the collection, instead of or after the comparison.'),
}

export const BRANCH_STAGES = {
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
    schema: () => ({ type: 'object', minProperties: 1, additionalProperties: STAGES }),
    shape: (spec, path, lintStages) =>
      isDocument(spec) && Object.keys(spec).length > 0
        ? Object.entries(spec).flatMap(([name, stages]) => lintStages(stages, `${path}.${name}`))
        : [problem(path, '$facet must be an object of lists of stages', 'write {name: [{$match: ...}]}')],
    wholeBatch: true,
    holdsStages: true,
    seesAllFields: true,
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
    options: lookupOptions,
    schema: (options) => {
      const own = options['properties'] as { readonly [name: string]: JsonSchema }
      return { ...options, properties: { ...own, pipeline: { ...own['pipeline'], ...STAGES } } }
    },
    shape: lookupProblems,
    keepsDocuments: true,
  },
  $subPipeline: {
    summary: 'Runs stages over a batch, one after the other or side by side.',
    takes:
      'A list of `{pipeline: [...]}`, `{parallel: [...], merge: concat|zip|facet}` and, in linear files, names of `pipelines` such as `clean@1.2.0`. `onError: skip` continues without an entry that fails, `input` is the document it starts with, and `globals` are its own.',
    examples: [
      {
        title: 'One part on its own',
        spec: [{ pipeline: [{ $match: { amount: { $gt: 15 } } }, { $sort: { amount: 1 } }] }],
        have: SALES,
        want: [SALES[2], SALES[1]],
      },
    ],
    schema: () => ({ type: 'array', minItems: 1 }),
    shape: subPipelines,
    wholeBatch: true,
    holdsStages: true,
  },
} as const satisfies { readonly [name: `$${string}`]: StageDefinition }

function lookupProblems(spec: unknown, path: string, lintStages: LintStages): ConfigProblem[] {
  const found = shapeOf('$lookup', lookupOptions)(spec, path)
  if (found.length > 0 || !isDocument(spec)) return found
  const { from, localField, foreignField, pipeline } = spec
  if (typeof from === 'string')
    return [
      problem(
        `${path}.from`,
        `There is no collection "${from}"`,
        'define it under collections, with its documents or a file of them',
      ),
    ]
  if (pipeline === undefined && (localField === undefined || foreignField === undefined))
    return [problem(path, '$lookup needs localField and foreignField, or a pipeline')]
  if (pipeline === undefined) return []
  const own = Object.keys(isDocument(spec['let']) ? spec['let'] : {}).map(unknownVariable)
  return lintStages(pipeline, `${path}.pipeline`).filter(({ message }) => !own.includes(message))
}
