/**
 * The codecs of schemas around a registry: which requests they send, what they wait for, and what their errors say.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { encodeDocuments } from '../../../src/codecs/index.ts'
import { SchemaCodec } from '../../../src/codecs/schemas/schema-codec.ts'
import type { SchemaCodecName } from '../../../src/contracts/codec-names.ts'
import type { OwnReference, SchemaUse } from '../../../src/contracts/schemas.ts'
import { DecodeError, EncodeError, RegistryError } from '../../../src/errors/index.ts'
import { SchemaRegistry } from '../../../src/schema-registry/client.ts'
import { messageIndexBytes, withSchemaId } from '../../../src/schema-registry/wire-format.ts'
import { batchOf, type MadeRecord } from '../../support/batches.ts'
import { RegistryServer } from '../../support/registry-server.ts'

const ORDER = JSON.stringify({
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: 'string', default: '-' },
  ],
})
const never = new AbortController().signal

let server: RegistryServer
let registry: SchemaRegistry

beforeAll(async () => {
  server = await RegistryServer.start()
})
afterAll(() => server.stop())
beforeEach(() => {
  server.requests.length = 0
  server.always = undefined
  registry = newRegistry()
})
afterEach(() => registry.close())

function newRegistry(): SchemaRegistry {
  return new SchemaRegistry(
    {
      urls: [server.url],
      credentials: undefined,
      headers: {},
      tls: undefined,
      requestTimeoutMs: 5000,
      retryTimeoutMs: 0,
      retryBackoffMs: 1,
      retryBackoffMaxMs: 5,
      latestTtlMs: 0,
    },
    '/',
  )
}

function codec(more: Partial<SchemaUse> = {}, name: SchemaCodecName = 'avro'): SchemaCodec {
  return new SchemaCodec(name, {
    part: 'value',
    store: registry,
    own: undefined,
    message: undefined,
    writing: undefined,
    latestTtlMs: 60_000,
    warn: () => {},
    ...more,
  })
}

const own = (text: string): SchemaUse['own'] => ({
  what: 'the schema in valueSchema',
  key: text,
  read: () => Promise.resolve(text),
})
const writing = (subject = 'orders-value', register = true): SchemaUse['writing'] => ({
  subject: () => subject,
  register,
  normalize: false,
})

/** The data of Avro's `{id, note: '-'}`, for small ids. */
const data = (id: number): Buffer => Buffer.of(id * 2, 2, 0x2d)

async function read(one: SchemaCodec, records: readonly (MadeRecord | Buffer | null)[]): Promise<unknown[]> {
  const batch = batchOf(records)
  await one.prepare(batch, never)
  return records.map((_, row) => one.decode(batch.value(row), batch, row))
}

