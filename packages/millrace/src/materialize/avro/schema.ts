/**
 * Avro schemas of a binding's keys and values, made of the shape of its collection.
 *
 * A value that Avro cannot say is a record `RawJSON` that holds it as JSON text. Members of objects that have no field of their own are in a
 * map `_flow_extra`.
 */
import { ProtocolViolationError } from '../../errors/index.ts'
import type { CollectionSpec, Projection } from '../messages.ts'
import type { RecordFields } from '../records/fields.ts'
import { inferShape } from './infer-shape.ts'
import {
  ANYTHING,
  ARRAY,
  type ArrayShape,
  BOOLEAN,
  byBytes,
  FRACTIONAL,
  IMPOSSIBLE,
  INTEGER,
  locate,
  NULL,
  NUMBER,
  OBJECT,
  type ObjectShape,
  type Shape,
  STRING,
  union,
} from './shape.ts'

export type AvroSchema =
  | { readonly kind: 'null' | 'boolean' | 'long' | 'double' | 'string' | 'date' | 'timestamp' | 'uuid' | 'duration' }
  /** The value as JSON text, in a record of this full name. */
  | { readonly kind: 'raw'; readonly name: string }
  | { readonly kind: 'array'; readonly items: AvroSchema }
  | { readonly kind: 'map'; readonly values: AvroSchema }
  /** The value, or null: the union `[value, "null"]`. */
  | { readonly kind: 'nullable'; readonly value: AvroSchema }
  | AvroRecord

export interface AvroRecord {
  readonly kind: 'record'
  /** Full name. */
  readonly name: string
  /** Sorted by name; `_flow_extra`, if any, comes last. */
  readonly fields: readonly AvroField[]
}

export interface AvroField {
  readonly name: string
  readonly schema: AvroSchema
  readonly defaultValue: { readonly value: unknown } | undefined
}

export const EXTRA = '_flow_extra'
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export interface BindingSchemas {
  readonly key: AvroRecord
  readonly value: AvroSchema
}

/** @throws {ProtocolViolationError} for a field that has no schema */
export function bindingSchemas(collection: CollectionSpec, fields: RecordFields, place: string): BindingSchemas {
  const root = inferShape(collection.readSchema ?? collection.writeSchema ?? true)
  const shapes = new Map(fields.value.map(({ name }) => [name, shapeOfField(name, root, collection, place)]))
  const value: Shape = {
    ...ANYTHING,
    types: OBJECT,
    object: {
      properties: [...shapes].map(([name, found]) => ({ name, ...found })),
      patterns: [],
      additional: undefined,
    },
  }
  const parts = fields.keyNames.map((name, i) => {
    const { shape } = shapes.get(name)!
    const field = `p${i + 1}`
    return { name: field, schema: convert(shape, `root.Key.Parts.${field}`, true), defaultValue: shape.defaultValue }
  })
  return {
    key: {
      kind: 'record',
      name: 'root.Key',
      fields: [
        {
          name: '_flow_key',
          schema: { kind: 'record', name: 'root.Key.Parts', fields: parts },
          defaultValue: undefined,
        },
      ],
    },
    value: convert(value, 'root', true),
  }
}

/** A field is a location of the schema, or else a projection of that name: one that a user has named, or a built-in one. */
function shapeOfField(
  name: string,
  root: Shape,
  { projections = [] }: CollectionSpec,
  place: string,
): { readonly shape: Shape; readonly isRequired: boolean } {
  const found = locate(root, name)
  if (found !== undefined) return found
  const projection = projections.find(({ field }) => field === name)
  if (projection === undefined)
    throw new ProtocolViolationError(`Cannot find field "${name}" of ${place} among the projections of its collection`)
  return shapeOfProjection(projection, place)
}

const SCALARS: Readonly<Record<string, number>> = {
  boolean: BOOLEAN,
  integer: INTEGER,
  fractional: FRACTIONAL,
  number: NUMBER,
  string: STRING,
}

