/**
 * The names of the codecs, by which sources and sinks ask for them, and the Java classes that mean the same.
 */

/** Codecs of values. */
export const CODEC_NAMES = ['json', 'bytes', 'short', 'integer', 'long', 'float', 'double', 'uuid', 'void'] as const

export type CodecName = (typeof CODEC_NAMES)[number]

/** The codec of keys where nothing else is asked for: text where they are UTF-8, else base64. */
export const TEXT_KEYS = 'text'

/** Kafka's own serializers and deserializers, by what their class names begin with. */
const JAVA_NAMES: { readonly [name: string]: CodecName } = {
  // Fluxion carries JSON documents as text.
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

/**
 * The codec that stands for a Java serializer or deserializer class, with or without its package; undefined for others.
 */
export function codecNameOfClass(className: string): CodecName | undefined {
  const name = JAVA_CLASS.exec(className.trim())?.[1]
  return name !== undefined && Object.hasOwn(JAVA_NAMES, name) ? JAVA_NAMES[name] : undefined
}

/** The same for keys, which are text unless their class says something else than text or bytes. */
export function keyCodecNameOfClass(className: string): CodecName | typeof TEXT_KEYS | undefined {
  const name = codecNameOfClass(className)
  return name === 'json' || name === 'bytes' ? TEXT_KEYS : name
}
