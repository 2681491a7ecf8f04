/**
 * `$bucket` by means of `$group`: the engine's own puts a value that is equal to a boundary into the bucket below it, and
 * gives buckets that are empty.
 */
import { $group, $sort } from 'mingo/operators/pipeline'
import type { Document } from '../field-path.ts'

type PipelineOperator = typeof $group

const OUTSIDE = '\u0000outside'

export const $bucket: PipelineOperator = (documents, spec, options) => {
  const { groupBy, boundaries, default: other, output = { count: { $sum: 1 } } } = spec as unknown as BucketSpec
  const branches = boundaries.slice(1).map((upper, i) => ({
    case: { $and: [{ $gte: [groupBy, { $literal: boundaries[i] }] }, { $lt: [groupBy, { $literal: upper }] }] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of $switch
    then: { $literal: boundaries[i] },
  }))
  // The engine makes null of a group without a value, and null may be a default.
  const _id = { $switch: { branches, default: { $literal: other === undefined ? OUTSIDE : other } } }
  const groups = $group(documents, { ...output, _id }, options).map((group: unknown) => {
    if ((group as Document)['_id'] === OUTSIDE)
      throw new Error('a value is outside the boundaries, and there is no default')
    return group
  })
  return $sort(groups, { _id: 1 }, options)
}

interface BucketSpec {
  readonly groupBy: unknown
  readonly boundaries: readonly unknown[]
  readonly default?: unknown
  readonly output?: Document
}
