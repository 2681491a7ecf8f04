/** Requests over TLS, with and without a certificate of ours. */
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readNames } from '../../src/schema-registry/answers.ts'
import { Requests } from '../../src/schema-registry/requests.ts'
import { registrySettings } from '../../src/schema-registry/settings.ts'
import { REGISTRY_FIELDS, type RegistryOptions } from '../../src/schema-registry/fields.ts'
import { parseOptions } from '../../src/options/parse.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/tls')

/** The name that a client asks for is that of the host header. */
const ELSEWHERE = { truststoreLocation: 'ca.pem', headers: { host: 'elsewhere' } }

describe('a registry behind TLS that asks for a certificate', () => {
  let server: Server
  let requests: Requests | undefined
  beforeAll(async () => {
    const [pfx, ca] = await Promise.all([readFile(join(FIXTURES, 'server.p12')), readFile(join(FIXTURES, 'ca.pem'))])
    const tls = { pfx, passphrase: 'changeit', ca, requestCert: true, rejectUnauthorized: false }
    server = createServer(tls, (request, response) => {
      response.end(JSON.stringify([(request.socket as TLSSocket).authorized ? 'known' : 'unknown']))
    })
    await new Promise<void>((resolve) => server.listen(0, resolve))
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  afterEach(() => requests?.close())

  const ask = (more: Partial<RegistryOptions>): Promise<readonly string[]> => {
    const url = `https://localhost:${(server.address() as AddressInfo).port}`
    const { options } = parseOptions<typeof REGISTRY_FIELDS>({ options: REGISTRY_FIELDS }, { url, ...more })
    requests = new Requests(registrySettings(options), FIXTURES)
    return requests.send({ method: 'GET', path: '/subjects', action: 'Cannot list subjects' }, readNames)
  }

  test('answers a client that trusts it', async () => {
    expect(await ask({ truststoreLocation: 'ca.pem' })).toEqual(['unknown'])
  })

  test.each([
    { name: 'one file', keystore: { keystoreLocation: 'server.pem' } },
    { name: 'PKCS12', keystore: { keystoreLocation: 'server.p12', keystorePassword: 'changeit' } },
    { name: 'two files', keystore: { keyLocation: 'key.pem', certificateLocation: 'ca.pem' } },
    { name: 'an encrypted key', keystore: { keystoreLocation: 'encrypted.pem', keyPassword: 'keypass' } },
  ])('knows a client by its certificate, from $name', async ({ keystore }) => {
    expect(await ask({ truststoreLocation: 'ca.pem', ...keystore })).toEqual(['known'])
  })

  test.each([
    { name: 'without the authority', more: {}, problem: 'is not trusted' },
    { name: 'under another name', more: ELSEWHERE, problem: "is not in the cert's altnames" },
  ])('is not used $name, without trying again', async ({ more, problem }) => {
    await expect(ask(more)).rejects.toMatchObject({
      code: 'TLS_FAILED',
      message: expect.stringMatching(problem) as string,
    })
  })

  test('is used under another name where that is allowed', async () => {
    expect(await ask({ ...ELSEWHERE, endpointIdentification: 'none' })).toEqual(['unknown'])
  })

  test('files that are not there are reported as such', async () => {
    await expect(ask({ truststoreLocation: 'nowhere.pem' })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })
})
