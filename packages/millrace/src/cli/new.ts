/**
 * `millrace new`: a pipeline file to begin with, made from the declarations of its components.
 */
import { writeFile } from 'node:fs/promises'
import { ConfigError, FileError } from '../errors/index.ts'
import { unwritable } from '../errors/unwritable.ts'
import { describe } from '../options/describe.ts'
import { COMPONENTS, findComponents, type ListedComponent } from './components.ts'
import { wrap } from './list.ts'
import type { Outcome } from './output.ts'

export interface NewOptions {
  readonly source: string
  readonly sink: string
  readonly force?: true
  readonly json?: true
}

/** @param given name of the pipeline, or of its file */
export async function create(given: string | undefined, { source, sink, force, json }: NewOptions): Promise<Outcome> {
  const ending = /\.ya?ml$/.exec(given ?? '')?.[0] ?? '.yaml'
  const name = given?.replace(/\.ya?ml$/, '')
  const file = `${name ?? 'my-pipeline'}${ending}`
  const text = await starter(name ?? 'my-pipeline', file, find('source', source), find('sink', sink))
  if (name === undefined) {
    if (json === undefined) process.stdout.write(text)
    return { exitCode: 0, summary: 'A starter pipeline file', result: { text } }
  }
  if (!/^[\w][\w.-]*$/.test(name))
    throw new ConfigError(
      `Cannot use "${name}" as the name of a pipeline as it must consist of letters, digits, dots, dashes and underscores`,
    )
  if (/\.(?:json|toml)$/.test(name))
    throw new ConfigError(`Cannot create "${name}" as new files are YAML: remove the extension`)
  await write(file, text, force === true)
  if (json === undefined)
    process.stdout.write(
      `Created ${file}. Next steps:\n  millrace lint ${file}\n  millrace check ${file}\n  millrace dry-run ${file}\n  millrace run ${file}\n`,
    )
  return { exitCode: 0, summary: `${file} written`, result: { file, text } }
}

function find(kind: ListedComponent['kind'], name: string): ListedComponent {
  const entry = COMPONENTS.find((one) => one.kind === kind && one.name === name)
  return entry ?? findComponents(`${kind}.${name}`)[0]!
}

/** What sources call the amount of an order that they make up. */
const AMOUNTS: { readonly [source: string]: string | undefined } = { datagen: 'total' }

/** What a first run needs beside the options of the first example: a group to return to, a topic to write to. */
const STARTERS: {
  readonly [component: string]: ((pipeline: string) => { readonly [option: string]: unknown }) | undefined
} = {
  'source.kafka': (pipeline) => ({ groupId: pipeline }),
  'source.generate': () => ({ records: 1000 }),
  'sink.kafka': () => ({ createTopic: {} }),
}

async function starter(name: string, file: string, source: ListedComponent, sink: ListedComponent): Promise<string> {
  return `# ${name}: what it is for.
#
#   millrace lint ${file}      finds errors
#   millrace dry-run ${file}   prints what would be written
#   millrace run ${file}       runs until Ctrl-C
#
# For completion in your editor, run millrace spec > pipeline.schema.json and make this the first line of the file:
#   # yaml-language-server: $schema=pipeline.schema.json
name: ${name}

${await block(source, name)}
# Stages run in order and use MongoDB's expressions. Without stages, records are moved unchanged.
stages:
  - $match: { ${AMOUNTS[source.name] ?? 'amount'}: { $gte: 100 } } # keeps the records that match
  - $set: { tier: high } # adds or changes fields
  # - $unset: items
  # - $project: { id: 1, amount: 1, partition: $_meta.partition }

${await block(sink, name)}`
}

/** The options of the first example, then the others that are often used, as comments. */
async function block({ kind, name, summary, options, load }: ListedComponent, pipeline: string): Promise<string> {
  const { stringify } = await import('yaml')
  const { examples = [] } = await load()
  const example = examples[0]?.options as { readonly [option: string]: unknown } | undefined
  const chosen = Object.entries({ ...example, ...STARTERS[`${kind}.${name}`]?.(pipeline) })
  const rows = describe(options)
  const lines = chosen.flatMap(([key, value]) => {
    const doc = rows.find((row) => [row.name, row.kafka, ...row.aliases].includes(key))?.doc ?? ''
    const written = key === 'bootstrapServers' ? '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}' : value
    return [
      ...wrap(doc, 110).map((line) => `    # ${line}`),
      ...stringify({ [key]: written })
        .trimEnd()
        .split('\n')
        .map((line) => `    ${line}`),
    ]
  })
  const rest = rows.length - chosen.length
  return [
    `# ${summary}`,
    `${kind}:`,
    `  type: ${name}`,
    ...(lines.length === 0 ? [] : ['  options:', ...lines]),
    ...(rest > 0 ? [`    # ${rest} more: millrace info ${kind}.${name}`] : []),
    '',
  ].join('\n')
}

async function write(file: string, text: string, overwrite: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: overwrite ? 'w' : 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(`"${file}"`, error)
    throw new FileError(
      'FILE_UNWRITABLE',
      `The file "${file}" already exists: choose another name, or overwrite it with --force`,
      { cause: error },
    )
  }
}
