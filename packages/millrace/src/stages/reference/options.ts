/** Options of the stages whose specification is an object of options, by stage. Loads none of them, so that lint stays fast. */
import type { Fields } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { MAX_GROUPS, type StageName } from './names.ts'

const expression = field.any()
const groupBy = expression.doc('Expression whose value decides the bucket of a document.').example('$amount')
const output = field
  .any()
  .optional()
  .doc('Fields of each bucket, each an accumulator. By default only `count`.')
  .example({ total: { $sum: '$amount' } })
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

export const STAGE_OPTIONS = {
  $replaceRoot: { newRoot: expression.doc('Expression that returns the new document.').example('$order') },
  $unwind: {
    path: field.string().doc('Path to the array, with a leading dollar sign.').example('$items'),
    includeArrayIndex: field.string().optional().doc('Field for the position of the element.').example('position'),
    preserveNullAndEmptyArrays: field
      .boolean()
      .default(false)
      .doc('Whether to keep documents in which the field is missing, null or an empty array.'),
  },
  $group: {
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
  },
  $bucket: {
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
  },
  $bucketAuto: {
    groupBy,
    buckets: field.any().doc('Number of buckets, of about the same size.').example(4),
    output,
    granularity: field
      .any()
      .optional()
      .doc('Series of preferred numbers to which bounds are rounded, such as `R5` or `POWERSOF2`.'),
  },
  $fill: {
    output: field
      .any()
      .doc(
        'How to fill each field that is missing or null: `{method: locf}` with the last value, `{method: linear}` between its neighbours, or `{value: expression}`.',
      )
      .example({ price: { method: 'locf' } }),
    partitionBy,
    partitionByFields,
    sortBy,
  },
  $densify: {
    field: field.any().doc('Field with numbers or dates whose gaps are filled with new documents.').example('at'),
    range: field
      .any()
      .doc('`step`, its `unit` for dates, and `bounds`: `full`, `partition` or a list of two.')
      .example({ step: 1, unit: 'hour', bounds: 'full' }),
    partitionByFields,
  },
  $setWindowFields: {
    output: field
      .any()
      .doc(
        'Fields to set, each with a window function. `window` sets which documents it covers; by default all documents up to the current one.',
      )
      .example({ total: { $sum: '$amount' } }),
    partitionBy,
    sortBy,
  },
  $lookup: {
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
  },
} as const satisfies { readonly [name in StageName]?: Fields }
