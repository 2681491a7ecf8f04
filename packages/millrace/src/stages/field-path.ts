/**
 * Dotted paths into documents: `customer.address.city`.
 *
 * Documents are never changed in place, as one may still stand for unchanged bytes or share parts with another. So a
 * change copies the objects along its path and nothing else. Keys are copied with spread, which keeps a key named
 * `__proto__` an ordinary key; `Object.assign` would not.
 */

import { isHeld } from '../records/exact-numbers.ts'

/** Parsed value of a record, as stages see it. */
export type Document = { readonly [name: string]: unknown }

const PROTOTYPE_NAMES = new Set(Object.getOwnPropertyNames(Object.prototype))
const DIGITS = /^\d+$/

/** Given by `readField` when the path leads through an array, where the rules of the query language take over. */
export const THROUGH_ARRAY: unique symbol = Symbol('through array')

export function isDocument(value: unknown): value is Document {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof RegExp)
  )
}

/**
 * The names of a path that can be followed by plain property reads, or undefined: empty names, array indexes and names
 * that every object inherits need the full rules.
 */
export function plainPath(path: string): readonly string[] | undefined {
  const names = path.split('.')
  return names.some((name) => name === '' || DIGITS.test(name) || PROTOTYPE_NAMES.has(name)) ? undefined : names
}

/** What is wrong with a path as the name of a field to write, or undefined. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'a field name must not be empty'
  const names = path.split('.')
  if (names.includes('')) return `field path "${path}" must not have empty parts`
  if (names.includes('__proto__')) return `field path "${path}" must not contain "__proto__"`
  const operator = names.find((name) => name.startsWith('$'))
  return operator === undefined
    ? undefined
    : `field path "${path}" must not contain a name that begins with "$": ${operator}`
}

/** Reads a plain path. `undefined` when something is missing, `THROUGH_ARRAY` when an array lies before the last name. */
export function readField(document: unknown, names: readonly string[]): unknown {
  let value = document
  for (let i = 0; i < names.length; i++) {
    if (typeof value !== 'object' || value === null) return undefined
    if (Array.isArray(value)) return THROUGH_ARRAY
    value = (value as Document)[names[i]!]
  }
  return value
}

/**
 * A copy of a value with a field set. Missing objects on the way are made, a scalar on the way gives way to an object,
 * and in an array every element gets the field, as in MongoDB; a number addresses one element of an array.
 *
 * Gives the value itself when the field already is the same scalar, unless it may be another number that is the same as a double.
 */
export function withField(target: unknown, names: readonly string[], value: unknown, at = 0): unknown {
  if (at === names.length) return value
  const name = names[at]!
  if (Array.isArray(target)) {
    if (DIGITS.test(name)) {
      const index = Number(name)
      if (index >= target.length) return target
      const element = withField(target[index], names, value, at + 1)
      return element === target[index] && !(typeof element === 'number' && !isHeld(element))
        ? target
        : target.with(index, element)
    }
    return mapped(target, (element) => withField(element, names, value, at))
  }
  if (!isDocument(target)) return { [name]: withField(undefined, names, value, at + 1) }
  const old = Object.hasOwn(target, name) ? target[name] : undefined
  const child = withField(old, names, value, at + 1)
  const isSame = child === old && old !== undefined && !(typeof old === 'number' && !isHeld(old))
  return isSame ? target : { ...target, [name]: child }
}

/**
 * A copy of a value without a field. Arrays are searched element by element; a number addresses one element, which is
 * cut out. Gives the value itself when there is no such field.
 */
export function withoutField(target: unknown, names: readonly string[], at = 0): unknown {
  const name = names[at]!
  const last = at === names.length - 1
  if (Array.isArray(target)) {
    if (!DIGITS.test(name)) return mapped(target, (element) => withoutField(element, names, at))
    const index = Number(name)
    if (index >= target.length) return target
    if (last) return target.toSpliced(index, 1)
    const element = withoutField(target[index], names, at + 1)
    return element === target[index] ? target : target.with(index, element)
  }
  if (!isDocument(target) || !Object.hasOwn(target, name)) return target
  if (last) {
    const { [name]: _, ...rest } = target
    return rest
  }
  const child = withoutField(target[name], names, at + 1)
  return child === target[name] ? target : { ...target, [name]: child }
}

/** The array itself when no element changed. */
function mapped(elements: readonly unknown[], change: (element: unknown) => unknown): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let i = 0; i < elements.length; i++) {
    const element = change(elements[i])
    if (element !== elements[i]) (copy ??= elements.slice())[i] = element
  }
  return copy ?? elements
}
