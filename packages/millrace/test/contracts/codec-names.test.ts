import { describe, expect, test } from 'vitest'
import { codecNameOfClass, keyCodecNameOfClass } from '../../src/contracts/codec-names.ts'

const PACKAGE = 'org.apache.kafka.common.serialization'

describe('the codec of a Java class', () => {
  test.each([
    [`${PACKAGE}.StringDeserializer`, 'json', 'text'],
    [`${PACKAGE}.ByteArraySerializer`, 'bytes', 'text'],
    [`${PACKAGE}.ByteBufferDeserializer`, 'bytes', 'text'],
    ['ShortDeserializer', 'short', 'short'],
    ['IntegerSerializer', 'integer', 'integer'],
    [` ${PACKAGE}.LongSerializer\n`, 'long', 'long'],
    ['FloatDeserializer', 'float', 'float'],
    ['DoubleDeserializer', 'double', 'double'],
    ['UUIDSerializer', 'uuid', 'uuid'],
    ['VoidDeserializer', 'void', 'void'],
    ['io.confluent.kafka.serializers.KafkaAvroDeserializer', 'avro', 'avro'],
    ['io.confluent.kafka.serializers.protobuf.KafkaProtobufSerializer', 'protobuf', 'protobuf'],
    ['io.confluent.kafka.serializers.json.KafkaJsonSchemaDeserializer', 'json-schema', 'json-schema'],
    ['io.apicurio.registry.serde.avro.AvroKafkaSerializer', 'avro', 'avro'],
    ['io.apicurio.registry.serde.jsonschema.JsonSchemaKafkaDeserializer', 'json-schema', 'json-schema'],
    ['KafkaAvroSerializer', 'avro', 'avro'],
    ['avro', 'avro', 'avro'],
    ['json', 'json', 'json'],
    ['string', 'string', 'text'],
  ])('%s is %s for values and %s for keys', (className, ofValues, ofKeys) => {
    expect(codecNameOfClass(className)).toBe(ofValues)
    expect(keyCodecNameOfClass(className)).toBe(ofKeys)
  })

  test.each([
    `${PACKAGE}.ListDeserializer`,
    'io.confluent.kafka.serializers.KafkaXmlDeserializer',
    'com.acme.StringSerializer',
    'toString',
    'toStringSerializer',
    '',
  ])('"%s" is none of them', (className) => {
    expect(codecNameOfClass(className)).toBeUndefined()
    expect(keyCodecNameOfClass(className)).toBeUndefined()
  })
})
