/** The schema that the options give. */
import { ConfigError } from '../../errors/index.ts'
import type { OwnSchema } from '../../contracts/schemas.ts'
import type { NumberReader, ReadySchema, SchemaFormat } from './ready-schema.ts'

/** @throws {ConfigError} when it is no schema of the format; {FileError} */
export async function parseOwn(
  format: SchemaFormat,
  own: OwnSchema,
  message: string | undefined,
  numbers?: NumberReader,
): Promise<{ readonly schema: ReadySchema; readonly text: string }> {
  const text = await own.read()
  try {
    return { schema: format.parse({ text, references: [], message, numbers }), text }
  } catch (error) {
    throw new ConfigError(`Cannot use ${own.what}: ${(error as Error).message}`, [], { cause: error })
  }
}
