/** What a source or sink passes to its codecs, and what `check` says of its registry. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkaSinkFields, kafkaSinkRules } from '../../src/sinks/kafka/options.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { sinkSchemas, type ComponentSchemas } from '../../src/schema-registry/schema-uses.ts'
import { RegistryServer } from '../support/registry-server.ts'

let server: RegistryServer
let directory: string
beforeAll(async () => {
  server = await RegistryServer.start()
  directory = await mkdtemp(join(tmpdir(), 'millrace-'))
  await writeFile(join(directory, 'order.avsc'), '"string"')
})
afterAll(async () => {
  await server.stop()
  await rm(directory, { recursive: true })
})

const BASE = { topic: 'orders', bootstrapServers: 'localhost:9092' }

function read(more: object): ReturnType<typeof parseOptions<typeof kafkaSinkFields>> {
  return parseOptions<typeof kafkaSinkFields>({ options: kafkaSinkFields, rules: kafkaSinkRules }, { ...BASE, ...more })
}

function schemas(more: object): ComponentSchemas {
  const { options, problems } = read(more)
  expect(problems).toEqual([])
  const classes = { key: options.keySerializer, value: options.valueSerializer }
  return sinkSchemas(options, classes, options.topic, { directory, warn: () => {} })
}

describe('schemas of a sink', () => {
  test.each([
    { options: {}, value: 'orders-value', key: 'orders-key' },
    { options: { valueSubject: 'v', keySubject: 'k' }, value: 'v', key: 'k' },
    { options: { subjectNameStrategy: 'record' }, value: 'shop.Order', key: 'shop.Order' },
    {
      options: { subjectNameStrategy: 'topic-hash' },
      value: 'orders-e112304b73f079f7',
      key: 'orders-e112304b73f079f7',
    },
    {
      options: { 'value.subject.name.strategy': 'io.confluent.kafka.serializers.subject.TopicRecordNameStrategy' },
      value: 'orders-shop.Order',
      key: 'orders-shop.Order',
    },
  ])('have the subjects $value and $key', async ({ options, value, key }) => {
    const both = { 'value.serializer': 'avro', 'key.serializer': 'avro', valueSchema: '"int"', keySchema: '"int"' }
    const made = schemas({ ...both, schemaRegistry: server.url, ...options })
    expect(made.value?.writing?.subject('shop.Order', '"int"')).toBe(value)
    expect(made.key?.writing?.subject('shop.Order', '"int"')).toBe(key)
    await made.close()
    await made.close()
  })

  test('may be in files beside the pipeline, as text or as objects', async () => {
    const textOf = async (valueSchema: unknown): Promise<string | undefined> =>
      schemas({ 'value.serializer': 'avro', valueSchema }).value?.own?.read()
    expect(await textOf('order.avsc')).toBe('"string"')
    expect(await textOf('{"type":"int"}')).toBe('{"type":"int"}')
    expect(await textOf({ type: 'int' })).toBe('{"type":"int"}')
    await expect(textOf('gone.avsc')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })

  test('are none where neither keys nor values have any', () => {
    expect(schemas({})).toMatchObject({ value: undefined, key: undefined, checks: [] })
  })

  test('are checked by asking the registry', async () => {
    server.add('a-value', { schema: '"int"' })
    const made = schemas({ 'value.serializer': 'avro', schemaRegistry: { url: server.url, retryTimeoutMs: 0 } })
    const [check] = made.checks
    expect(check!.name).toBe('schema registry')
    expect(await check!.run(new AbortController().signal)).toBe(`"${server.url}" answers and has 1 subject`)
    server.always = { status: 503, body: '' }
    await expect(check!.run(new AbortController().signal)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' })
    server.always = undefined
    await made.close()
  })

  test.each([
    { options: { 'value.serializer': 'avro' }, problem: 'value.serializer avro requires a schema' },
    { options: { 'key.serializer': 'protobuf' }, problem: 'key.serializer protobuf requires a schema' },
    { options: { valueSchema: '"int"' }, problem: 'valueSchema has no effect' },
    { options: { keySubject: 'k' }, problem: 'keySubject has no effect' },
    { options: { 'value.serializer': 'avro', valueSchema: '"int"', valueMessage: 'M' }, problem: 'is for Protobuf' },
    {
      options: { 'value.serializer': 'avro', schemaRegistry: 'http://x', subjectNameStrategy: 'record' },
      problem: 'takes the name of the record from valueSchema',
    },
    { options: { valueReferences: [{ name: 'M' }] }, problem: 'valueReferences has no effect' },
    {
      options: { 'value.serializer': 'avro', schemaRegistry: 'http://x', valueReferences: [{ name: 'M' }] },
      problem: 'valueReferences has no effect without valueSchema',
    },
    {
      options: { 'value.serializer': 'avro', valueSchema: '"M"', valueReferences: [{ name: 'M' }] },
      problem: 'The schema "M" is not there without a registry',
    },
    {
      options: {
        'value.serializer': 'avro',
        schemaRegistry: 'http://x',
        valueSchema: '"M"',
        valueReferences: [{ name: 'M', version: 1, schema: '"int"' }],
      },
      problem: 'Cannot use both schema and version of "M"',
    },
    { options: { subjectNameStrategy: 'mine' }, problem: 'must be one of topic, record, topic-record, topic-hash' },
    {
      options: { 'value.serializer': 'avro', schemaRegistry: { url: 'http://x', password: 'p' } },
      problem: 'no effect without username',
    },
  ])('are refused: $problem', ({ options, problem }) => {
    expect(
      read(options)
        .problems.map(({ message }) => message)
        .join('; '),
    ).toContain(problem)
  })

  test('warn of a registry that nothing uses', () => {
    expect(read({ schemaRegistry: 'http://x' }).warnings).toMatchObject([
      { message: 'schemaRegistry has no effect, as neither keys nor values have schemas' },
    ])
  })
})
