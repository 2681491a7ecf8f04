/** The schema that the options give, and those that it refers to. */
import { ConfigError } from '../../errors/index.ts'
import type {
  OwnSchema,
  ReferencedSchema,
  SchemaReference,
  SchemaStore,
  SchemaType,
  SchemaWriting,
} from '../../contracts/schemas.ts'
import type { NumberReader, ReadySchema, SchemaFormat } from './ready-schema.ts'

/** Where the references of a schema come from, and go to. */
interface Registered {
  readonly type: SchemaType
  readonly store: SchemaStore | undefined
  /** How references that the options give are registered; undefined where nothing is written. */
  readonly writing: Pick<SchemaWriting, 'register'> | undefined
}

interface ParsedOwn {
  readonly schema: ReadySchema
  readonly text: string
  /** As the registry knows them. */
  readonly references: readonly SchemaReference[]
}

/**
 * @throws {ConfigError} when it is no schema of the format; {FileError}; {RegistryError} for references; {ConnectionError}
 */
export async function parseOwn(
  format: SchemaFormat,
  own: OwnSchema,
  registered: Registered,
  { message, numbers }: { readonly message?: string | undefined; readonly numbers?: NumberReader | undefined },
): Promise<ParsedOwn> {
  const text = await own.read()
  const { texts, references } = await referencesOf(own, registered)
  try {
    return { schema: format.parse({ text, references: texts, message, numbers }), text, references }
  } catch (error) {
    throw new ConfigError(`Cannot use ${own.what}: ${(error as Error).message}`, [], { cause: error })
  }
}

async function referencesOf(
  { references: given = [] }: OwnSchema,
  { type, store, writing }: Registered,
): Promise<{ readonly texts: readonly ReferencedSchema[]; readonly references: readonly SchemaReference[] }> {
  const texts = new Map<string, string>()
  const references: SchemaReference[] = []
  for (const { name, subject = name, version, read } of given) {
    if (read === undefined) {
      const found = { name, subject, version: version ?? (await store!.latest(subject)).version }
      for (const needed of await store!.references({ references: [found] })) texts.set(needed.name, needed.text)
      references.push(found)
      continue
    }
    const text = await read()
    if (store !== undefined && writing !== undefined) {
      const schema = { type, text, references: references.filter((one) => text.includes(one.name)) }
      if (writing.register) await store.register(subject, schema)
      references.push({ name, subject, version: await store.versionOf(subject, schema) })
    }
    texts.set(name, text)
  }
  return { texts: [...texts].map(([name, text]) => ({ name, text })), references }
}
