/** Options of the stages whose specification is an object of options, by stage. Loads none of them, so that lint stays fast. */
import type { Fields } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { MAX_GROUPS, type StageName } from './names.ts'

const expression = field.any()
const groupBy = expression.doc('Expression whose value says in which bucket a document falls.').example('$amount')
const output = field
  .any()
  .optional()
  .doc('Fields of each bucket, each an accumulator; `count` alone by default.')
  .example({ total: { $sum: '$amount' } })
const sortBy = field.any().optional().doc('Field by which the documents are ordered, with 1 or -1.').example({ at: 1 })
const partitionBy = field
  .any()
  .optional()
  .doc('Expression; documents with the same value are looked at together.')
  .example('$customer')
const partitionByFields = field
  .any()
  .optional()
  .doc('Fields; documents with the same values are looked at together.')
  .example(['customer'])

export const STAGE_OPTIONS = {
  $replaceRoot: { newRoot: expression.doc('Expression that gives the new document.').example('$order') },
  $unwind: {
    path: field.string().doc('The array, with a dollar sign before its name.').example('$items'),
    includeArrayIndex: field
      .string()
      .optional()
      .doc('Field that gets the position of the element.')
      .example('position'),
    preserveNullAndEmptyArrays: field
      .boolean()
      .default(false)
      .doc('Whether documents stay whose field is missing, null or an empty array.'),
  },
  $group: {
    _id: expression
      .doc(
        'Expression by which documents are grouped; null for one group of all. Every other name is a field of the result, filled by an accumulator.',
      )
      .example('$customer'),
    scope: field
      .oneOf(['batch', 'stream'])
      .default('batch')
      .doc(
        'Whether groups end with their batch, or go on over the whole stream: then each batch gives the groups that it has changed, as they are by then. The groups are lost when the process ends.',
      ),
    maxGroups: field
      .int({ min: 1 })
      .default(MAX_GROUPS)
      .doc('With `scope: stream`: most groups that are kept. A record that would begin another one fails.'),
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
      .doc('`_id` of the bucket for everything else; without it such a document is an error.')
      .example('other'),
    output,
  },
  $bucketAuto: {
    groupBy,
    buckets: field.any().doc('How many buckets of about the same size.').example(4),
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
        'How each field is filled where it is missing or null: `{method: locf}` with the last value, `{method: linear}` between neighbours, or `{value: expression}`.',
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
      .doc('Fields to set, each a window function, with `window` where it is not all documents up to the current one.')
      .example({ total: { $sum: '$amount' } }),
    partitionBy,
    sortBy,
  },
  $lookup: {
    as: field.any().doc('Field that gets the list of documents found.').example('customer'),
    from: field
      .any()
      .optional()
      .doc('Collection: its name under `collections`, or a list of documents.')
      .example('customers'),
    localField: field.any().optional().doc('Field of the document that is looked up.').example('customer_id'),
    foreignField: field.any().optional().doc('Field of the collection that it must equal.').example('id'),
    let: field.any().optional().doc('Variables of `pipeline`, as expressions over the document.'),
    pipeline: field.any().optional().doc('Stages over the collection, in place of or after the comparison.'),
  },
} as const satisfies { readonly [name in StageName]?: Fields }
