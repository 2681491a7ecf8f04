/**
 * The names of the codecs, by which sources and sinks ask for them, and the Java classes that mean the same.
 */

/** Codecs of values that need nothing but the bytes. */
export const CODEC_NAMES = [
  'json',
  'string',
  'bytes',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'uuid',
  'void',
] as const

export type CodecName = (typeof CODEC_NAMES)[number]

/** Codecs that need a schema, and how registries call what they read. */
export const SCHEMA_TYPE_OF = { avro: 'AVRO', protobuf: 'PROTOBUF', 'json-schema': 'JSON' } as const

export type SchemaCodecName = keyof typeof SCHEMA_TYPE_OF

export function isSchemaCodec(name: string | undefined): name is SchemaCodecName {
  return name !== undefined && Object.hasOwn(SCHEMA_TYPE_OF, name)
}

export const ALL_CODEC_NAMES: readonly (CodecName | SchemaCodecName)[] = [
  ...CODEC_NAMES,
  ...(Object.keys(SCHEMA_TYPE_OF) as SchemaCodecName[]),
]

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

/** Serializers and deserializers of registries, by what their class names are before `Serializer` or `Deserializer`, without the package. */
const REGISTRY_CLASSES: { readonly [name: string]: SchemaCodecName } = {
  KafkaAvro: 'avro',
  KafkaProtobuf: 'protobuf',
  KafkaJsonSchema: 'json-schema',
  AvroKafka: 'avro',
  ProtobufKafka: 'protobuf',
  JsonSchemaKafka: 'json-schema',
}

const REGISTRY_CLASS =
  /^(?:io\.confluent\.kafka\.serializers\.(?:\w+\.)?|io\.apicurio\.registry\.serde\.(?:\w+\.)?)?(\w+?)(?:Serializer|Deserializer)$/

/** The codec that a serializer or deserializer class of Confluent or Apicurio stands for, with or without its package; undefined for others. */
export function schemaCodecOfClass(className: string): SchemaCodecName | undefined {
  const name = REGISTRY_CLASS.exec(className.trim())?.[1]
  return name !== undefined && Object.hasOwn(REGISTRY_CLASSES, name) ? REGISTRY_CLASSES[name] : undefined
}

/**
 * The codec of a name, or that stands for a Java serializer or deserializer class, with or without its package; undefined for others.
 */
export function codecNameOfClass(className: string): CodecName | SchemaCodecName | undefined {
  const own = ALL_CODEC_NAMES.find((name) => name === className.trim())
  if (own !== undefined) return own
  const name = JAVA_CLASS.exec(className.trim())?.[1]
  return name !== undefined && Object.hasOwn(JAVA_NAMES, name) ? JAVA_NAMES[name] : schemaCodecOfClass(className)
}

/** The same for keys, which are text unless they are asked for as something else than text or bytes. */
export function keyCodecNameOfClass(className: string): CodecName | SchemaCodecName | typeof TEXT_KEYS | undefined {
  const name = codecNameOfClass(className)
  return (name === 'json' && className.trim() !== 'json') || name === 'bytes' || name === 'string' ? TEXT_KEYS : name
}
