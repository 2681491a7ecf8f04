/** What a source or sink passes to the codecs of its keys and values, and the registry that it shares with others of the process. */
import { readFile } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { codecNameOfClass, isSchemaCodec, keyCodecNameOfClass } from '../contracts/codec-names.ts'
import type { OwnSchema, SchemaUse, SchemaWriting } from '../contracts/schemas.ts'
import type { Check } from '../contracts/source.ts'
import { unreadable } from '../errors/unreadable.ts'
import type { SinkSchemaOptions, SourceSchemaOptions, WrittenSchema } from './format-fields.ts'
import { sharedRegistry, type SchemaRegistry } from './index.ts'
import { registrySettings } from './settings.ts'
import { subjectName } from './subjects.ts'

/** Schemas of a component. Nothing is connected until a codec asks for a schema. */
export interface ComponentSchemas {
  readonly value: SchemaUse | undefined
  readonly key: SchemaUse | undefined
  /** That the registry answers; for `check`. */
  readonly checks: readonly Check[]
  /** What it waits for while the registry does not answer, as part of a sentence; undefined while it does not wait. */
  readonly problem: string | undefined
  /** May be called twice. */
  close(): Promise<void>
}

interface Surroundings {
  /** Against which relative paths are resolved. */
  readonly directory: string
  readonly warn: SchemaUse['warn']
}

/** @param classes how keys and values are read, as their options say it */
export function sourceSchemas(
  options: SourceSchemaOptions,
  classes: { readonly key: string; readonly value: string },
  surroundings: Surroundings,
): ComponentSchemas {
  return componentSchemas(options, classes, surroundings, () => undefined)
}

/** @param topic that is written */
export function sinkSchemas(
  options: Omit<SinkSchemaOptions, 'schemaIdLocation'>,
  classes: { readonly key: string; readonly value: string },
  topic: string,
  surroundings: Surroundings,
): ComponentSchemas {
  const { subjectNameStrategy: strategy, autoRegisterSchemas: register, normalizeSchemas: normalize } = options
  return componentSchemas(options, classes, surroundings, (part) => ({
    subject: (recordName, text) =>
      options[`${part}Subject`] ?? subjectName(strategy, { topic, part, recordName, text }),
    register,
    normalize,
  }))
}

function componentSchemas(
  options: SourceSchemaOptions,
  classes: { readonly key: string; readonly value: string },
  { directory, warn }: Surroundings,
  writing: (part: 'key' | 'value') => SchemaWriting | undefined,
): ComponentSchemas {
  const { schemaRegistry: registryOptions } = options
  const hasSchema = {
    value: isSchemaCodec(codecNameOfClass(classes.value)),
    key: isSchemaCodec(keyCodecNameOfClass(classes.key)),
  }
  const shared =
    registryOptions === undefined || !(hasSchema.value || hasSchema.key)
      ? undefined
      : sharedRegistry(registrySettings(registryOptions), directory)
  const waiting = new Set<{ readonly problem: string }>()
  const waits = (problem: string): (() => void) => {
    const wait = { problem }
    waiting.add(wait)
    return () => void waiting.delete(wait)
  }
  const useOf = (part: 'key' | 'value'): SchemaUse | undefined =>
    hasSchema[part]
      ? {
          part,
          store: shared?.registry,
          own: ownSchema(options[`${part}Schema`], options[`${part}References`], `${part}Schema`, directory),
          message: options[`${part}Message`],
          writing: shared === undefined ? undefined : writing(part),
          latestTtlMs: registryOptions?.latestTtlMs ?? 0,
          warn,
          waits,
        }
      : undefined
  return {
    value: useOf('value'),
    key: useOf('key'),
    checks: shared === undefined ? [] : [registryCheck(shared.registry)],
    get problem() {
      return waiting.values().next().value?.problem
    },
    close: async () => shared?.release(),
  }
}

function ownSchema(
  written: WrittenSchema | undefined,
  references: SourceSchemaOptions['valueReferences'] = [],
  option: string,
  directory: string,
): OwnSchema | undefined {
  if (written === undefined) return undefined
  const { what, key, read } = schemaText(written, `the schema in ${option}`, directory)
  if (references.length === 0) return { what, key, read }
  return {
    what,
    key: JSON.stringify([key, references]),
    read,
    references: references.map(({ name, subject, version, schema }) => ({
      name,
      subject,
      version,
      read: schema && schemaText(schema, `the schema "${name}"`, directory).read,
    })),
  }
}

/** @param inline what it is called where it is no file */
function schemaText(
  written: WrittenSchema,
  inline: string,
  directory: string,
): { readonly what: string; readonly key: string; readonly read: () => Promise<string> } {
  if ('text' in written) return { what: inline, key: written.text, read: () => Promise.resolve(written.text) }
  const path = isAbsolute(written.file) ? written.file : resolve(directory, written.file)
  return {
    what: `the schema "${written.file}"`,
    key: path,
    async read() {
      try {
        return await readFile(path, 'utf8')
      } catch (error) {
        throw unreadable(`the schema "${path}"`, error)
      }
    },
  }
}

function registryCheck(registry: SchemaRegistry): Check {
  return {
    name: 'schema registry',
    async run() {
      const { length } = await registry.subjects()
      return `"${registry.urls[0]}" answers and has ${length.toLocaleString('en-US')} subject${length === 1 ? '' : 's'}`
    },
  }
}
