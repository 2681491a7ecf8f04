/**
 * What a JSON Schema says about the values at a location, as far as Avro needs it: which types they may have, and what is in them.
 *
 * A shape is the start for two operations: `intersect`, for what must hold together (`allOf`, `$ref`), and `union`, for alternatives
 * (`oneOf`, `anyOf`). `infer-shape.ts` makes shapes of schemas.
 */

/** Bits of `Shape.types`. Numbers are two types: those of JSON Schema's `integer`, and others. */
export const ARRAY = 1
export const BOOLEAN = 2
export const INTEGER = 4
export const FRACTIONAL = 8
export const NULL = 16
export const OBJECT = 32
export const STRING = 64
export const ANY_TYPE = 127
export const NUMBER: number = INTEGER | FRACTIONAL

export interface Shape {
  /** 0 for what is impossible. */
  readonly types: number
  /** Of strings. */
  readonly format: string | undefined
  readonly defaultValue: { readonly value: unknown } | undefined
  readonly enumeration: readonly unknown[] | undefined
  readonly array: ArrayShape
  readonly object: ObjectShape
}

export interface ArrayShape {
  readonly tuple: readonly Shape[]
  /** Of elements behind the tuple; anything when undefined. */
  readonly additional: Shape | undefined
  readonly minItems: number
  readonly maxItems: number | undefined
}

export interface ObjectShape {
  /** Sorted by the bytes of their names. */
  readonly properties: readonly PropertyShape[]
  readonly patterns: readonly PatternShape[]
  /** Of other members; anything when undefined. */
  readonly additional: Shape | undefined
}

export interface PropertyShape {
  readonly name: string
  readonly shape: Shape
  readonly isRequired: boolean
}

export interface PatternShape {
  readonly pattern: RegExp
  readonly shape: Shape
}

export const OPEN_ARRAY: ArrayShape = { tuple: [], additional: undefined, minItems: 0, maxItems: undefined }
export const OPEN_OBJECT: ObjectShape = { properties: [], patterns: [], additional: undefined }

export const ANYTHING: Shape = {
  types: ANY_TYPE,
  format: undefined,
  defaultValue: undefined,
  enumeration: undefined,
  array: OPEN_ARRAY,
  object: OPEN_OBJECT,
}

export const IMPOSSIBLE: Shape = { ...ANYTHING, types: 0 }

/** The types of some values. 1.0 counts as an integer. */
export function typesOfValues(values: readonly unknown[]): number {
  return values.reduce((types: number, value) => types | typeOfValue(value), 0)
}

