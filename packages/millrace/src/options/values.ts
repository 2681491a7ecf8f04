/**
 * Looking at values of unknown type.
 */

/** Whether a value is an object with names, and not a list or a date. */
export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

export function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** What is found where something else was expected, for messages. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (value instanceof Date) return `the date ${value.toISOString()}`
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string')
    return value === '' ? 'empty text' : JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  return isScalar(value) ? String(value) : `a ${typeof value}`
}
