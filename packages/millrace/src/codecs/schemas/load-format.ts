/** Loads the library of a format when it is first used, once for all codecs. */
import type { SchemaCodecName } from '../../contracts/codec-names.ts'
import type { SchemaFormat } from './ready-schema.ts'

const LOADERS: { readonly [name in SchemaCodecName]: () => Promise<SchemaFormat> } = {
  avro: async () => (await import('./avro/index.ts')).loadAvro(),
  protobuf: async () => (await import('./protobuf/index.ts')).loadProtobuf(),
  'json-schema': async () => (await import('./json-schema.ts')).loadJsonSchema(),
}

const loaded = new Map<SchemaCodecName, Promise<SchemaFormat>>()

export function loadFormat(name: SchemaCodecName): Promise<SchemaFormat> {
  let format = loaded.get(name)
  if (format === undefined) loaded.set(name, (format = LOADERS[name]()))
  return format
}
