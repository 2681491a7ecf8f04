/** Headers as a program gives them: a list of pairs, or an object of names and values. */

type Value = Uint8Array | string | null
export type HeaderPairs = readonly (readonly [name: string, value: Value])[]

/**
 * The list itself, or the pairs of an object; what is in them the producer checks.
 * @returns undefined for anything else, a `Map` for instance, whose headers would be lost
 */
export function pairsOf(headers: unknown): HeaderPairs | undefined {
  if (headers === undefined) return []
  if (Array.isArray(headers)) return headers as HeaderPairs
  if (typeof headers !== 'object' || headers === null) return undefined
  const prototype: unknown = Object.getPrototypeOf(headers)
  return prototype === Object.prototype || prototype === null ? Object.entries(headers) : undefined
}
