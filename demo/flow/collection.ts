/** A collection as a runtime describes it to a connector, and the values of its fields in a document. */
import { inferShape } from '../../packages/millrace/src/materialize/avro/infer-shape.ts'
import {
  ARRAY,
  BOOLEAN,
  byBytes,
  FRACTIONAL,
  INTEGER,
  NULL,
  NUMBER,
  OBJECT,
  type Shape,
  STRING,
} from '../../packages/millrace/src/materialize/avro/shape.ts'
import type { CollectionSpec, Projection } from '../../packages/millrace/src/materialize/messages.ts'
import { publishedAt, type FixtureDocument } from './fixture.ts'

export interface Collection {
  readonly name: string
  readonly schema: unknown
  /** JSON pointers. */
  readonly key: readonly string[]
}

const BUILT_IN: readonly Projection[] = [
  {
    ptr: '/_meta/flow_truncated',
    field: '_meta/flow_truncated',
    inference: { types: ['boolean'], exists: 'MUST' },
  },
  { field: 'flow_document', inference: { types: ['object'], exists: 'MUST' } },
  { ptr: '/_meta/uuid', field: 'flow_published_at', inference: { types: ['string'], exists: 'MUST' } },
]

/** The collection with a projection for each location that its schema declares, and the built-in ones. */
export function collectionSpec({
  name,
  schema,
  key,
}: Collection): CollectionSpec & { readonly key: readonly string[] } {
  const projections = [...BUILT_IN, ...locationsOf(inferShape(schema), '', true, key)]
  return {
    name,
    key,
    writeSchema: schema,
    projections: projections.toSorted((a, b) => byBytes(a.field ?? '', b.field ?? '')),
  }
}

function locationsOf(
  { types, object }: Shape,
  pointer: string,
  mustExist: boolean,
  key: readonly string[],
): Projection[] {
  return object.properties.flatMap(({ name, shape, isRequired }): Projection[] => {
    const ptr = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const exists = mustExist && isRequired && types === OBJECT
    const own: Projection = {
      ptr,
      field: ptr.slice(1),
      ...(key.includes(ptr) ? { isPrimaryKey: true } : {}),
      inference: {
        types: typeNames(shape.types),
        ...(shape.defaultValue === undefined ? {} : { default: shape.defaultValue.value }),
        exists: exists ? 'MUST' : 'MAY',
      },
    }
    return [own, ...locationsOf(shape, ptr, exists, key)]
  })
}

const NAMES = [
  [ARRAY, 'array'],
  [BOOLEAN, 'boolean'],
  [INTEGER, 'integer'],
  [FRACTIONAL, 'fractional'],
  [NULL, 'null'],
  [NUMBER, 'number'],
  [OBJECT, 'object'],
  [STRING, 'string'],
] as const

function typeNames(types: number): string[] {
  const isNumber = (types & NUMBER) === NUMBER
  return NAMES.filter(([bits, name]) => {
    if (name === 'integer' || name === 'fractional') return !isNumber && (types & bits) !== 0
    return (types & bits) === bits
  }).map(([, name]) => name)
}

/** The value of a field; null, or its default, where the document has none. */
export function valueOf({ ptr = '', field, inference }: Projection, { document, seconds }: FixtureDocument): unknown {
  if (field === 'flow_published_at') return publishedAt(seconds)
  if (field === '_meta/flow_truncated') return false
  let value: unknown = document
  for (const token of ptr.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Readonly<Record<string, unknown>>)[name]
        : undefined
  }
  return value ?? inference?.default ?? null
}

/** A document with sorted names, as a runtime sends it. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => byBytes(a, b))
      .map(([name, one]) => [name, sorted(one)]),
  )
}
