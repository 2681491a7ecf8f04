/**
 * Infers the shape of a JSON Schema, as Flow does: a schema is a self-contained bundle whose parts refer to each other.
 *
 * Keywords that say nothing about types or members are not looked at, and neither is `not`. A reference within itself may be anything.
 */
import { ProtocolViolationError } from '../../errors/index.ts'
import {
  ANY_TYPE,
  ANYTHING,
  ARRAY,
  type ArrayShape,
  BOOLEAN,
  byBytes,
  FRACTIONAL,
  IMPOSSIBLE,
  INTEGER,
  intersect,
  NULL,
  NUMBER,
  OBJECT,
  type ObjectShape,
  type PropertyShape,
  type Shape,
  STRING,
  typesOfValues,
  union,
  withPatterns,
} from './shape.ts'

type Schema = Readonly<Record<string, unknown>>

const TYPES: Readonly<Record<string, number>> = {
  array: ARRAY,
  boolean: BOOLEAN,
  integer: INTEGER,
  fractional: FRACTIONAL,
  null: NULL,
  number: NUMBER,
  object: OBJECT,
  string: STRING,
}

/** For a schema without `$id`. */
const NO_ID = 'schema:///'

/** @throws {ProtocolViolationError} for a reference that leads nowhere, or a pattern that is no regular expression */
export function inferShape(schema: unknown): Shape {
  return new Inference(schema).infer(schema)
}

class Inference {
  /** By absolute address, without fragment or with the name of an anchor. */
  readonly #addressed = new Map<string, unknown>()
  /** Against what the references of a schema are resolved. */
  readonly #bases = new Map<unknown, string>()
  readonly #open = new Set<unknown>()

  constructor(root: unknown) {
    this.#addressed.set(NO_ID, root)
    this.#index(root, NO_ID)
  }

  #index(value: unknown, base: string): void {
    if (typeof value !== 'object' || value === null) return
    let own = base
    if (!Array.isArray(value)) {
      const { $id, $anchor } = value as Schema
      if (typeof $id === 'string') {
        own = resolve($id, base).replace(/#$/, '')
        this.#addressed.set(own, value)
      }
      if (typeof $anchor === 'string') this.#addressed.set(`${own}#${$anchor}`, value)
    }
    this.#bases.set(value, own)
    for (const part of Object.values(value)) this.#index(part, own)
  }

  infer(schema: unknown): Shape {
    if (schema === false) return IMPOSSIBLE
    if (!isSchema(schema)) return ANYTHING
    let shape = this.#own(schema)
    if (typeof schema['$ref'] === 'string') shape = intersect(shape, this.#reference(schema, schema['$ref']))
    for (const part of listOf(schema['allOf'])) shape = intersect(shape, this.infer(part))
    for (const keyword of ['oneOf', 'anyOf']) {
      const parts = listOf(schema[keyword])
      if (parts.length > 0) shape = intersect(shape, parts.map((part) => this.infer(part)).reduce(union))
    }
    const { if: condition, then: yes, else: no } = schema
    if (condition !== undefined && yes !== undefined && no !== undefined)
      shape = intersect(shape, union(this.infer(yes), this.infer(no)))
    return shape
  }

  #reference(schema: Schema, reference: string): Shape {
    const target = this.#resolve(schema, reference)
    if (this.#open.has(target)) return ANYTHING
    this.#open.add(target)
    try {
      return this.infer(target)
    } finally {
      this.#open.delete(target)
    }
  }

  #resolve(schema: Schema, reference: string): unknown {
    const address = resolve(reference, this.#bases.get(schema) ?? NO_ID)
    if (this.#addressed.has(address)) return this.#addressed.get(address)
    const [document, fragment] = splitAt(address, '#')
    let target = this.#addressed.get(document)
    if (target !== undefined && (fragment === '' || fragment.startsWith('/'))) {
      for (const token of decodeURIComponent(fragment).split('/').slice(1)) {
        const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
        target = isObject(target) && Object.hasOwn(target, name) ? (target as Schema)[name] : undefined
      }
      if (target !== undefined) return target
    }
    throw new ProtocolViolationError(
      `Cannot use the schema of a collection as its reference "${reference}" leads to no part of it`,
    )
  }

  /** What the keywords of a schema say, without those that apply other schemas to the same location. */
  #own(schema: Schema): Shape {
    const { type, const: constant, enum: values, format } = schema
    const names = typeof type === 'string' ? [type] : listOf(type)
    let types =
      type === undefined ? ANY_TYPE : names.reduce((bits: number, name) => bits | (TYPES[String(name)] ?? 0), 0)
    const enumeration =
      constant === undefined ? (Array.isArray(values) ? (values as unknown[]) : undefined) : [constant]
    if (enumeration !== undefined) types &= typesOfValues(enumeration)
    return {
      types,
      format: typeof format === 'string' ? format : undefined,
      defaultValue: Object.hasOwn(schema, 'default') ? { value: schema['default'] } : undefined,
      enumeration,
      array: this.#array(schema),
      object: this.#object(schema),
    }
  }

  #array({ items, additionalItems, unevaluatedItems, minItems, maxItems }: Schema): ArrayShape {
    const isTuple = Array.isArray(items)
    const rest = isTuple ? (additionalItems ?? unevaluatedItems) : (items ?? additionalItems ?? unevaluatedItems)
    return {
      tuple: isTuple ? items.map((item) => this.infer(item)) : [],
      additional: rest === undefined ? undefined : this.infer(rest),
      minItems: typeof minItems === 'number' ? minItems : 0,
      maxItems: typeof maxItems === 'number' ? maxItems : undefined,
    }
  }

  #object(schema: Schema): ObjectShape {
    const { properties, required, patternProperties, additionalProperties, unevaluatedProperties } = schema
    const declared = isSchema(properties) ? properties : {}
    const isRequired = new Set(listOf(required).map(String))
    const names = [...new Set([...Object.keys(declared), ...isRequired])].toSorted(byBytes)
    const rest = additionalProperties ?? unevaluatedProperties
    return withPatterns({
      properties: names.map((name): PropertyShape => ({
        name,
        shape: Object.hasOwn(declared, name) ? this.infer(declared[name]) : ANYTHING,
        isRequired: isRequired.has(name),
      })),
      patterns: Object.entries(isSchema(patternProperties) ? patternProperties : {}).map(([source, part]) => ({
        pattern: regularExpression(source),
        shape: this.infer(part),
      })),
      additional: rest === undefined ? undefined : this.infer(rest),
    })
  }
}

function regularExpression(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch (error) {
    throw new ProtocolViolationError(
      `Cannot use the schema of a collection as its pattern "${source}" is no regular expression: ${(error as Error).message}`,
      { cause: error },
    )
  }
}

function resolve(reference: string, base: string): string {
  return URL.parse(reference, base)?.href ?? reference
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isSchema(value: unknown): value is Schema {
  return isObject(value) && !Array.isArray(value)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}
