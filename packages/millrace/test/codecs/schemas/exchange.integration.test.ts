/**
 * Exchange with Java: what the serializers of Apicurio write is read here, and what is written here their deserializers read, in all three
 * formats. They are another implementation of the same formats and of the same wire format, with another registry client.
 */
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileJava, javaTool } from '../../../../../test-bed/java.ts'
import { fetchSerdes } from '../../../../../test-bed/registry.ts'
import { KafkaSource } from '../../../src/index.ts'
import { bootstrapServers, brokerAvailable, javaAvailable } from '../../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../../support/pipelines.ts'
import { ownRegistry, registryAvailable } from '../../support/registry.ts'
import { topicBed } from '../../support/topics.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/schemas')

const AVRO = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 } },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['NEW', 'PAID'] } },
    {
      name: 'lines',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Line',
          fields: [
            { name: 'sku', type: 'string' },
            { name: 'qty', type: 'int' },
          ],
        },
      },
    },
    { name: 'tags', type: { type: 'map', values: 'double' } },
    { name: 'any', type: ['int', 'long', 'string', 'boolean'] },
  ],
}
const PROTO = `syntax = "proto3"; package shop;
message Line { int32 qty = 1; }
message Order { int64 id = 1; string note = 2; repeated sint32 tags = 3; Line line = 4; }`

interface Case {
  readonly format: 'avro' | 'protobuf' | 'json-schema'
  /** What Java writes, as JSON. */
  readonly fromJava: readonly string[]
  /** What is written here, as JSON, and what Java prints of it. */
  readonly ours: readonly string[]
  readonly inJava: readonly string[]
  readonly sink: () => Promise<{ readonly [name: string]: unknown }>
}

const CASES: readonly Case[] = [
  {
    format: 'avro',
    fromJava: [
      '{"id":1,"note":null,"price":12.5,"kind":"PAID","lines":[{"sku":"s-1","qty":-1},{"sku":"s-1","qty":-1}],"tags":{"a":1.5},"any":5}',
      '{"id":9223372036854775807,"note":"ä€😀","price":-0.01,"kind":"PAID","lines":[{"sku":"s-2","qty":-2},{"sku":"s-2","qty":-2}],"tags":{"a":2.5},"any":"text"}',
    ],
    ours: [
      '{"id":9223372036854775807,"note":null,"price":1.1,"kind":"NEW","lines":[],"tags":{"t":0.25},"any":true}',
      '{"id":-5,"note":"ä€😀","price":-0.01,"kind":"PAID","lines":[{"sku":"x","qty":300}],"tags":{},"any":4294967296}',
    ],
    inJava: [
      '{"id": 9223372036854775807, "note": null, "price": "n", "kind": "NEW", "lines": [], "tags": {"t": 0.25}, "any": true}',
      '{"id": -5, "note": "ä\\u20AC😀", "price": "ÿ", "kind": "PAID", "lines": [{"sku": "x", "qty": 300}], "tags": {}, "any": 4294967296}',
    ],
    sink: () => Promise.resolve({ valueSchema: AVRO }),
  },
  {
    format: 'protobuf',
    fromJava: [
      '{"id":1,"note":"ä€😀","tags":[0],"line":{"qty":-1}}',
      '{"id":9223372036854775807,"note":"ä€😀","tags":[0,1],"line":{"qty":-2}}',
    ],
    ours: ['{"id":9223372036854775807,"note":"ä€😀","tags":[-1,300],"line":{"qty":7}}', '{"id":0,"note":"","tags":[]}'],
    inJava: ['{"id":"9223372036854775807","note":"ä€😀","tags":[-1,300],"line":{"qty":7}}', '{}'],
    sink: () => Promise.resolve({ valueSchema: PROTO, valueMessage: 'Order' }),
  },
  {
    format: 'json-schema',
    fromJava: ['{"id":1,"note":"ä€😀","lines":[{"qty":-1}]}', '{"id":2,"note":"ä€😀","lines":[{"qty":-2}]}'],
    ours: ['{"id":5,"note":"ä€😀"}', '{"id":-1,"lines":[{"qty":1}]}'],
    inJava: ['{"id":5,"note":"ä€😀"}', '{"id":-1,"lines":[{"qty":1}]}'],
    sink: async () => ({ valueSchema: await readFile(join(FIXTURES, 'order.json'), 'utf8') }),
  },
]

describe.skipIf(!brokerAvailable || !javaAvailable || !registryAvailable)('exchange with Java', () => {
  const bed = topicBed()
  const server = ownRegistry()
  let classes = ''
  let serdes = ''
  beforeAll(async () => {
    serdes = await fetchSerdes()
    classes = await mkdtemp(join(tmpdir(), 'millrace-schemas-'))
    await compileJava(join(FIXTURES, 'SchemaExchange.java'), classes, { classPath: [serdes] })
    await copyFile(join(FIXTURES, 'order.json'), join(classes, 'order.json'))
  })
  afterAll(() => rm(classes, { recursive: true, force: true }))

  const java = async (...args: readonly string[]): Promise<string[]> => {
    const [verb, ...more] = args
    const all = [verb!, bootstrapServers(), server().apicurioUrl, ...more]
    const { stdout } = await javaTool('SchemaExchange', all, {
      classPath: [serdes, classes],
      jvmArgs: ['-Dfile.encoding=UTF-8', '-Dstdout.encoding=UTF-8'],
    })
    return stdout.trimEnd().split('\n')
  }

  async function values(topic: string): Promise<string[]> {
    const found: string[] = []
    await using source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, untilEnd: true })
    for await (const { value } of source) found.push(String(value))
    return found
  }

  test.each(CASES)('$format of Java is read', async ({ format, fromJava }) => {
    const [topic, json] = [await bed().create(), await bed().create()]
    await java('write', topic, format)
    await runHere({
      source: fromTopic(topic, { 'value.deserializer': format, schemaRegistry: server().url }),
      sink: toTopic(json),
    })
    expect(await values(json)).toEqual(fromJava)
  })

  test.each(CASES)('$format is read by Java', async ({ format, ours, inJava, sink }) => {
    const [json, topic] = [await bed().create(), await bed().create()]
    await bed().write(
      json,
      ours.map((value) => ({ value })),
    )

    await runHere({
      source: fromTopic(json),
      sink: toTopic(topic, { 'value.serializer': format, schemaRegistry: server().url, ...(await sink()) }),
    })
    expect(await java('read', topic, format, String(ours.length))).toEqual(inJava)
  })
})
