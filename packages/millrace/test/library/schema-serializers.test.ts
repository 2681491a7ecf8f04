import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { SchemaDeserializer, SchemaSerializer } from '../../src/index.ts'
import { ConfigError, DecodeError, EncodeError } from '../../src/errors/index.ts'
import { RegistryServer } from '../support/registry-server.ts'

const ORDER = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'value', type: ['null', 'string'], default: null },
  ],
}
const PROTO = 'syntax = "proto3"; message Other { int32 x = 1; } message Order { int64 id = 1; string note = 2; }'
const JSON_SCHEMA = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] }

describe('serializers of schemas in programs', () => {
  let server: RegistryServer
  beforeAll(async () => {
    server = await RegistryServer.start()
  })
  afterAll(() => server.stop())
  beforeEach(() => {
    server.requests.length = 0
  })

  test.each([
    { format: 'avro', schema: ORDER, message: undefined, value: { id: 9007199254740993n, value: 'x' } },
    { format: 'protobuf', schema: PROTO, message: 'Order', value: { id: 9007199254740993n, note: 'ä' } },
    { format: 'json-schema', schema: JSON_SCHEMA, message: undefined, value: { id: 9007199254740993n, x: 0.1 } },
  ] as const)('$format is read as it was written, with 64 bits exactly', async ({ format, schema, message, value }) => {
    const common = { format, schemaRegistry: server.url } as const
    // Written in the way that files may write it, too.
    await using serializer = new SchemaSerializer({ ...common, schema, message })
    await using deserializer = new SchemaDeserializer(common)
    const topic = `orders-${format}`
    const written = await Promise.all(Array.from({ length: 50 }, () => serializer.serialize(value, topic)))
    expect(await Promise.all(written.map((bytes) => deserializer.deserialize(bytes)))).toEqual(written.map(() => value))
    expect(server.requests).toEqual([
      `POST /subjects/${topic}-value/versions`,
      expect.stringMatching(/^GET \/schemas\/ids/),
    ])
  })

  test('values that are no objects are themselves, and objects with one field stay objects', async () => {
    for (const [schema, value] of [
      ['"string"', 'text'],
      ['{"type":"array","items":"int"}', [1, 2]],
      ['{"type":"record","name":"R","fields":[{"name":"value","type":"int"}]}', { value: 5 }],
    ] as const) {
      await using both = new SchemaSerializer({ format: 'avro', schema })
      await using reader = new SchemaDeserializer({ format: 'avro', schema })
      expect(await reader.deserialize(await both.serialize(value))).toEqual(value)
    }
  })

  test('a subject may be named after the topic and the hash of the schema', async () => {
    const common = { format: 'avro', schema: '"int"', schemaRegistry: server.url } as const
    await using serializer = new SchemaSerializer({ ...common, subjectNameStrategy: 'topic-hash' })
    await serializer.serialize(5, 'orders')
    expect(server.requests).toEqual(['POST /subjects/orders-e112304b73f079f7/versions'])
  })

  test('keys have a subject of their own, and a subject can be named', async () => {
    await using keys = new SchemaSerializer({
      format: 'avro',
      schemaRegistry: server.url,
      schema: '"long"',
      part: 'key',
    })
    await keys.serialize(5, 'things')
    await using named = new SchemaSerializer({ format: 'avro', schemaRegistry: server.url, subject: 'things-key' })
    await named.serialize(6)
    expect(server.requests.map((request) => request.replace(/^\w+ /, ''))).toEqual([
      '/subjects/things-key/versions',
      '/subjects/things-key/versions/latest',
    ])
    await using unnamed = new SchemaSerializer({ format: 'avro', schemaRegistry: server.url })
    await expect(unnamed.serialize(5)).rejects.toThrow('without a topic')
  })

  test.each([
    { format: 'avro', part: 'value', schema: ORDER, message: undefined, value: { id: 5, value: 'x' } },
    { format: 'protobuf', part: 'value', schema: PROTO, message: 'Order', value: { id: 5, note: 'ä' } },
    { format: 'avro', part: 'key', schema: '"string"', message: undefined, value: 'k' },
  ] as const)('the schema id of a $part in $format may be in a header', async (row) => {
    const { format, part, schema, message, value } = row
    const common = { format, part, schemaRegistry: server.url } as const
    await using serializer = new SchemaSerializer<unknown>({ ...common, schema, message })
    await using deserializer = new SchemaDeserializer(common)
    const written = await serializer.serializeWithHeader(value, 'headed')
    const inFront = await serializer.serialize(value, 'headed')
    const [[name, header]] = written.headers as [[string, Buffer]]
    expect(name).toBe(`__${part}_schema_id`)
    expect(Buffer.concat([header, written.value])).toEqual(inFront)
    expect(await deserializer.deserialize(written.value, { headers: [['a', null], ...written.headers] })).toEqual(value)
    expect(await deserializer.deserialize(inFront)).toEqual(value)
    await using alone = new SchemaSerializer<unknown>({ format, schema, message })
    await expect(alone.serializeWithHeader(value)).rejects.toThrow('set schemaRegistry')
  })

  test('errors are those of codecs', async () => {
    await using serializer = new SchemaSerializer({ format: 'avro', schema: ORDER })
    await expect(serializer.serialize({ id: 'x' })).rejects.toThrow(EncodeError)
    await using deserializer = new SchemaDeserializer({ format: 'avro', schemaRegistry: server.url })
    await expect(deserializer.deserialize(Buffer.from('text'))).rejects.toThrow(DecodeError)
  })

  test.each([
    {
      format: 'avro',
      schema: '{"type":"record","name":"R","fields":[{"name":"id","type":"Money"}]}',
      references: [
        { name: 'Money', schema: { type: 'record', name: 'Money', fields: [{ name: 'cents', type: 'int' }] } },
      ],
    },
    {
      format: 'protobuf',
      schema: 'syntax = "proto3"; import "money.proto"; message R { Money id = 1; }',
      references: [{ name: 'money.proto', schema: 'syntax = "proto3"; message Money { int32 cents = 1; }' }],
    },
    {
      format: 'json-schema',
      schema: { properties: { id: { $ref: 'money.json' } } },
      references: [{ name: 'money.json', schema: { required: ['cents'] } }],
    },
  ] as const)('a schema in $format may refer to others, with a registry and without', async (given) => {
    const value = { id: { cents: 5 } }
    for (const schemaRegistry of [undefined, server.url]) {
      await using serializer = new SchemaSerializer({ ...given, schemaRegistry, subject: `refers-${given.format}` })
      await using deserializer = new SchemaDeserializer(
        schemaRegistry === undefined ? given : { format: given.format, schemaRegistry },
      )
      expect(await deserializer.deserialize(await serializer.serialize(value))).toEqual(value)
    }
  })

  test.each([
    { options: { format: 'avro' }, problem: 'requires a schema' },
    { options: { format: 'avro', schema: '"int"', message: 'M' }, problem: 'is for Protobuf' },
    { options: { format: 'orc', schema: '"int"' }, problem: 'must be one of "avro"' },
    { options: { format: 'avro', schemaRegistry: 'localhost' }, problem: 'must be an address' },
  ])('$problem', ({ options, problem }) => {
    expect(() => new SchemaDeserializer(options as never)).toThrow(ConfigError)
    expect(() => new SchemaDeserializer(options as never)).toThrow(problem)
  })

  test('closing ends what waits for the registry', async () => {
    server.always = { status: 503, body: '' }
    try {
      const deserializer = new SchemaDeserializer({ format: 'avro', schemaRegistry: server.url })
      const waiting = deserializer.deserialize(Buffer.from('000000000900', 'hex'))
      await expect.poll(() => server.requests.length).toBeGreaterThan(0)
      await deserializer.close()
      await expect(waiting).rejects.toMatchObject({ code: expect.stringMatching(/ABORTED|CLOSED/) as string })
      await expect(deserializer.deserialize(Buffer.alloc(6))).rejects.toMatchObject({ code: 'CLOSED' })
    } finally {
      server.always = undefined
    }
  })
})
