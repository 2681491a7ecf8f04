import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { componentSchema } from '../../../src/cli/spec.ts'
import { findComponents } from '../../../src/cli/components.ts'
import { lintStage } from '../../../src/stages/lint/index.ts'
import { STAGE_NAMES } from '../../../src/stages/definitions/index.ts'

const ajv = new Ajv({ strict: false, formats: {} })
const schemas = new Map(STAGE_NAMES.map((name) => [name, ajv.compile(componentSchema(findComponents(name)))]))

describe('the schemas of stages', () => {
  test.each([
    { name: '$match', spec: 'amount > 5' },
    { name: '$set', spec: {} },
    { name: '$unset', spec: [] },
    { name: '$unset', spec: '$a' },
    { name: '$project', spec: {} },
    { name: '$replaceRoot', spec: { newRot: '$a' } },
    { name: '$replaceWith', spec: 'a' },
    { name: '$unwind', spec: 'items' },
    { name: '$unwind', spec: { path: '$a', preserve: true } },
    { name: '$limit', spec: 0 },
    { name: '$limit', spec: '5' },
    { name: '$skip', spec: -1 },
    { name: '$sort', spec: { a: 'down' } },
    { name: '$count', spec: '$n' },
    { name: '$group', spec: { total: { $sum: 1 } } },
    { name: '$bucket', spec: { groupBy: '$a' } },
    { name: '$bucketAuto', spec: { groupBy: '$a', bukets: 4 } },
    { name: '$facet', spec: { a: [{ $mtach: {} }] } },
    { name: '$fill', spec: {} },
    { name: '$densify', spec: { field: 'a' } },
    { name: '$setWindowFields', spec: { sortBy: { a: 1 } } },
    { name: '$lookup', spec: { from: [] } },
    { name: '$lookup', spec: { from: [], as: 'a', pipeline: [{ $limit: 0 }] } },
    { name: '$redact', spec: 5 },
    { name: '$sampleRate', spec: 1.5 },
    { name: '$sampleRate', spec: { rate: 0.5, sead: 1 } },
    { name: '$subPipeline', spec: [] },
    { name: '$toEvent', spec: { strem: 'a' } },
    { name: '$fromEvent', spec: { transforms: [{ type: 'drop', config: {} }] } },
  ] as const)('refuse $name $spec, as lint does', ({ name, spec }) => {
    expect(schemas.get(name)!(spec)).toBe(false)
    expect(lintStage(name, spec, 'stages.0')).not.toEqual([])
  })

  test.each([
    { name: '$limit', spec: '${COUNT}' },
    { name: '$group', spec: { _id: null, n: { $sum: 1 } } },
    { name: '$unset', spec: ['a', 'b.c'] },
    { name: '$facet', spec: { a: [] } },
  ] as const)('accept $name $spec', ({ name, spec }) => {
    expect(schemas.get(name)!(spec)).toBe(true)
  })
})
