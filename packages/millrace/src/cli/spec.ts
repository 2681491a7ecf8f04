/**
 * `millrace spec`: JSON Schema of a component, or of pipeline files.
 */
import { DRAFT, optionsSchema } from '../dialects/options-schema.ts'
import { fileSchema } from '../dialects/schema.ts'
import { stageDefinitions, stageSchema } from '../dialects/stages-schema.ts'
import type { JsonSchema } from '../options/declaration.ts'
import type { StageName } from '../stages/definitions/index.ts'
import { findComponents, titleOf, type ListedComponent } from './components.ts'
import type { Outcome } from './output.ts'

export async function spec(name: string | undefined, { json }: { readonly json?: true }): Promise<Outcome> {
  const schema = name === undefined ? fileSchema() : componentSchema(findComponents(name))
  if (json === undefined) process.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`)
  return { exitCode: 0, summary: `JSON Schema of ${name ?? 'pipeline files'}`, result: schema }
}

/** Of the options of a component, and of what stands below the name of a stage; of either where there are several. */
export function componentSchema(components: readonly ListedComponent[]): JsonSchema {
  const schemas = components.map((component) => ({
    title: titleOf(component),
    ...(component.kind === 'stage' ? stageSchema(component.name as StageName) : optionsSchema(component.options)),
    description: component.summary,
  }))
  const schema = { $schema: DRAFT, ...(schemas.length === 1 ? schemas[0] : { anyOf: schemas }) }
  return JSON.stringify(schema).includes('"#/definitions/stages"')
    ? { ...schema, definitions: stageDefinitions }
    : schema
}
