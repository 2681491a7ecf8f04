/** The client against a real registry: what unit tests take for granted of answers holds there, too. */
import { afterAll, describe, expect, test } from 'vitest'
import { SchemaRegistry } from '../../src/schema-registry/client.ts'
import type { Schema } from '../../src/contracts/schemas.ts'
import { uniqueName } from '../support/broker.ts'
import { ownRegistry, registryAvailable } from '../support/registry.ts'

const ORDER = { type: 'record', name: 'Order', namespace: 'shop', fields: [{ name: 'id', type: 'long' }] }

function avro(schema: unknown, references: Schema['references'] = []): Schema {
  return { type: 'AVRO', text: JSON.stringify(schema), references }
}

describe.skipIf(!registryAvailable)('the client of a schema registry', () => {
  const server = ownRegistry()
  const open: SchemaRegistry[] = []
  const client = (retryTimeoutMs = 10_000): SchemaRegistry => {
    const made = new SchemaRegistry(
      {
        urls: [server().url],
        credentials: undefined,
        headers: {},
        tls: undefined,
        requestTimeoutMs: 10_000,
        retryTimeoutMs,
        retryBackoffMs: 20,
        retryBackoffMaxMs: 200,
        latestTtlMs: 0,
      },
      '/',
    )
    open.push(made)
    return made
  }
  afterAll(() => Promise.all(open.map((one) => one.close())))

  test('registers a schema and finds it by id, version, content and as the latest', async () => {
    const subject = `${uniqueName('orders')}-value`
    const registry = client()
    const id = await registry.register(subject, avro(ORDER))
    const stored = await client().schema(id)
    expect(stored).toMatchObject({ id, type: 'AVRO', references: [] })
    expect(JSON.parse(stored.text)).toEqual(ORDER)
    expect(await registry.latest(subject)).toMatchObject({ id, subject, version: 1 })
    expect(await registry.version(subject, 1)).toMatchObject({ id, subject, version: 1 })
    expect(await client().lookup(subject, avro(ORDER))).toBe(id)
    expect(await client().register(subject, avro(ORDER), { normalize: true })).toBe(id)
    expect(await registry.subjects()).toContain(subject)
  })

  test.each([
    { type: 'PROTOBUF', text: 'syntax = "proto3"; package shop; message Order { int64 id = 1; }' },
    { type: 'JSON', text: '{"type":"object","properties":{"id":{"type":"integer"}}}' },
  ] as const)('keeps the format of $type', async ({ type, text }) => {
    const id = await client().register(`${uniqueName('orders')}-value`, { type, text, references: [] })
    expect(await client().schema(id)).toMatchObject({ type })
  })

  test('resolves references', async () => {
    const registry = client()
    const money = { type: 'record', name: 'Money', namespace: 'shop', fields: [{ name: 'cents', type: 'long' }] }
    const subject = uniqueName('money')
    await registry.register(subject, avro(money))
    const order = { ...ORDER, fields: [{ name: 'price', type: 'shop.Money' }] }
    const references = [{ name: 'shop.Money', subject, version: 1 }]
    const id = await registry.register(`${uniqueName('orders')}-value`, avro(order, references))
    const stored = await client().schema(id)
    expect(stored.references).toEqual(references)
    expect(await client().references(stored)).toEqual([{ name: 'shop.Money', text: JSON.stringify(money) }])
  })

  test('reports what is not there, and what is not accepted', async () => {
    await expect(client().schema(999_999)).rejects.toMatchObject({ code: 'SCHEMA_NOT_FOUND', registryCode: 40403 })
    await expect(client().latest(uniqueName('none'))).rejects.toMatchObject({
      code: 'SCHEMA_NOT_FOUND',
      registryCode: 40401,
    })
    const broken: Schema = { type: 'AVRO', text: '{"type":', references: [] }
    await expect(client().register(uniqueName('broken'), broken)).rejects.toMatchObject({ code: 'SCHEMA_REFUSED' })
  })

  test('refuses a schema that is not compatible, and says so before', async () => {
    const subject = `${uniqueName('orders')}-value`
    await client().register(subject, avro(ORDER))
    await fetch(`${server().url}/config/${subject}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"compatibility":"BACKWARD"}',
    })
    const next = avro({ ...ORDER, fields: [...ORDER.fields, { name: 'note', type: 'string' }] })
    expect(await client().compatibility(subject, next)).toMatchObject({ isCompatible: false })
    await expect(client().register(subject, next)).rejects.toMatchObject({ code: 'SCHEMA_REFUSED', status: 409 })
    const compatible = avro({ ...ORDER, fields: [...ORDER.fields, { name: 'note', type: 'string', default: '' }] })
    expect(await client().compatibility(subject, compatible)).toMatchObject({ isCompatible: true })
  })

  test('a request that is made while the registry is down is answered once it is back', async () => {
    await server().kill()
    await expect(client(0).subjects()).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE', retriable: true })
    const asked = client(120_000).subjects()
    await server().restart()
    await expect(asked).resolves.toBeInstanceOf(Array)
  })
})
