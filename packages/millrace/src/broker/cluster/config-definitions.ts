/** How a setting is declared, whatever it belongs to: its type, its default, and the values it may have. */

export type ConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list'

/** Numbers of the types in DescribeConfigs. */
export const CONFIG_TYPE_IDS: { readonly [type in ConfigType]: number } = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
}

export interface ConfigDefinition {
  readonly type: ConfigType
  readonly default: string
  readonly values?: readonly string[]
  readonly min?: number
  readonly max?: number
  /**
   * Whose value is the default: the setting of a broker. It is described as a synonym, with the same value unless `synonymValue` has
   * another one, as `log.retention.hours` of `retention.ms`.
   */
  readonly synonym?: string
  readonly synonymValue?: string
}

/** Settings that were set, by name. */
export type Configs = ReadonlyMap<string, string>

/** What is wrong with a value; `undefined` when the setting may have it. */
export function valueProblem(name: string, value: string, definition: ConfigDefinition): string | undefined {
  const invalid = `Invalid value ${value} for configuration ${name}`
  const { type, values, min = -Infinity, max = Infinity } = definition
  if (type === 'boolean')
    return value === 'true' || value === 'false' ? undefined : `${invalid}: Expected value to be either true or false`
  if (type === 'string' || type === 'list') {
    const parts = type === 'list' ? listOf(value) : [value]
    if (values === undefined || parts.every((part) => values.includes(part))) return undefined
    return `${invalid}: String must be one of: ${values.join(', ')}`
  }
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number) || (type !== 'double' && !Number.isInteger(number)))
    return `${invalid}: Not a number of type ${type.toUpperCase()}`
  if (number < min) return `${invalid}: Value must be at least ${min}`
  return number > max ? `${invalid}: Value must be no more than ${max}` : undefined
}

export function listOf(value: string): string[] {
  return value === '' ? [] : value.split(',').map((part) => part.trim())
}
