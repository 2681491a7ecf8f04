/**
 * Codecs: how the bytes of a value become a document, and documents bytes again.
 *
 * `documents.ts` has the two steps of a pipeline. May import contracts and errors; no source, stage or sink.
 */
import { ALL_CODEC_NAMES, isSchemaCodec, TEXT_KEYS, type CodecName } from '../contracts/codec-names.ts'
import type { Codec, KeyCodec } from '../contracts/codec.ts'
import type { SchemaUse } from '../contracts/schemas.ts'
import { ConfigError } from '../errors/index.ts'
import {
  bytesCodec,
  doubleCodec,
  floatCodec,
  integerCodec,
  longCodec,
  shortCodec,
  stringCodec,
  uuidCodec,
  voidCodec,
} from './binary.ts'
import { jsonCodec } from './json.ts'
import { keysOf, textKeys } from './keys.ts'
import { SchemaCodec } from './schemas/schema-codec.ts'

export { createDocuments, decodeDocuments, encodeDocuments } from './documents.ts'

const CODECS: { readonly [name in CodecName]: Codec } = {
  json: jsonCodec,
  string: stringCodec,
  bytes: bytesCodec,
  short: shortCodec,
  integer: integerCodec,
  long: longCodec,
  float: floatCodec,
  double: doubleCodec,
  uuid: uuidCodec,
  void: voidCodec,
}

/**
 * @param use for codecs that need a schema
 * @throws {ConfigError} `CONFIG_INVALID` naming what is not understood, with `path`
 */
export function codecByName(name: string, path = '', use?: SchemaUse): Codec {
  if (Object.hasOwn(CODECS, name)) return CODECS[name as CodecName]
  if (use !== undefined && isSchemaCodec(name)) return new SchemaCodec(name, use)
  const isKnown = isSchemaCodec(name)
  const message = isKnown ? `Cannot use the codec ${name} without a schema` : `Cannot use "${name}" as a codec`
  const suggestion = isKnown ? 'set schemaRegistry or a schema' : `use one of ${ALL_CODEC_NAMES.join(', ')}`
  throw new ConfigError(`${message}: ${suggestion}`, [{ path, message, suggestion }])
}

/** @throws {ConfigError} as `codecByName` */
export function keyCodecByName(name: string = TEXT_KEYS, path = '', use?: SchemaUse): KeyCodec {
  return name === TEXT_KEYS ? textKeys : keysOf(codecByName(name, path, use))
}
