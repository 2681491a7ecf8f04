import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Codec } from '../../../src/materialize/wire/frames.ts'
import { runRequests } from '../../support/connector.ts'

describe('the registration of schemas', () => {
  let server: Server
  const requests: { path: string; body: string; authorization: string | undefined }[] = []
  const answer = { status: 200, body: '{"id":7}' }
  const collection = { writeSchema: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] } }

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += String(chunk)))
      request.on('end', () => {
        requests.push({ path: request.url!, body, authorization: request.headers.authorization })
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
      })
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
  })
  afterAll(() => server.close())

  /** @param spec of the only binding, and of the materialization */
  function open(
    spec: { readonly binding?: object; readonly linkedCollections?: readonly object[] } = {},
    codec: Codec = 'json',
  ): Promise<Awaited<ReturnType<typeof runRequests>>> {
    const { binding = { collection }, linkedCollections } = spec
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const config = {
      bootstrap_servers: '127.0.0.1:9',
      message_format: 'Avro',
      topic_partitions: 1,
      topic_replication_factor: 1,
      schema_registry: { endpoint, username: 'user', password: 'hunter2' },
    }
    const bindings = [{ resourceConfig: { topic: 'orders' }, fieldSelection: { keys: ['id'] }, ...binding }]
    return runRequests(codec, [{ open: { materialization: { config, bindings, linkedCollections } } }])
  }

  test('takes the collection from those that are listed once, by the index, whatever else the binding has', async () => {
    Object.assign(answer, { status: 200, body: '{"id":7}' })
    requests.length = 0
    await open()
    const inline = requests.map(({ path }) => path)
    requests.length = 0
    const linkedCollections = [{ writeSchema: false }, collection]
    for (const binding of [{ collectionIndex: 1 }, { collectionIndex: 1, collection: { writeSchema: {} } }])
      expect(await open({ binding, linkedCollections })).toMatchObject({ exitCode: 0 })
    expect(requests.map(({ path }) => path)).toEqual([...inline, ...inline])
    expect(await open({ binding: { collectionIndex: 2 }, linkedCollections })).toMatchObject({
      exitCode: 1,
      last: expect.stringContaining('Cannot open binding 0 as it has no collection') as string,
    })
    // Protobuf has no published tag for them.
    expect(await open({ binding: { collectionIndex: 1 }, linkedCollections }, 'proto')).toMatchObject({
      exitCode: 1,
      last: expect.stringContaining('must send JSON, with FLOW_RUNTIME_CODEC=json') as string,
    })
  })

  test('is repeated while the registry is down, behind opened', async () => {
    Object.assign(answer, { status: 503, body: 'starting' })
    requests.length = 0
    const session = open()
    await expect.poll(() => requests.length).toBeGreaterThan(1)
    Object.assign(answer, { status: 200, body: '{"id":7}' })
    expect(await session).toMatchObject({ exitCode: 0, responses: [{ opened: {} }] })
  })

  test('sends the canonical form to the subject of its hash: the key first, with the credentials', async () => {
    Object.assign(answer, { status: 200, body: '{"id":7}' })
    requests.length = 0
    expect(await open()).toMatchObject({ exitCode: 0, responses: [{ opened: {} }] })
    expect(requests.map(({ path }) => path)).toEqual([
      expect.stringMatching(/^\/subjects\/orders-[0-9a-f]{16}\/versions\?normalize=true$/),
      expect.stringMatching(/^\/subjects\/orders-[0-9a-f]{16}\/versions\?normalize=true$/),
    ])
    expect(requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      {
        schemaType: 'AVRO',
        schema:
          '{"name":"root.Key","type":"record","fields":[{"name":"_flow_key","type":{"name":"root.Key.Parts","type":"record","fields":[{"name":"p1","type":"long"}]}}]}',
      },
      {
        schemaType: 'AVRO',
        schema:
          '{"name":"root","type":"record","fields":[{"name":"id","type":"long"},{"name":"_flow_extra","type":{"type":"map","values":[{"name":"root._flow_extra.RawJSON","type":"record","fields":[{"name":"json","type":"string"}]},"null"]}}]}',
      },
    ])
    expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(
      new Set([`Basic ${Buffer.from('user:hunter2').toString('base64')}`]),
    )
  })

  test.each([
    { status: 409, body: '{"error_code":409,"message":"incompatible"}', code: 'SCHEMA_REFUSED' },
    { status: 401, body: '{"error_code":401,"message":"no"}', code: 'AUTHENTICATION_FAILED' },
  ])('ends the session behind opened when the registry answers $status', async ({ code, ...given }) => {
    Object.assign(answer, given)
    const { exitCode, responses, logs, last } = await open()
    expect({ exitCode, responses }).toEqual({ exitCode: 1, responses: [{ opened: {} }] })
    expect(logs.at(-1)).toMatchObject({ level: 'ERROR', code })
    expect(last).toContain('Cannot register the schema of subject "orders-')
    expect(last).not.toContain('hunter2')
  })
})
