/**
 * `millrace spec`: JSON Schema of a component, or of pipeline files.
 */
import { DRAFT, fileSchema, optionsSchema } from '../dialects/schema.ts'
import { findComponents, titleOf } from './components.ts'
import type { Outcome } from './output.ts'

export async function spec(name: string | undefined, { json }: { readonly json?: true }): Promise<Outcome> {
  const schema = name === undefined ? fileSchema() : componentSchema(name)
  if (json === undefined) process.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`)
  return { exitCode: 0, summary: `JSON Schema of ${name ?? 'pipeline files'}`, result: schema }
}

/** Of the options; of either where a name means several components. */
export function componentSchema(name: string): object {
  const schemas = findComponents(name).map((component) => ({
    title: titleOf(component),
    description: component.summary,
    ...optionsSchema(component.options),
  }))
  return {
    $schema: DRAFT,
    ...(schemas.length === 1 ? schemas[0] : { anyOf: schemas }),
  }
}