describe('reading', () => {
  test('one request per schema, however many records and batches', async () => {
    const [first, second] = [server.add('a-value', { schema: ORDER }), server.add('b-value', { schema: '"long"' })]
    const one = codec()
    const records = Array.from({ length: 1000 }, (_, i) =>
      withSchemaId(i % 2 === 0 ? first : second, i % 2 === 0 ? data(1) : Buffer.of(6)),
    )
    const documents = await read(one, records)
    expect([documents[0], documents[1], documents[999]]).toEqual([{ id: 1, note: '-' }, { value: 3 }, { value: 3 }])
    expect(one.prepare(batchOf(records), never)).toBeUndefined()
    expect(server.requests).toEqual([`GET /schemas/ids/${first}`, `GET /schemas/ids/${second}`])
  })

  test('tombstones are left alone', async () => {
    expect(await read(codec(), [null])).toEqual([{ value: null }])
    expect(server.requests).toEqual([])
  })

  test('schemas are resolved with their references', async () => {
    server.add('money', { schema: '{"type":"record","name":"Money","fields":[{"name":"cents","type":"int"}]}' })
    const id = server.add('priced-value', {
      schema: '{"type":"record","name":"Priced","fields":[{"name":"price","type":"Money"}]}',
      references: [{ name: 'Money', subject: 'money', version: 1 }],
    })
    expect(await read(codec(), [withSchemaId(id, Buffer.of(10))])).toEqual([{ price: { cents: 5 } }])
  })

  test('a schema of the options reads what was written with others', async () => {
    const id = server.add('a-value', { schema: ORDER })
    const reader = JSON.stringify({
      type: 'record',
      name: 'Order',
      namespace: 'shop',
      fields: [
        { name: 'id', type: 'double' },
        { name: 'added', type: 'int', default: 7 },
      ],
    })
    expect(await read(codec({ own: own(reader) }), [withSchemaId(id, data(2))])).toEqual([{ id: 2, added: 7 }])
  })

  test('the id may be in a header, as an id or with message indexes', async () => {
    const id = server.add('a-value', { schema: ORDER })
    const header = (text: Buffer): NonNullable<MadeRecord['headers']> => [
      ['other', 'x'],
      ['__value_schema_id', text.toString('latin1')],
    ]
    const prefix = withSchemaId(id, Buffer.alloc(0))
    expect(prefix.toString('latin1')).toBe(Buffer.from(prefix.toString('latin1')).toString('latin1'))
    expect(await read(codec(), [{ value: data(3), headers: header(prefix) }])).toEqual([{ id: 3, note: '-' }])

    const proto = server.add('p-value', {
      schema: 'syntax = "proto3"; message A { int32 v = 1; } message B { int32 w = 1; }',
      schemaType: 'PROTOBUF',
    })
    const indexed = Buffer.concat([withSchemaId(proto, Buffer.alloc(0)), messageIndexBytes([1])])
    expect(await read(codec({}, 'protobuf'), [{ value: Buffer.of(8, 5), headers: header(indexed) }])).toEqual([
      { w: 5 },
    ])
  })

  test.each([
    { name: 'no schema id', value: Buffer.from('{"a":1}'), problem: 'it has no schema id: it starts with 7b2261223a' },
    { name: 'nothing', value: Buffer.alloc(0), problem: 'it is empty' },
    { name: 'a schema that is not there', value: withSchemaId(9999, data(1)), problem: 'Schema 9999 not found' },
  ])('a record with $name fails, and no other', async ({ value, problem }) => {
    const id = server.add('a-value', { schema: ORDER })
    const one = codec()
    const batch = batchOf([withSchemaId(id, data(1)), value])
    await one.prepare(batch, never)
    expect(one.decode(batch.value(0), batch, 0)).toEqual({ id: 1, note: '-' })
    expect(() => one.decode(batch.value(1), batch, 1)).toThrow(DecodeError)
    expect(() => one.decode(batch.value(1), batch, 1)).toThrow(problem)
  })

  test('errors name the schema, its id, the field, and the subject by the name of the topic, which no request is sent for', async () => {
    const id = server.add('a-value', { schema: ORDER })
    const one = codec()
    const batch = batchOf([withSchemaId(id, Buffer.of(2, 9)), 'text'])
    await one.prepare(batch, never)
    expect(() => one.decode(batch.value(0), batch, 0)).toThrow(
      `field "note" is cut off (schema ${id} "shop.Order"); by the topic, its subject is "orders-value"`,
    )
    expect(() => one.decode(batch.value(1), batch, 1)).toThrow('by the topic, its subject is "orders-value"')
    const keys = codec({ part: 'key' })
    const keyed = batchOf([{ key: withSchemaId(id, Buffer.of(2, 9)), value: null }])
    await keys.prepare(keyed, never)
    expect(() => keys.decode(keyed.key(0), keyed, 0)).toThrow('by the topic, its subject is "orders-key"')
    expect(new Set(server.requests)).toEqual(new Set([`GET /schemas/ids/${id}`]))
  })

  test('a schema of another format, or one that cannot be used, fails the records that name it', async () => {
    const json = server.add('j-value', { schema: '{"type":"object"}', schemaType: 'JSON' })
    const broken = server.add('x-value', { schema: '{"type":"gone"}' })
    await expect(read(codec(), [withSchemaId(json, data(1))])).rejects.toThrow(
      'is of type JSON, which the codec avro does not read',
    )
    await expect(read(codec(), [withSchemaId(broken, data(1))])).rejects.toThrow(`Cannot use schema ${broken}`)
    await expect(
      read(codec({ own: own('"string"') }), [withSchemaId(server.add('a-value', { schema: ORDER }), data(1))]),
    ).rejects.toThrow('with the schema in valueSchema')
  })

  test('waits while the registry is down, for as long as it takes', async () => {
    const id = server.add('a-value', { schema: ORDER })
    server.always = { status: 503, body: '' }
    const reading = read(codec(), [withSchemaId(id, data(4))])
    await expect.poll(() => server.requests.length).toBeGreaterThan(1)
    server.always = undefined
    expect(await reading).toEqual([{ id: 4, note: '-' }])
  })

  test('stops waiting when the run does', async () => {
    server.always = { status: 503, body: '' }
    const stop = new AbortController()
    const waiting = codec().prepare(batchOf([withSchemaId(77, data(1))]), stop.signal)
    await expect.poll(() => server.requests.length).toBeGreaterThan(0)
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('ends the run when the registry refuses the credentials, as that is not about a record', async () => {
    server.always = { status: 401, body: '' }
    await expect(codec().prepare(batchOf([withSchemaId(78, data(1))]), never)).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    })
  })

  test('reports after a while that it waits, and when it no longer does', async () => {
    const id = server.add('a-value', { schema: ORDER })
    const warn = vi.fn()
    const gate = Promise.withResolvers<void>()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      server.gate = gate.promise
      const reading = read(codec({ warn }), [withSchemaId(id, data(1))])
      await vi.advanceTimersByTimeAsync(5000)
      gate.resolve()
      await reading
    } finally {
      server.gate = undefined
      vi.useRealTimers()
    }
    expect(warn.mock.calls).toEqual([
      [`Waiting for the schema registry at "${server.url}": reading is paused until it answers`],
      [`No longer waiting for the schema registry at "${server.url}"`],
    ])
  })
})

