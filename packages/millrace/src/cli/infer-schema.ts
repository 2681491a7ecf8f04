/**
 * Infers a JSON Schema from values: their types, the fields of objects, which fields are always there.
 */
import type { JsonSchema } from '../options/declaration.ts'

type TypeName = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object'

/** More names than that are data, for instance ids, and no fields. */
const MAX_FIELDS = 200

/** What has been seen at one place of the values. */
export class Shape {
  readonly #types = new Map<TypeName, number>()
  readonly #fields = new Map<string, Shape>()
  #items: Shape | undefined
  #areTimes = true

  get count(): number {
    return [...this.#types.values()].reduce((sum, count) => sum + count, 0)
  }

  add(value: unknown): void {
    const type = typeOf(value)
    this.#types.set(type, (this.#types.get(type) ?? 0) + 1)
    if (typeof value === 'string') this.#areTimes &&= isTime(value)
    if (Array.isArray(value)) for (const item of value as unknown[]) (this.#items ??= new Shape()).add(item)
    else if (typeof value === 'object' && value !== null)
      for (const [name, field] of Object.entries(value)) this.#field(name).add(field)
  }

  toSchema(): JsonSchema {
    const types = this.#typeNames()
    const objects = this.#types.get('object') ?? 0
    const fields = [...this.#fields].toSorted(([a], [b]) => (a < b ? -1 : 1))
    return {
      ...(types.length === 0 ? {} : { type: types.length === 1 ? types[0] : types }),
      ...(this.#types.has('string') && this.#areTimes ? { format: 'date-time' } : {}),
      ...(this.#items === undefined ? {} : { items: this.#items.toSchema() }),
      ...(objects === 0
        ? {}
        : fields.length > MAX_FIELDS
          ? { additionalProperties: this.#anyField().toSchema() }
          : this.#properties(fields, objects)),
    }
  }

  #field(name: string): Shape {
    const known = this.#fields.get(name)
    if (known !== undefined) return known
    const shape = new Shape()
    this.#fields.set(name, shape)
    return shape
  }

  /** A whole number is a number too. */
  #typeNames(): TypeName[] {
    return [...this.#types.keys()].filter((type) => type !== 'integer' || !this.#types.has('number')).toSorted()
  }

  #properties(fields: readonly (readonly [string, Shape])[], objects: number): JsonSchema {
    const required = fields.filter(([, shape]) => shape.count === objects).map(([name]) => name)
    return {
      properties: Object.fromEntries(fields.map(([name, shape]) => [name, shape.toSchema()])),
      ...(required.length === 0 ? {} : { required }),
    }
  }

  #anyField(): Shape {
    const any = new Shape()
    for (const shape of this.#fields.values()) any.#take(shape)
    return any
  }

  #take(other: Shape): void {
    for (const [type, count] of other.#types) this.#types.set(type, (this.#types.get(type) ?? 0) + count)
    for (const [name, shape] of other.#fields) this.#field(name).#take(shape)
    if (other.#items !== undefined) (this.#items ??= new Shape()).#take(other.#items)
    this.#areTimes &&= other.#areTimes
  }
}

function typeOf(value: unknown): TypeName {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value as 'boolean' | 'string' | 'object'
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text)
}