function typeOfValue(value: unknown): number {
  if (value === null) return NULL
  if (Array.isArray(value)) return ARRAY
  if (typeof value === 'boolean') return BOOLEAN
  if (typeof value === 'string') return STRING
  if (typeof value === 'number') return Number.isInteger(value) ? INTEGER : FRACTIONAL
  return OBJECT
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** Values that are of both shapes. Where only one of them may be said, the left one counts. */
export function intersect(left: Shape, right: Shape): Shape {
  let types = left.types & right.types
  let { enumeration } = left
  if (right.enumeration !== undefined) {
    const { enumeration: others } = right
    enumeration = enumeration?.filter((value) => others.some((other) => isSame(value, other))) ?? others
  }
  if (enumeration !== undefined) types &= typesOfValues(enumeration)
  const both = left.types & right.types
  return {
    types,
    format: (both & STRING) === 0 ? undefined : (left.format ?? right.format),
    defaultValue: left.defaultValue ?? right.defaultValue,
    enumeration,
    array: (both & ARRAY) === 0 ? OPEN_ARRAY : intersectArrays(left.array, right.array),
    object: (both & OBJECT) === 0 ? OPEN_OBJECT : intersectObjects(left.object, right.object),
  }
}

function intersectOptional(left: Shape | undefined, right: Shape | undefined): Shape | undefined {
  return left === undefined ? right : right === undefined ? left : intersect(left, right)
}

function intersectArrays(left: ArrayShape, right: ArrayShape): ArrayShape {
  const length = Math.max(left.tuple.length, right.tuple.length)
  const maxItems = [left.maxItems, right.maxItems].filter((max) => max !== undefined)
  return {
    tuple: Array.from(
      { length },
      (_, i) => intersectOptional(left.tuple[i] ?? left.additional, right.tuple[i] ?? right.additional) ?? ANYTHING,
    ),
    additional: intersectOptional(left.additional, right.additional),
    minItems: Math.max(left.minItems, right.minItems),
    maxItems: maxItems.length === 0 ? undefined : Math.min(...maxItems),
  }
}

function intersectObjects(left: ObjectShape, right: ObjectShape): ObjectShape {
  const properties = namesOf(left, right).map((name): PropertyShape => {
    const a = propertyOf(left, name)
    const b = propertyOf(right, name)
    return {
      name,
      shape: intersectOptional(a?.shape ?? undeclared(left, name), b?.shape ?? undeclared(right, name)) ?? ANYTHING,
      isRequired: (a?.isRequired ?? false) || (b?.isRequired ?? false),
    }
  })
  const patterns = [...left.patterns]
  for (const { pattern, shape } of right.patterns) {
    const same = patterns.findIndex((one) => one.pattern.source === pattern.source)
    if (same < 0) patterns.push({ pattern, shape })
    else patterns[same] = { pattern, shape: intersect(patterns[same]!.shape, shape) }
  }
  return { properties, patterns, additional: intersectOptional(left.additional, right.additional) }
}

/** Values that are of one of the shapes. */
export function union(left: Shape, right: Shape): Shape {
  if (left.types === 0) return right
  if (right.types === 0) return left
  const of = (type: number): 'both' | 'left' | 'right' | 'none' =>
    (left.types & type) === 0
      ? (right.types & type) === 0
        ? 'none'
        : 'right'
      : (right.types & type) === 0
        ? 'left'
        : 'both'
  const choose = <T>(type: number, both: () => T, none: T, part: (shape: Shape) => T): T =>
    ({ both, left: () => part(left), right: () => part(right), none: () => none })[of(type)]()
  const { defaultValue } = left
  return {
    types: left.types | right.types,
    format: choose(
      STRING,
      () => unionFormat(left.format, right.format),
      undefined,
      ({ format }) => format,
    ),
    defaultValue:
      defaultValue && right.defaultValue && isSame(defaultValue, right.defaultValue) ? defaultValue : undefined,
    enumeration: left.enumeration && right.enumeration && [...left.enumeration, ...right.enumeration],
    array: choose(
      ARRAY,
      () => unionArrays(left.array, right.array),
      OPEN_ARRAY,
      ({ array }) => array,
    ),
    object: choose(
      OBJECT,
      () => unionObjects(left.object, right.object),
      OPEN_OBJECT,
      ({ object }) => object,
    ),
  }
}

function unionFormat(left: string | undefined, right: string | undefined): string | undefined {
  if (left === right) return left
  const isNumeric = (format: string | undefined): boolean => format === 'integer' || format === 'number'
  return isNumeric(left) && isNumeric(right) ? 'number' : undefined
}

/** What is open on one side is open. */
function unionOptional(left: Shape | undefined, right: Shape | undefined): Shape | undefined {
  return left === undefined || right === undefined ? undefined : union(left, right)
}

function unionArrays(left: ArrayShape, right: ArrayShape): ArrayShape {
  const length = Math.max(left.tuple.length, right.tuple.length)
  const { maxItems } = left
  return {
    tuple: Array.from(
      { length },
      (_, i) => unionOptional(left.tuple[i] ?? left.additional, right.tuple[i] ?? right.additional) ?? ANYTHING,
    ),
    additional: unionOptional(left.additional, right.additional),
    minItems: Math.min(left.minItems, right.minItems),
    maxItems: maxItems === undefined || right.maxItems === undefined ? undefined : Math.max(maxItems, right.maxItems),
  }
}

/** A name of one side that the other one says nothing about is dropped: it may be anything. */
function unionObjects(left: ObjectShape, right: ObjectShape): ObjectShape {
  const properties = namesOf(left, right).flatMap((name): PropertyShape[] => {
    const a = propertyOf(left, name)
    const b = propertyOf(right, name)
    const shape = unionOptional(a?.shape ?? undeclared(left, name), b?.shape ?? undeclared(right, name))
    return shape === undefined
      ? []
      : [{ name, shape, isRequired: (a?.isRequired ?? false) && (b?.isRequired ?? false) }]
  })
  const patterns = [...left.patterns, ...right.patterns].flatMap(({ pattern }, i, all): PatternShape[] => {
    if (all.findIndex((one) => one.pattern.source === pattern.source) < i) return []
    const of = (side: ObjectShape): Shape | undefined =>
      side.patterns.find((one) => one.pattern.source === pattern.source)?.shape ?? side.additional
    const shape = unionOptional(of(left), of(right))
    return shape === undefined ? [] : [{ pattern, shape }]
  })
  return { properties, patterns, additional: unionOptional(left.additional, right.additional) }
}

function namesOf(left: ObjectShape, right: ObjectShape): string[] {
  const names = [...left.properties, ...right.properties].map(({ name }) => name)
  return [...new Set(names)].toSorted(byBytes)
}

function propertyOf({ properties }: ObjectShape, name: string): PropertyShape | undefined {
  return properties.find((property) => property.name === name)
}

/** What a side says about a member that it does not declare; undefined when that may be anything. */
function undeclared({ patterns, additional }: ObjectShape, name: string): Shape | undefined {
  const matching = patterns.filter(({ pattern }) => pattern.test(name))
  return matching.length === 0 ? additional : matching.map(({ shape }) => shape).reduce(intersect)
}

/** Properties with what patterns say about them. */
export function withPatterns(object: ObjectShape): ObjectShape {
  if (object.patterns.length === 0) return object
  const properties = object.properties.map((property) => {
    const matching = object.patterns.filter(({ pattern }) => pattern.test(property.name))
    return { ...property, shape: matching.reduce((shape, one) => intersect(shape, one.shape), property.shape) }
  })
  return { ...object, properties }
}

export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** What is known of the location that a pointer names, and whether each document has it; undefined when nothing is. */
export function locate(
  shape: Shape,
  pointer: string,
): { readonly shape: Shape; readonly isRequired: boolean } | undefined {
  let found = { shape, isRequired: true }
  for (const token of tokensOf(pointer)) {
    const { types, object, array } = found.shape
    if (typeof token === 'number') {
      const element = array.tuple[token]
      if (element === undefined) return undefined
      found = { shape: element, isRequired: found.isRequired && types === ARRAY && token < array.minItems }
    } else {
      const property = propertyOf(object, token)
      if (property === undefined) return undefined
      found = { shape: property.shape, isRequired: found.isRequired && types === OBJECT && property.isRequired }
    }
  }
  return found
}

/** A token of digits is an index of an array, even where an object has a property of that name. The leading slash may be missing. */
function tokensOf(pointer: string): (string | number)[] {
  if (pointer === '') return []
  return pointer
    .replace(/^\//, '')
    .split('/')
    .map((token) =>
      /^(?:0|[1-9]\d*)$/.test(token) ? Number(token) : token.replaceAll('~1', '/').replaceAll('~0', '~'),
    )
}
