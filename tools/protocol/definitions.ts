/** Kafka's message definitions: JSON with comments, and versions as texts such as `3+`, `0-12` and `none`. */

export interface MessageDefinition {
  readonly name: string
  readonly type: 'request' | 'response' | 'header' | 'data'
  readonly apiKey?: number
  readonly listeners?: readonly string[]
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly latestVersionUnstable?: boolean
  readonly fields: readonly FieldDefinition[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly FieldDefinition[] }[]
}

export interface FieldDefinition {
  readonly name: string
  /** A primitive type or the name of a structure, with `[]` before it for an array. */
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly flexibleVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean
  readonly ignorable?: boolean
  readonly fields?: readonly FieldDefinition[]
}

export interface Range {
  readonly min: number
  readonly max: number
}

/** `undefined` for `none`. */
export function parseVersions(text: string): Range | undefined {
  if (text === 'none') return undefined
  const [, min, plus, max] = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text) ?? []
  if (min === undefined) throw new Error(`Cannot understand the versions "${text}"`)
  return { min: Number(min), max: plus === '+' ? Infinity : Number(max ?? min) }
}

export function parseDefinition(text: string): MessageDefinition {
  // Comments have lines of their own.
  return JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, '')) as MessageDefinition
}
