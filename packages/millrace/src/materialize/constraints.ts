/** Which fields may, and should, be materialized. Nothing is required and nothing is forbidden: any change of schemas is fine. */
import type { Constraint, FieldSelection, Projection } from './messages.ts'

const PUBLISHED_AT = 'flow_published_at'

/**
 * The constraint of one projection.
 * @param last what the last version selected of the same topic
 */
export function constraintOf(projection: Projection, last: FieldSelection | undefined): Constraint {
  return (last && constraintByLast(projection, last)) ?? constraintByLocation(projection)
}

function constraintByLast({ ptr = '', field = '' }: Projection, last: FieldSelection): Constraint | undefined {
  if (ptr === '' && (last.document ?? '') !== '')
    return {
      type: 'LOCATION_RECOMMENDED',
      reason: 'This location is the document of the current materialization',
    }
  if (last.values?.includes(field))
    return { type: 'LOCATION_RECOMMENDED', reason: 'This location is part of the current materialization' }
  return undefined
}

function constraintByLocation({ ptr = '', field = '', isPrimaryKey }: Projection): Constraint {
  if (isPrimaryKey)
    return { type: 'LOCATION_RECOMMENDED', reason: 'Primary key locations should usually be materialized' }
  if (ptr === '') return { type: 'FIELD_OPTIONAL', reason: 'The root document may be materialized' }
  if (field === PUBLISHED_AT || !ptr.replace(/^\//, '').includes('/'))
    return { type: 'LOCATION_RECOMMENDED', reason: 'Top-level locations should usually be materialized' }
  return { type: 'FIELD_OPTIONAL', reason: 'This field may be materialized' }
}
