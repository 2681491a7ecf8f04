/**
 * Codecs: how the bytes of a value become a document, and documents bytes again.
 *
 * `documents.ts` has the two steps of a pipeline. May import contracts and errors; no source, stage or sink.
 */
import type { Codec } from '../contracts/codec.ts'
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
import { CODEC_NAMES, codecNameOfClass, JAVA_SERIALIZERS, type CodecName } from '../contracts/codec-names.ts'

export { createDocuments, decodeDocuments, encodeDocuments } from './documents.ts'
export { CODEC_NAMES } from '../contracts/codec-names.ts'

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

/**
 * Finds a codec by its name or by a Java serializer or deserializer class, with or without its package.
 *
 * @throws {ConfigError} `CONFIG_INVALID` naming what is not understood, with `path`
 */
export function codecByName(name: string, path = ''): Codec {
  return Object.hasOwn(CODECS, name) ? CODECS[name as CodecName] : codecByClass(name, path)
}

/**
 * Finds the codec that stands for one of Kafka's serializer or deserializer classes. StringSerializer carries JSON, as on
 * the host of these class names.
 *
 * @throws {ConfigError} `CONFIG_INVALID` naming the class, with `path`
 */
export function codecByClass(className: string, path = ''): Codec {
  const name = codecNameOfClass(className)
  if (name !== undefined) return CODECS[name]
  const message = `Cannot use "${className}" as a codec`
  const suggestion = `use one of ${CODEC_NAMES.join(', ')}, or a class of Kafka that begins with ${JAVA_SERIALIZERS.join(', ')}`
  throw new ConfigError(`${message}: ${suggestion}`, [{ path, message, suggestion }])
}
