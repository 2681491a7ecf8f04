/**
 * `millrace spec`: JSON Schema of a component, or of pipeline files.
 */
import { fileSchema, optionsSchema } from '../dialects/schema.ts'
import { findComponents } from './components.ts'
import type { Outcome } from './output.ts'

export async function spec(name: string | undefined, { json }: { readonly json?: true }): Promise<Outcome> {
  const schema = name === undefined ? fileSchema() : componentSchema(name)
  if (json === undefined) process.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`)
  return { exitCode: 0, summary: `JSON Schema of ${name ?? 'pipeline files'}`, result: schema }
}

/** Of the options; of either where a name means several components. */
function componentSchema(name: string): object {
  const schemas = findComponents(name).map(({ kind, name: own, summary, options }) => ({
    title: `${kind} ${own}`,
    description: summary,
    ...optionsSchema(options),
  }))
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...(schemas.length === 1 ? schemas[0] : { anyOf: schemas }),
  }
}
