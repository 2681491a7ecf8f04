/**
 * How files write transforms of Rivven: `rename_field`, `remove_field`, `add_field` and `filter`, over events.
 *
 * A name of the envelope (`stream`, `metadata.position`, `data.customer.id`) means that; every other name means a field of
 * `data`. Data that is not an object has no fields: it passes as it is, except through a filter, which drops it.
 */
import type { Fields, JsonSchema, Options, Report, ValueType } from '../options/declaration.ts'
import { jsonSchema } from '../options/describe.ts'
import { field } from '../options/fields.ts'
import { parseOptions } from '../options/parse.ts'
import { didYouMean } from '../options/suggest.ts'
import { isObject } from '../options/values.ts'

const name = field.string()

export const TRANSFORM_FIELDS = {
  rename_field: {
    from: name.doc('Field to rename.').example('cust'),
    to: name.doc('Its new name.').example('customer'),
  },
  remove_field: { field: name.doc('Field to remove.').example('password') },
  add_field: {
    field: name.doc('Field to set.').example('env'),
    value: field.any().default(null).doc('Value of the field, of any type.').example('production'),
  },
  filter: {
    field: name.doc('Field to compare.').example('status'),
    equals: field.string().doc('Text that it must equal. Other events are dropped.').example('paid'),
  },
} as const

type TransformType = keyof typeof TRANSFORM_FIELDS
export type Transform = {
  [T in TransformType]: { readonly type: T; readonly config: Options<(typeof TRANSFORM_FIELDS)[T]> }
}[TransformType]

const TYPES = Object.keys(TRANSFORM_FIELDS) as readonly TransformType[]

const ITEM: JsonSchema = {
  type: 'object',
  properties: { type: { enum: TYPES }, config: { type: 'object' } },
  required: ['type', 'config'],
  additionalProperties: false,
  anyOf: TYPES.map((type) => ({
    properties: { type: { const: type }, config: jsonSchema(TRANSFORM_FIELDS[type]) },
  })),
}

/** A list of transforms as files hold it: `[{ type, config }]`, may be empty. */
export const transformList = transformListOf(ITEM, () => false)

/** The same where something else may stand in the list, which is passed over. @param other schema of it */
export function transformListBeside(
  isOther: (item: unknown) => boolean,
  other: JsonSchema,
): ValueType<readonly Transform[]> {
  return transformListOf({ anyOf: [ITEM, other] }, isOther)
}

function transformListOf(items: JsonSchema, isOther: (item: unknown) => boolean): ValueType<readonly Transform[]> {
  return {
    expected: 'a list of transforms',
    schema: { type: 'array', items },
    read(value, report) {
      if (Array.isArray(value))
        return value
          .map((item: unknown, i) => (isOther(item) ? undefined : readTransform(item, i, report)))
          .filter((one) => one !== undefined)
      report({ expected: this.expected, found: value, suggestion: 'write - {type: filter, config: {...}}' })
      return []
    },
  }
}

function readTransform(value: unknown, index: number, report: Report): Transform | undefined {
  if (!isObject(value)) {
    report({ expected: 'an object with type and config', found: value, path: [index] })
    return undefined
  }
  const { type, config, ...rest } = value
  for (const name of Object.keys(rest))
    report({
      message: `Unknown option "${name}"`,
      path: [index, name],
      suggestion: didYouMean(name, ['type', 'config']) ?? 'move it under config',
    })
  const known = TYPES.find((one) => one === type)
  if (known === undefined) {
    const guess = typeof type === 'string' ? didYouMean(type, TYPES) : undefined
    const message = type === undefined ? 'Missing type of the transform' : `Unknown transform ${JSON.stringify(type)}`
    report({
      message,
      path: type === undefined ? [index] : [index, 'type'],
      suggestion: guess ?? `there are ${TYPES.join(', ')}`,
    })
    return undefined
  }
  const parsed = parseOptions<Fields>({ options: TRANSFORM_FIELDS[known] }, config, [index, 'config'])
  for (const { path, message, suggestion } of parsed.problems) report({ path, message, suggestion })
  return { type: known, config: parsed.options } as Transform
}
