/**
 * The names under which options may be written.
 */
import type { AnyField, Fields } from './declaration.ts'

/** All names of an option: its own, its Kafka property, its aliases. */
export function spellings(name: string, { meta: { kafka, aliases = [] } }: AnyField): readonly string[] {
  return [name, ...(kafka === undefined || kafka === name ? [] : [kafka]), ...aliases]
}

/** `lingerMs` as `linger_ms`. */
export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** The option behind every name that may be written. */
export function nameTable(fields: Fields): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const [name, field] of Object.entries(fields))
    for (const spelling of spellings(name, field)) names.set(spelling, name)
  return names
}

/** The name under which an option is written; undefined when it is not. */
export function writtenName(
  name: string,
  field: AnyField,
  written: { readonly [name: string]: unknown },
): string | undefined {
  return spellings(name, field).find((spelling) => spelling in written)
}

/** The values for which some fields have an option, and of which nothing is written under any name. */
export function pickUnwritten(
  values: { readonly [name: string]: unknown },
  fields: Fields,
  written: { readonly [name: string]: unknown },
): { readonly [name: string]: unknown } {
  const isMissing = ([name]: [string, unknown]): boolean => {
    const field = fields[name]
    return field !== undefined && writtenName(name, field, written) === undefined
  }
  return Object.fromEntries(Object.entries(values).filter(isMissing))
}
