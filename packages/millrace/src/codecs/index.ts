/**
 * Codecs: how the bytes of a value become a document, and documents bytes again.
 *
 * `documents.ts` has the two steps of a pipeline. May import contracts and errors; no source, stage or sink.
 */
import { CODEC_NAMES, TEXT_KEYS, type CodecName } from '../contracts/codec-names.ts'
import type { Codec, KeyCodec } from '../contracts/codec.ts'
import { ConfigError } from '../errors/index.ts'
import {
  bytesCodec,
  doubleCodec,
  floatCodec,
  integerCodec,
  longCodec,
  shortCodec,
  uuidCodec,
  voidCodec,
} from './binary.ts'
import { jsonCodec } from './json.ts'
import { keysOf, textKeys } from './keys.ts'

export { createDocuments, decodeDocuments, encodeDocuments } from './documents.ts'

const CODECS: { readonly [name in CodecName]: Codec } = {
  json: jsonCodec,
  bytes: bytesCodec,
  short: shortCodec,
  integer: integerCodec,
  long: longCodec,
  float: floatCodec,
  double: doubleCodec,
  uuid: uuidCodec,
  void: voidCodec,
}

/** @throws {ConfigError} `CONFIG_INVALID` naming what is not understood, with `path` */
export function codecByName(name: string, path = ''): Codec {
  if (Object.hasOwn(CODECS, name)) return CODECS[name as CodecName]
  const message = `Cannot use "${name}" as a codec`
  const suggestion = `use one of ${CODEC_NAMES.join(', ')}`
  throw new ConfigError(`${message}: ${suggestion}`, [{ path, message, suggestion }])
}

/** @throws {ConfigError} as `codecByName` */
export function keyCodecByName(name: string = TEXT_KEYS, path = ''): KeyCodec {
  return name === TEXT_KEYS ? textKeys : keysOf(codecByName(name, path))
}
