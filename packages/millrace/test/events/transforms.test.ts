import { describe, expect, test } from 'vitest'
import type { HubEvent } from '../../src/events/envelope.ts'
import { applyTransforms } from '../../src/events/apply-transforms.ts'
import { transformList, type Transform } from '../../src/events/transforms.ts'
import { field } from '../../src/options/fields.ts'
import { parseOptions } from '../../src/options/parse.ts'

function parse(transforms: unknown): { transforms: readonly Transform[]; problems: string[] } {
  const { options, problems } = parseOptions({ options: { transforms: field.of(transformList) } }, { transforms })
  return {
    transforms: options.transforms,
    problems: problems.map(
      ({ path, message, suggestion }) =>
        `${path.join('.')}: ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`,
    ),
  }
}

function eventOf(data: unknown): HubEvent {
  return { event_type: 'record', stream: 'orders', data, metadata: { position: 'orders:0:1' } }
}

describe('transforms', () => {
  const have = { id: 1, status: 'paid', customer: { name: 'Ann' } }
  test.each([
    {
      type: 'rename_field',
      config: { from: 'id', to: 'order' },
      want: { status: 'paid', customer: { name: 'Ann' }, order: 1 },
    },
    { type: 'rename_field', config: { from: 'none', to: 'order' }, want: have },
    {
      type: 'rename_field',
      config: { from: 'customer.name', to: 'by' },
      want: { id: 1, status: 'paid', customer: {}, by: 'Ann' },
    },
    { type: 'remove_field', config: { field: 'customer' }, want: { id: 1, status: 'paid' } },
    { type: 'remove_field', config: { field: 'data.customer.name' }, want: { id: 1, status: 'paid', customer: {} } },
    { type: 'add_field', config: { field: 'env', value: ['a', 1] }, want: { ...have, env: ['a', 1] } },
    { type: 'add_field', config: { field: 'meta.env', value: null }, want: { ...have, meta: { env: null } } },
    { type: 'filter', config: { field: 'status', equals: 'paid' }, want: have },
    { type: 'filter', config: { field: 'status', equals: 'open' }, want: undefined },
    { type: 'filter', config: { field: 'id', equals: '1' }, want: undefined },
    { type: 'filter', config: { field: 'stream', equals: 'orders' }, want: have },
  ])('$type $config', ({ type, config, want }) => {
    const event = eventOf(structuredClone(have))
    const { transforms, problems } = parse([{ type, config }])
    expect(problems).toEqual([])
    expect(applyTransforms(event, transforms) ? event.data : undefined).toEqual(want)
  })

  test('reach the envelope by its names', () => {
    const event = eventOf({ id: 1 })
    const { transforms } = parse([
      { type: 'add_field', config: { field: 'namespace', value: 'shop' } },
      { type: 'remove_field', config: { field: 'metadata.position' } },
      { type: 'rename_field', config: { from: 'data.id', to: 'stream' } },
    ])
    expect(applyTransforms(event, transforms)).toBe(true)
    expect(event).toEqual({ event_type: 'record', stream: 1, data: {}, metadata: {}, namespace: 'shop' })
  })

  test.each([null, 'text', 7, [1]])('leave %j as it is, which has no fields', (data) => {
    const event = eventOf(data)
    const { transforms } = parse([
      { type: 'add_field', config: { field: 'a', value: 1 } },
      { type: 'remove_field', config: { field: 'b' } },
    ])
    expect(applyTransforms(event, transforms)).toBe(true)
    expect(event.data).toEqual(data)
  })
})

test.each([
  {
    transforms: 'filter',
    want: 'transforms: Cannot read option "transforms" as it must be a list of transforms: current value is "filter" (write - {type: filter, config: {...}})',
  },
  {
    transforms: [{ type: 'flter', config: {} }],
    want: 'transforms.0.type: Unknown transform "flter" (did you mean "filter")',
  },
  {
    transforms: [{ type: 'uppercase' }],
    want: 'transforms.0.type: Unknown transform "uppercase" (there are rename_field, remove_field, add_field, filter)',
  },
  {
    transforms: [{ type: 'remove_field', config: {} }],
    want: 'transforms.0.config: Missing option "field" (for example field: "password")',
  },
  {
    transforms: [{ type: 'remove_field', field: 'a', config: { field: 'a' } }],
    want: 'transforms.0.field: Unknown option "field" (move it under config)',
  },
])('refuses $transforms', ({ transforms, want }) => {
  expect(parse(transforms).problems).toEqual([want])
})
