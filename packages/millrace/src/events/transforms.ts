/**
 * Transforms of Rivven: `rename_field`, `remove_field`, `add_field` and `filter`, over events.
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
import { ENVELOPE_FIELDS, type HubEvent } from './envelope.ts'
import { equalsText } from '../records/exact-integers.ts'

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

/** Changes an event in place. @returns false when it is filtered out */
export function applyTransforms(event: HubEvent, transforms: readonly Transform[]): boolean {
  for (const { type, config } of transforms) {
    if (type === 'filter') {
      const value = get(event, pathOf(config.field))
      if (value === undefined || !equalsText(value, config.equals)) return false
    } else if (type === 'remove_field') {
      remove(event, pathOf(config.field))
    } else if (type === 'add_field') {
      set(event, pathOf(config.field), config.value)
    } else {
      const from = pathOf(config.from)
      const value = get(event, from)
      if (value === undefined) continue
      remove(event, from)
      set(event, pathOf(config.to), value)
    }
  }
  return true
}

type Container = { [name: string]: unknown }

function pathOf(text: string): readonly string[] {
  const names = text.split('.')
  return ENVELOPE_FIELDS.has(names[0]!) ? names : ['data', ...names]
}

/** Object that holds the last name of a path; undefined when something on the way is not an object. */
function parentOf(event: HubEvent, path: readonly string[], makeMissing: boolean): Container | undefined {
  let parent: Container = event
  for (const part of path.slice(0, -1)) {
    const child = Object.hasOwn(parent, part) ? parent[part] : undefined
    if (isContainer(child)) parent = child
    else if (makeMissing && child === undefined) parent = define(parent, part, {}) as Container
    else return undefined
  }
  return parent
}

function get(event: HubEvent, path: readonly string[]): unknown {
  const parent = parentOf(event, path, false)
  const last = path.at(-1)!
  return parent !== undefined && Object.hasOwn(parent, last) ? parent[last] : undefined
}

function set(event: HubEvent, path: readonly string[], value: unknown): void {
  const parent = parentOf(event, path, true)
  if (parent !== undefined) define(parent, path.at(-1)!, value)
}

function remove(event: HubEvent, path: readonly string[]): void {
  const parent = parentOf(event, path, false)
  if (parent !== undefined) delete parent[path.at(-1)!]
}

/** Plain assignment would give `__proto__` a meaning of its own. */
function define(parent: Container, part: string, value: unknown): unknown {
  Object.defineProperty(parent, part, { value, writable: true, enumerable: true, configurable: true })
  return value
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
