/** Values that go to another registry without being parsed. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createDocuments } from '../../../src/codecs/index.ts'
import { jsonCodec } from '../../../src/codecs/json.ts'
import { keysOf } from '../../../src/codecs/keys.ts'
import { SchemaCodec } from '../../../src/codecs/schemas/schema-codec.ts'
import type { SchemaUse } from '../../../src/contracts/schemas.ts'
import { SchemaRegistry } from '../../../src/schema-registry/client.ts'
import { withSchemaId } from '../../../src/schema-registry/wire-format.ts'
import { batchOf } from '../../support/batches.ts'
import { RegistryServer } from '../../support/registry-server.ts'

const never = new AbortController().signal
let source: RegistryServer
let target: RegistryServer
let clients: SchemaRegistry[] = []

beforeAll(async () => {
  source = await RegistryServer.start()
  target = await RegistryServer.start()
  // So that no id is the same in both.
  for (const name of ['a', 'b', 'c']) target.add(name, { schema: `"${name}"` })
})
afterAll(() => Promise.all([source.stop(), target.stop()]))
beforeEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  clients = []
  target.requests.length = 0
  source.requests.length = 0
})

function codec({ url }: RegistryServer, more: Partial<SchemaUse> = {}): SchemaCodec {
  const times = { requestTimeoutMs: 5000, retryTimeoutMs: 0, retryBackoffMs: 1, retryBackoffMaxMs: 5, latestTtlMs: 0 }
  const store = new SchemaRegistry({ urls: [url], credentials: undefined, headers: {}, tls: undefined, ...times }, '/')
  clients.push(store)
  const use = {
    part: 'value',
    store,
    own: undefined,
    message: undefined,
    writing: undefined,
    latestTtlMs: 1000,
  } as const
  return new SchemaCodec('avro', { ...use, warn: () => {}, ...more })
}

const writing = { subject: () => 'to-value', register: true, normalize: false }
const documents = (from: SchemaCodec, to: SchemaCodec): NonNullable<ReturnType<typeof createDocuments>> =>
  createDocuments({ from, to, needsDocuments: false, mentionsMeta: false, includeMeta: false })!

describe('between registries', () => {
  test('a schema is registered once, and the id replaced in each value', async () => {
    const id = source.add('from-value', { schema: '"int"' })
    const steps = documents(codec(source), codec(target, { writing }))
    const batch = batchOf([withSchemaId(id, Buffer.of(2)), null, withSchemaId(id, Buffer.of(4))])
    await steps.prepare!(batch, never)
    await steps.prepare!(batch, never)
    steps.decode(batch)
    steps.encode(batch)
    const [registered] = target.requests.filter((request) => request.startsWith('POST'))
    expect(registered).toBe('POST /subjects/to-value/versions')
    expect(target.requests.filter((request) => request.startsWith('POST'))).toHaveLength(1)
    expect(source.requests).toEqual([`GET /schemas/ids/${id}`])
    const [first, , third] = batch.payloads!
    const there = (first as Buffer).readUInt32BE(1)
    expect(there).not.toBe(id)
    expect([first, third]).toEqual([withSchemaId(there, Buffer.of(2)), withSchemaId(there, Buffer.of(4))])
    // Nothing was parsed.
    expect(batch.documents).toBeUndefined()
  })

  test('values without an id, or with one that is not there, fail alone', async () => {
    const id = source.add('from-value', { schema: '"int"' })
    const steps = documents(codec(source), codec(target, { writing }))
    const batch = batchOf([Buffer.from('text'), withSchemaId(4711, Buffer.of(2)), withSchemaId(id, Buffer.of(2))])
    await steps.prepare!(batch, never)
    const failed = vi.fn<(row: number, error: Error) => void>()
    steps.encode(batch, failed)
    expect(failed.mock.calls.map(([row, { message }]) => [row, /no schema id|4711 not found/.test(message)])).toEqual([
      [0, true],
      [1, true],
    ])
    expect(batch.payloads?.[2]).toBeInstanceOf(Buffer)
  })

  test('a schema that is not accepted there ends the run', async () => {
    const id = source.add('from-value', { schema: '"incompatible"' })
    const { prepare } = documents(codec(source), codec(target, { writing }))
    const batch = batchOf([withSchemaId(id, Buffer.of(2))])
    await expect(prepare!(batch, never)).rejects.toMatchObject({ code: 'SCHEMA_REFUSED' })
  })

  test('the ids of keys are replaced, too, and those of tombstones', async () => {
    const id = source.add('from-key', { schema: '"int"' })
    const keysTo = keysOf(codec(target, { part: 'key', writing: { ...writing, subject: () => 'to-key' } }))
    const keysFrom = keysOf(codec(source, { part: 'key' }))
    const steps = createDocuments({
      from: jsonCodec,
      to: jsonCodec,
      keysFrom,
      keysTo,
      needsDocuments: false,
      mentionsMeta: false,
      includeMeta: false,
    })!
    expect(steps.keysOnly).toBe(true)
    const key = withSchemaId(id, Buffer.of(2))
    const batch = batchOf([
      { key, value: '{}' },
      { key: null, value: '{}' },
      { key, value: null },
      { key: 'text', value: '{}' },
    ])
    await steps.prepare!(batch, never)
    steps.decode(batch)
    const failed = vi.fn<(row: number, error: Error) => void>()
    steps.encode(batch, failed)
    const there = (batch.keys![0] as Buffer).readUInt32BE(1)
    expect(there).not.toBe(id)
    const translated = withSchemaId(there, Buffer.of(2))
    expect(batch.keys).toEqual([translated, undefined, translated, undefined])
    expect(batch.payloads).toBeUndefined()
    expect(failed.mock.calls).toEqual([
      [
        3,
        expect.objectContaining({ code: 'ENCODE_FAILED', message: expect.stringContaining('no schema id') as string }),
      ],
    ])
    expect(() => steps.encode(batchOf([{ key: 'text', value: '{}' }]))).toThrow('Cannot write the key for another')
  })

  test('keys of another format are written in that of the sink', async () => {
    const id = source.add('from-key', { schema: '"int"' })
    const own = { what: 'the schema', key: 'k', read: () => Promise.resolve('"long"') }
    const keysTo = keysOf(codec(target, { part: 'key', own, writing: { ...writing, subject: () => 'own-key' } }))
    const keysFrom = keysOf(codec(source, { part: 'key' }))
    const common = { from: jsonCodec, to: jsonCodec, needsDocuments: false, mentionsMeta: false, includeMeta: false }
    const steps = createDocuments({ ...common, keysFrom, keysTo })!
    const batch = batchOf([{ key: withSchemaId(id, Buffer.of(2)), value: '{}' }])
    await steps.prepare!(batch, never)
    steps.encode(batch)
    expect((batch.keys![0] as Buffer).subarray(5)).toEqual(Buffer.of(2))
    expect(target.requests).toContain('POST /subjects/own-key/versions')
    // The same registry knows the ids.
    expect(
      createDocuments({ ...common, keysFrom, keysTo: keysOf(codec(source, { part: 'key', writing })) }),
    ).toBeUndefined()
  })

  test('an id in a header is replaced by one in front of the data', async () => {
    const id = source.add('from-value', { schema: '"int"' })
    const steps = documents(codec(source), codec(target, { writing }))
    const header = withSchemaId(id, Buffer.alloc(0)).toString('latin1')
    const batch = batchOf([{ value: Buffer.of(2), headers: [['__value_schema_id', header]] }])
    await steps.prepare!(batch, never)
    steps.encode(batch)
    const [translated] = batch.payloads as [Buffer]
    expect(translated.subarray(5)).toEqual(Buffer.of(2))
    expect(translated.readUInt32BE(1)).not.toBe(id)
  })

  test('does not happen where the sink has a schema of its own, or the same registry', () => {
    const own = { what: 'the schema', key: 'k', read: () => Promise.resolve('"int"') }
    expect(codec(target, { writing, own }).translation(codec(source))).toBeUndefined()
    expect(codec(source, { writing }).translation(codec(source))).toBeUndefined()
    expect(codec(target, { writing }).translation(codec(source))).toBeDefined()
  })
})
