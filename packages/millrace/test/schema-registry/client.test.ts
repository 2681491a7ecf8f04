/**
 * What a client asks, how often, and what it makes of answers: also of those that no registry should give, which were seen from
 * proxies, gateways and registries that were starting or stopping.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SchemaRegistry } from '../../src/schema-registry/client.ts'
import { sharedRegistry } from '../../src/schema-registry/index.ts'
import type { Schema } from '../../src/contracts/schemas.ts'
import type { RegistrySettings } from '../../src/schema-registry/settings.ts'
import { RegistryServer, type OddAnswer } from '../support/registry-server.ts'
import { CLIENT, TokenServer } from '../support/token-server.ts'

let server: RegistryServer
let open: SchemaRegistry[] = []
let nowMs = 0

// One for each test: a request that a client gave up may arrive late.
beforeEach(async () => {
  server = await RegistryServer.start()
})
afterEach(async () => {
  await Promise.all(open.map((client) => client.close()))
  open = []
  await server.stop()
})

function settings(more: Partial<RegistrySettings> = {}): RegistrySettings {
  return {
    urls: [server.url],
    credentials: undefined,
    headers: {},
    tls: undefined,
    requestTimeoutMs: 5000,
    retryTimeoutMs: 5000,
    retryBackoffMs: 1,
    retryBackoffMaxMs: 5,
    latestTtlMs: 60_000,
    ...more,
  }
}

function client(more: Partial<RegistrySettings> = {}): SchemaRegistry {
  const made = new SchemaRegistry(settings(more), '/', () => nowMs)
  open.push(made)
  return made
}

const avro = (text: string, references: Schema['references'] = []): Schema => ({ type: 'AVRO', text, references })

describe('requests', () => {
  test('a hundred concurrent first uses of a schema send one request, and later ones none', async () => {
    const id = server.add('traffic-value', { schema: '"string"' })
    const registry = client()
    const found = await Promise.all(Array.from({ length: 100 }, () => registry.schema(id)))
    expect(new Set(found).size).toBe(1)
    expect(found[0]).toEqual({ id, type: 'AVRO', text: '"string"', references: [] })
    await registry.schema(id)
    expect(registry.knownSchema(id)).toBe(found[0])
    expect(server.requests).toEqual([`GET /schemas/ids/${id}`])
  })

  test('clients that are shared in a process send one request for all of them', async () => {
    const id = server.add('shared-value', { schema: '"int"' })
    const uses = [sharedRegistry(settings(), '/'), sharedRegistry(settings(), '/elsewhere')]
    await Promise.all(uses.map(({ registry }) => registry.schema(id)))
    expect(server.requests).toHaveLength(1)
    await uses[0]!.release()
    await uses[0]!.release()
    await expect(uses[1]!.registry.subjects()).resolves.toContain('shared-value')
    await uses[1]!.release()
    await expect(uses[1]!.registry.subjects()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('the latest version is asked for again after its time, and after a schema was registered', async () => {
    server.add('latest-value', { schema: '"int"' })
    const registry = client({ latestTtlMs: 60_000 })
    const first = await registry.latest('latest-value')
    expect(await registry.latest('latest-value')).toBe(first)
    expect(first).toMatchObject({ subject: 'latest-value', version: 1, text: '"int"' })
    const id = await registry.register('latest-value', avro('"long"'))
    expect(await registry.latest('latest-value')).toMatchObject({ version: 2, id, text: '"long"' })

    const before = server.requests.length
    nowMs += 59_999
    await registry.latest('latest-value')
    expect(server.requests).toHaveLength(before)
    nowMs += 1
    await registry.latest('latest-value')
    expect(server.requests).toHaveLength(before + 1)
  })

  test('that a schema is not there is kept for seconds, so that records without one do not flood the registry', async () => {
    const registry = client()
    const missing = { code: 'SCHEMA_NOT_FOUND', status: 404, registryCode: 40403 }
    await expect(registry.schema(999)).rejects.toMatchObject(missing)
    await expect(registry.schema(999)).rejects.toMatchObject(missing)
    expect(server.requests).toHaveLength(1)

    nowMs += 5000
    await expect(registry.schema(999)).rejects.toMatchObject(missing)
    expect(server.requests).toHaveLength(2)
  })

  test('a schema is registered once, and found by looking it up', async () => {
    const registry = client()
    const schema = avro('"double"')
    const ids = await Promise.all(Array.from({ length: 20 }, () => registry.register('once-value', schema)))
    expect(new Set(ids).size).toBe(1)
    expect(server.requests).toEqual(['POST /subjects/once-value/versions'])
    expect(await registry.lookup('once-value', schema)).toBe(ids[0])
    await registry.register('once-value', avro('"float"'), { normalize: true })
    expect(server.requests.at(-1)).toBe('POST /subjects/once-value/versions?normalize=true')
  })

  test('names of subjects are encoded into the path', async () => {
    const registry = client()
    await registry.register('a/b c?-value', avro('"boolean"'))
    expect(server.requests).toEqual(['POST /subjects/a%2Fb%20c%3F-value/versions'])
    expect(await registry.subjects()).toContain('a/b c?-value')
  })

  test('a caller that gives up does not end the request that others wait for', async () => {
    const id = server.add('patience-value', { schema: '"bytes"' })
    const gate = Promise.withResolvers<void>()
    server.gate = gate.promise
    const registry = client()
    const impatient = new AbortController()
    const first = registry.schema(id, impatient.signal)
    const second = registry.schema(id)
    impatient.abort()
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' })
    gate.resolve()
    await expect(second).resolves.toMatchObject({ id })
    expect(server.requests).toHaveLength(1)
  })

  test('closing ends requests that are running', async () => {
    server.gate = new Promise(() => {})
    const registry = client()
    const asked = registry.schema(1)
    await expect.poll(() => server.requests.length).toBe(1)
    await registry.close()
    await expect(asked).rejects.toMatchObject({ code: 'CLOSED' })
    await registry.close()
  })
})

describe('references', () => {
  test('are resolved whatever refers to what, each once and before what needs it', async () => {
    server.add('money', { schema: 'money' })
    server.add('item', { schema: 'item', references: [{ name: 'Money', subject: 'money', version: 1 }] })
    server.add('customer', { schema: 'customer', references: [{ name: 'Money', subject: 'money', version: 1 }] })
    const references = [
      { name: 'Item', subject: 'item', version: 1 },
      { name: 'Customer', subject: 'customer', version: 1 },
    ]
    const found = await client().references({ references })
    expect(found).toEqual([
      { name: 'Money', text: 'money' },
      { name: 'Item', text: 'item' },
      { name: 'Customer', text: 'customer' },
    ])
    expect(server.requests.filter((request) => request.includes('/money/'))).toHaveLength(1)
  })

  test('that go in a circle come to an end', async () => {
    server.add('hen', { schema: 'hen', references: [{ name: 'Egg', subject: 'egg', version: 1 }] })
    server.add('egg', { schema: 'egg', references: [{ name: 'Hen', subject: 'hen', version: 1 }] })
    const found = await client().references({ references: [{ name: 'Hen', subject: 'hen', version: 1 }] })
    expect(found.map(({ name }) => name)).toEqual(['Egg', 'Hen'])
  })

  test('are asked for with those that were deleted', async () => {
    server.add('gone', { schema: 'gone' })
    await client().references({ references: [{ name: 'Gone', subject: 'gone', version: 1 }] })
    expect(server.requests).toEqual(['GET /subjects/gone/versions/1?deleted=true'])
  })
})

describe('compatibility', () => {
  test('is what the registry says, with its reasons', async () => {
    const registry = client()
    expect(await registry.compatibility('any', avro('good'))).toMatchObject({ isCompatible: true })
    expect(await registry.compatibility('any', avro('bad'))).toEqual({ isCompatible: false, reasons: ['why not'] })
  })

  test('that is refused on registering names the subject', async () => {
    await expect(client().register('picky-value', avro('incompatible'))).rejects.toMatchObject({
      code: 'SCHEMA_REFUSED',
      status: 409,
      message: `Cannot register the schema of subject "picky-value": the schema registry at "${server.url}" responded with status 409, Incompatible schema`,
    })
  })
})

const PAGE = '<!DOCTYPE html><html><body>Service unavailable</body></html>'

describe('answers that are gone with the next attempt', () => {
  test.each<{ readonly name: string; readonly odd: OddAnswer }>([
    { name: 'a closed connection', odd: { breaks: true } },
    { name: 'a registry that starts', odd: { status: 503, body: '' } },
    { name: 'a gateway without a registry behind it', odd: { status: 502, body: PAGE } },
    {
      name: 'a leader that moves',
      odd: { status: 500, body: '{"error_code":50003,"message":"Forwarding to leader failed"}' },
    },
    {
      name: 'a backend that is down',
      odd: { status: 500, body: '{"error_code":50001,"message":"Error in the backend data store"}' },
    },
    { name: 'too many requests', odd: { status: 429, body: 'slow down' } },
    { name: 'too many requests with a time', odd: { status: 429, headers: { 'retry-after': '0.01' } } },
    { name: 'a page with status 200', odd: { status: 200, body: PAGE } },
    { name: 'an empty body with status 200', odd: { status: 200, body: '' } },
    { name: 'JSON that was cut off', odd: { status: 200, body: '{"schema":"\\"str' } },
  ])('$name', async ({ odd }) => {
    const id = server.add('odd-value', { schema: '"string"' })
    server.odd.push(odd, odd)
    await expect(client().schema(id)).resolves.toMatchObject({ id })
    expect(server.requests).toHaveLength(3)
  })

  test('are not kept: once the registry is back, it is asked again', async () => {
    const id = server.add('back-value', { schema: '"string"' })
    const registry = client({ retryTimeoutMs: 0 })
    server.always = { status: 503, body: '' }
    const away = { code: 'REGISTRY_UNAVAILABLE', retriable: true }
    await expect(registry.schema(id)).rejects.toMatchObject(away)
    await expect(registry.schema(id)).rejects.toMatchObject(away)
    server.always = undefined
    await expect(registry.schema(id)).resolves.toMatchObject({ id })
    expect(server.requests).toHaveLength(3)
  })

  test('end with an error when the time is over', async () => {
    server.always = { hangs: true }
    await expect(client({ requestTimeoutMs: 50, retryTimeoutMs: 1000 }).schema(1)).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: `Cannot get schema 1 from the schema registry at "${server.url}": no response within 50 ms`,
    })
    expect(server.requests.length).toBeGreaterThan(1)
  })
})

describe('answers that stay', () => {
  test.each([-1, 2 ** 40, 1.5, '"7"'])('an id that no record has room for: %s', async (id) => {
    server.odd.push({ body: `{"id":${id}}` })
    await expect(client().register('odd', { type: 'AVRO', text: `"${id}"`, references: [] })).rejects.toMatchObject({
      code: 'REGISTRY_ERROR',
    })
  })

  test.each<{ readonly name: string; readonly odd: OddAnswer; readonly problem: string; readonly code?: string }>([
    { name: 'something that is no registry', odd: { status: 404, body: PAGE }, problem: 'may lack a path' },
    {
      name: 'a redirect',
      odd: { status: 302, headers: { location: 'https://elsewhere' } },
      problem: 'redirect to "https://elsewhere"',
    },
    { name: 'an answer without a schema', odd: { body: '{"id":1}' }, problem: 'its response has no "schema"' },
    { name: 'a list', odd: { body: '[]' }, problem: 'its response is not a JSON object' },
    { name: 'null', odd: { body: 'null' }, problem: 'its response is not a JSON object' },
    {
      name: 'a format from the future',
      odd: { body: '{"schema":"x","schemaType":"THRIFT"}' },
      problem: 'schema type "THRIFT"',
    },
    { name: 'references that are none', odd: { body: '{"schema":"x","references":"y"}' }, problem: 'not a list' },
    { name: 'a bad request', odd: { status: 400, body: '{"message":"no."}' }, problem: 'status 400, no' },
    {
      name: 'a wrong password',
      odd: { status: 401, body: '{"error_code":401,"message":"Unauthorized"}' },
      problem: 'refused the credentials',
      code: 'AUTHENTICATION_FAILED',
    },
    {
      name: 'a lack of permission',
      odd: { status: 403, body: '' },
      problem: 'refused the credentials',
      code: 'AUTHENTICATION_FAILED',
    },
  ])('$name', async ({ odd, problem, code = 'REGISTRY_ERROR' }) => {
    server.always = odd
    await expect(client().schema(1)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(problem) as string,
    })
    expect(server.requests).toHaveLength(1)
  })
})

describe('several addresses', () => {
  test('another one is used while one is down, at once and from then on', async () => {
    const id = server.add('spare-value', { schema: '"string"' })
    const registry = client({ urls: ['http://127.0.0.1:1', server.url], retryBackoffMs: 60_000 })
    await expect(registry.schema(id)).resolves.toMatchObject({ id })
    await expect(registry.subjects()).resolves.toContain('spare-value')
  })

  test('that are all down end with the reason of the last one', async () => {
    const registry = client({ urls: ['http://127.0.0.1:1', 'http://127.0.0.1:2'], retryTimeoutMs: 20 })
    await expect(registry.subjects()).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: expect.stringMatching(/127\.0\.0\.1:[12]": connection refused/) as string,
    })
  })
})

describe('credentials', () => {
  test('are a user and password, which no error shows', async () => {
    const registry = client({ credentials: { by: 'password', username: 'ann', password: 'hush' } })
    await registry.subjects()
    expect(server.headers.authorization).toBe(`Basic ${Buffer.from('ann:hush').toString('base64')}`)
    server.always = { status: 401, body: '' }
    const error = await registry.subjects().catch((reason: unknown) => reason as Error)
    expect(String(error)).not.toMatch(/hush|YW5uOmh1c2g/)
  })

  test('are a bearer token, with headers of a hosted registry', async () => {
    await client({ credentials: { by: 'token', token: 't1' }, headers: { 'target-sr-cluster': 'lsrc-1' } }).subjects()
    expect(server.headers).toMatchObject({ authorization: 'Bearer t1', 'target-sr-cluster': 'lsrc-1' })
  })

  test('come from a token endpoint, once, and again when the registry refuses the token', async () => {
    const tokens = await TokenServer.start()
    try {
      const endpoint = {
        url: tokens.url,
        clientId: CLIENT.id,
        clientSecret: CLIENT.secret,
        scope: undefined,
        urlencode: false,
      }
      const registry = client({ credentials: { by: 'oauth', endpoint } })
      await registry.subjects()
      await registry.subjects()
      expect(server.headers.authorization).toMatch(/^Bearer ey/)
      expect(tokens.requests).toHaveLength(1)
      server.odd.push({ status: 401, body: '' })
      await registry.subjects()
      expect(tokens.requests).toHaveLength(2)
      server.always = { status: 401, body: '' }
      await expect(registry.subjects()).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' })
      expect(tokens.requests).toHaveLength(3)
    } finally {
      await tokens.stop()
    }
  })
})
