/** Defaults of a table of properties, by their names in Kafka. */
import type { Fields } from '../../src/options/declaration.ts'

export function defaultsOf(fields: Fields): { [property: string]: unknown } {
  return Object.fromEntries(
    Object.values(fields).flatMap(({ meta, presence }) =>
      presence === 'defaulted' && meta.kafka !== undefined ? [[meta.kafka, meta.default]] : [],
    ),
  )
}
