/**
 * The names of the codecs, and the Java classes that mean the same. Free of dependencies, so that lint can ask for it.
 */

export const CODEC_NAMES = ['json', 'bytes', 'short', 'integer', 'long', 'float', 'double', 'uuid', 'void'] as const

export type CodecName = (typeof CODEC_NAMES)[number]

/** Kafka's own serializers and deserializers, by what their class names begin with. */
const JAVA_NAMES: { readonly [name: string]: CodecName } = {
  // The host of these pipeline files carries JSON documents as text.
  String: 'json',
  ByteArray: 'bytes',
  ByteBuffer: 'bytes',
  Bytes: 'bytes',
  Short: 'short',
  Integer: 'integer',
  Long: 'long',
  Float: 'float',
  Double: 'double',
  UUID: 'uuid',
  Void: 'void',
}

const JAVA_CLASS = /^(?:org\.apache\.kafka\.common\.serialization\.)?(\w+?)(?:Serializer|Deserializer)$/

/** Serializer classes that are understood, without package and suffix. */
export const JAVA_SERIALIZERS: readonly string[] = Object.keys(JAVA_NAMES)

/**
 * The codec that stands for a Java serializer or deserializer class, with or without its package; undefined for others.
 */
export function codecNameOfClass(className: string): CodecName | undefined {
  const name = JAVA_CLASS.exec(className.trim())?.[1]
  return name !== undefined && Object.hasOwn(JAVA_NAMES, name) ? JAVA_NAMES[name] : undefined
}
