import { describe, expect, test } from 'vitest'
import { constraintOf } from '../../src/materialize/constraints.ts'

const OF_DOCUMENT = 'This location is the document of the current materialization'
const OF_VALUES = 'This location is part of the current materialization'
const OF_KEY = 'Primary key locations should usually be materialized'
const OF_ROOT = 'The root document may be materialized'
const OF_TOP = 'Top-level locations should usually be materialized'
const OF_OTHERS = 'This field may be materialized'

const LAST = { keys: ['id'], values: ['nested/a', 'total'], document: 'flow_document' }

describe('the constraint of a projection', () => {
  test.each([
    { projection: { ptr: '/a/b', field: 'a/b', isPrimaryKey: true }, first: OF_KEY, later: OF_KEY },
    { projection: { field: 'flow_document' }, first: OF_ROOT, later: OF_DOCUMENT },
    { projection: { field: 'everything' }, first: OF_ROOT, later: OF_DOCUMENT },
    { projection: { ptr: '/_meta/uuid', field: 'flow_published_at' }, first: OF_TOP, later: OF_TOP },
    { projection: { ptr: '/_meta/uuid', field: 'renamed' }, first: OF_OTHERS, later: OF_OTHERS },
    { projection: { ptr: '/total', field: 'total' }, first: OF_TOP, later: OF_VALUES },
    { projection: { ptr: '/slash~1root', field: 'slash~1root' }, first: OF_TOP, later: OF_TOP },
    { projection: { ptr: '/nested/a', field: 'nested/a' }, first: OF_OTHERS, later: OF_VALUES },
    { projection: { ptr: '/nested/a', field: 'nested/a', isPrimaryKey: true }, first: OF_KEY, later: OF_VALUES },
    { projection: { ptr: '/nested/b', field: 'nested/b' }, first: OF_OTHERS, later: OF_OTHERS },
  ])('$projection: $first', ({ projection, first, later }) => {
    const type = (reason: string): string =>
      reason === OF_ROOT || reason === OF_OTHERS ? 'FIELD_OPTIONAL' : 'LOCATION_RECOMMENDED'
    expect(constraintOf(projection, undefined)).toEqual({ type: type(first), reason: first })
    expect(constraintOf(projection, LAST)).toEqual({ type: type(later), reason: later })
    expect(constraintOf({ field: 'flow_document' }, { ...LAST, document: '' }).reason).toBe(OF_ROOT)
  })
})