describe('writing', () => {
  const empty = batchOf([])

  test('a schema of the options is registered once', async () => {
    const one = codec({ own: own(ORDER), writing: writing('new-value') })
    await one.prepare(empty, never)
    expect(one.prepare(empty, never)).toBeUndefined()
    expect(server.requests).toEqual(['POST /subjects/new-value/versions'])
    const id = (await registry.latest('new-value')).id
    expect(one.encode({ id: 1 })).toEqual(withSchemaId(id, data(1)))
  })

  test('a schema of the options may refer to others: in the registry, or given as well, which are registered first', async () => {
    const money = '{"type":"record","name":"Money","fields":[{"name":"cents","type":"long"}]}'
    const price = '{"type":"record","name":"Price","fields":[{"name":"net","type":"Money"}]}'
    const line = '{"type":"record","name":"Line","fields":[{"name":"price","type":"Price"}]}'
    server.add('own-money', { schema: money })
    const given = (name: string, more: Partial<OwnReference>): OwnReference => ({
      name,
      subject: undefined,
      version: undefined,
      read: undefined,
      ...more,
    })
    const references = [
      given('Money', { subject: 'own-money' }),
      given('Price', { subject: 'price', read: () => Promise.resolve(price) }),
    ]
    const one = codec({ own: { ...own(line)!, references }, writing: writing('line-value') })
    await one.prepare(batchOf([]), never)
    const bytes = one.encode({ price: { net: { cents: 5 } } }) as Buffer
    expect(server.requests).toEqual([
      'GET /subjects/own-money/versions/latest',
      'GET /subjects/own-money/versions/1?deleted=true',
      'POST /subjects/price/versions',
      'POST /subjects/price',
      'POST /subjects/line-value/versions',
    ])
    const latest = await registry.latest('line-value')
    expect(latest.references).toEqual([
      { name: 'Money', subject: 'own-money', version: 1 },
      { name: 'Price', subject: 'price', version: 1 },
    ])
    expect((await registry.latest('price')).references).toEqual([{ name: 'Money', subject: 'own-money', version: 1 }])
    const document = [{ price: { net: { cents: 5 } } }]
    expect(await read(codec(), [bytes])).toEqual(document)
    // As the schema to read with.
    expect(await read(codec({ own: { ...own(line)!, references } }), [bytes])).toEqual(document)
    // And without a registry.
    const alone = [
      given('Money', { read: () => Promise.resolve(money) }),
      given('Price', { read: () => Promise.resolve(price) }),
    ]
    const without = codec({ store: undefined, own: { ...own(line)!, references: alone } })
    expect(await read(without, [bytes.subarray(5)])).toEqual(document)
  })

  test('waits for the references of a schema while the registry is down, and ends the run when one is not there', async () => {
    const references = [{ name: 'Gone', subject: 'gone', version: undefined, read: undefined }]
    const one = codec({ own: { ...own('"int"')!, references } })
    server.always = { status: 503, body: '' }
    const reading = read(one, [])
    await expect.poll(() => server.requests.length).toBeGreaterThan(2)
    server.always = undefined
    await expect(reading).rejects.toMatchObject({ code: 'SCHEMA_NOT_FOUND' })
  })

  test('or must be there', async () => {
    const one = codec({ own: own('"float"'), writing: writing('absent-value', false) })
    await expect(one.prepare(empty, never)).rejects.toMatchObject({ code: 'SCHEMA_NOT_FOUND' })
    const id = server.add('present-value', { schema: '"float"' })
    const other = codec({ own: own('"float"'), writing: writing('present-value', false) })
    await other.prepare(empty, never)
    expect((other.encode({ value: 0 }) as Buffer).readUInt32BE(1)).toBe(id)
  })

  test('otherwise it is the latest of the subject, which is asked for again after its time', async () => {
    server.add('live-value', { schema: '"int"' })
    const one = codec({ writing: writing('live-value'), latestTtlMs: 1000 })
    await one.prepare(empty, never)
    expect(() => one.encode({ value: 'x' })).toThrow('must be a whole number')
    server.add('live-value', { schema: '"string"' })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1001 })
    try {
      await one.prepare(empty, never)
      expect(one.encode({ value: 'x' })).toBeInstanceOf(Buffer)
      // What is known will do while the registry is down.
      server.always = { status: 503, body: '' }
      vi.setSystemTime(Date.now() + 1001)
      await one.prepare(empty, never)
      expect(one.encode({ value: 'x' })).toBeInstanceOf(Buffer)
    } finally {
      vi.useRealTimers()
    }
  })

  test('a subject without a schema is reported once something has to be written, with what to do', async () => {
    const one = codec({ writing: writing('none-value') })
    await one.prepare(empty, never)
    expect(one.prepare(empty, never)).toBeUndefined()
    expect(() => one.encode({ id: 1 })).toThrow(
      'Cannot write the value as avro as subject "none-value" has no schema: set valueSchema, or valueSubject',
    )
    // It ends the run, whatever the policy does with records.
    const batch = batchOf(['{}']).derive({ rows: undefined, documents: [{}], replaced: Uint8Array.of(1) })
    const failed = vi.fn()
    expect(() => encodeDocuments(batch, one, {}, failed)).toThrow(RegistryError)
    expect(failed).not.toHaveBeenCalled()
  })

  test('errors name the field, the subject, the schema and its id', async () => {
    const id = server.add('named-value', { schema: ORDER })
    const one = codec({ writing: writing('named-value') })
    await one.prepare(empty, never)
    expect(() => one.encode({ id: 'x' })).toThrow(EncodeError)
    expect(() => one.encode({ id: 'x' })).toThrow(
      `Cannot write the value as avro: field "id" must be a whole number of 64 bits: current value is "x" (schema ${id} "shop.Order" of subject "named-value")`,
    )
  })

  test('a tombstone that a stage made stays one', async () => {
    server.add('tomb-value', { schema: ORDER })
    const one = codec({ writing: writing('tomb-value') })
    await one.prepare(empty, never)
    expect(one.encode({ value: null })).toBeNull()
  })

  test('names of records become subjects', async () => {
    const use = { subject: (record: string) => `orders-${record}`, register: true, normalize: true }
    const one = codec({ own: own(ORDER), writing: use })
    await one.prepare(empty, never)
    expect(server.requests).toEqual(['POST /subjects/orders-shop.Order/versions?normalize=true'])
  })
})

test('codecs of one registry pass bytes on to each other, whatever their subjects', () => {
  expect(codec().wire).toBe(codec({ writing: writing() }).wire)
  expect(codec({}, 'protobuf').wire).not.toBe(codec().wire)
  const other: Pick<SchemaRegistry, 'urls'> = { urls: ['http://elsewhere'] }
  expect(codec({ store: other as SchemaRegistry }).wire).not.toBe(codec().wire)
  expect(codec({ store: undefined, own: own('"int"') }).wire).not.toBe(
    codec({ store: undefined, own: own('"long"') }).wire,
  )
})