function shapeOfProjection(
  { ptr = '', field = '', inference = {} }: Projection,
  place: string,
): { readonly shape: Shape; readonly isRequired: boolean } {
  if (ptr === '') return { shape: { ...ANYTHING, types: STRING }, isRequired: true }
  const { types = [], exists, default: value } = inference
  const [type, ...others] = types.filter((one) => one !== 'null')
  const scalar = SCALARS[type ?? '']
  if (scalar === undefined || others.length > 0)
    throw new ProtocolViolationError(
      `Cannot use field "${field}" of ${place} in Avro as its type must be a single one of ${Object.keys(SCALARS).join(', ')}: it is ${types.join(', ') || 'not known'}`,
    )
  const shape: Shape = {
    ...ANYTHING,
    types: types.includes('null') ? scalar | NULL : scalar,
    defaultValue: value === undefined ? undefined : { value },
  }
  return { shape, isRequired: exists === 'MUST' }
}

/** @param location dotted path of what is converted, which names records */
function convert(shape: Shape, location: string, isRequired: boolean): AvroSchema {
  const isNullable = (shape.types & NULL) !== 0 || (!isRequired && shape.defaultValue === undefined)
  const value = convertValue({ ...shape, types: shape.types & ~NULL }, location)
  return isNullable ? { kind: 'nullable', value } : value
}

function convertValue(shape: Shape, location: string): AvroSchema {
  const { types, format } = shape
  if ((types & STRING) !== 0) return convertText(types & ~STRING, format, location)
  switch (types) {
    case ARRAY:
      return { kind: 'array', items: convert(itemsOf(shape.array), `${location}._items`, true) }
    case BOOLEAN:
      return { kind: 'boolean' }
    case INTEGER:
      return { kind: 'long' }
    case FRACTIONAL:
    case NUMBER:
      return { kind: 'double' }
    case OBJECT:
      return convertObject(shape.object, location)
    default:
      return rawJson(location)
  }
}

function rawJson(location: string): AvroSchema {
  return { kind: 'raw', name: `${location}.RawJSON` }
}

/** Strings, and numbers that may be written as strings. */
function convertText(others: number, format: string | undefined, location: string): AvroSchema {
  if (others === 0) {
    if (format === 'date' || format === 'uuid' || format === 'duration') return { kind: format }
    return { kind: format === 'date-time' ? 'timestamp' : 'string' }
  }
  const isNumeric = format === 'number' || format === 'integer'
  if (isNumeric && (others === NUMBER || others === FRACTIONAL)) return { kind: 'double' }
  if (isNumeric && others === INTEGER) return { kind: 'string' }
  return rawJson(location)
}

function itemsOf({ tuple, additional, maxItems }: ArrayShape): Shape {
  const isTupleOnly = maxItems !== undefined && maxItems <= tuple.length
  return [...tuple, ...(isTupleOnly ? [] : [additional ?? ANYTHING])].reduce(union, IMPOSSIBLE)
}

function convertObject({ properties, patterns, additional }: ObjectShape, location: string): AvroSchema {
  const named = properties.filter(({ name }) => NAME.test(name)).toSorted((a, b) => byBytes(a.name, b.name))
  const odd = properties.filter(({ name }) => !NAME.test(name))
  const extra = [
    ...patterns.map(({ shape }) => shape),
    additional ?? ANYTHING,
    ...odd.map(({ shape }) => shape),
  ].reduce(union, IMPOSSIBLE)
  const hasExtra = extra.types !== 0
  if (properties.length === 0 && hasExtra) return { kind: 'map', values: convert(extra, location, true) }
  const fields = named.map(({ name, shape, isRequired }) => ({
    name,
    schema: convert(shape, `${location}.${name}`, isRequired),
    defaultValue: shape.defaultValue,
  }))
  if (hasExtra) {
    const values = convert(extra, `${location}.${EXTRA}`, true)
    fields.push({ name: EXTRA, schema: { kind: 'map', values }, defaultValue: undefined })
  }
  return { kind: 'record', name: location, fields }
}
