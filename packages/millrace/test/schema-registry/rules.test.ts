import { describe, expect, test } from 'vitest'
import { field } from '../../src/options/fields.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { redact } from '../../src/options/describe.ts'
import { schemaRegistry } from '../../src/schema-registry/fields.ts'
import { registryProblems } from '../../src/schema-registry/rules.ts'
import { registrySettings } from '../../src/schema-registry/settings.ts'

const options = { schemaRegistry: field.of(schemaRegistry) }
const spec = {
  options,
  rules: [
    ({ schemaRegistry: registry }: { readonly schemaRegistry: Parameters<typeof registryProblems>[0] }) =>
      registryProblems(registry),
  ],
}
const read = (written: unknown): ReturnType<typeof parseOptions<typeof options>> =>
  parseOptions<typeof options>(spec, { schemaRegistry: written })

const URL = 'https://registry.example.com'
const OAUTH = { oauthTokenEndpoint: 'https://login/token', oauthClientId: 'me', oauthClientSecret: 'hush' }

describe('a schema registry as an option', () => {
  test.each([
    { name: 'an address', written: 'http://localhost:8081/' },
    { name: 'a list of addresses', written: ['http://localhost:8081'] },
    { name: 'an object', written: { url: 'http://localhost:8081' } },
  ])('may be $name', ({ written }) => {
    const { options: found, problems } = read(written)
    expect(problems).toEqual([])
    expect(registrySettings(found.schemaRegistry)).toMatchObject({
      urls: ['http://localhost:8081'],
      credentials: undefined,
      tls: undefined,
      requestTimeoutMs: 10_000,
    })
  })

  test.each([
    {
      name: 'a password',
      more: { username: 'a', password: 'b' },
      credentials: { by: 'password', username: 'a', password: 'b' },
    },
    { name: 'a token', more: { bearerToken: 't' }, credentials: { by: 'token', token: 't' } },
    {
      name: 'OAuth',
      more: OAUTH,
      credentials: { by: 'oauth', endpoint: { url: 'https://login/token', clientId: 'me' } },
    },
  ])('authenticates with $name', ({ more, credentials }) => {
    const { options: found, problems, warnings } = read({ url: URL, ...more })
    expect([...problems, ...warnings]).toEqual([])
    expect(registrySettings(found.schemaRegistry)).toMatchObject({ credentials })
  })

  test('takes certificates as files', () => {
    const { options: found } = read({
      url: URL,
      truststoreLocation: 'ca.pem',
      keystoreLocation: 'me.p12',
      endpointIdentification: 'none',
    })
    expect(registrySettings(found.schemaRegistry).tls).toMatchObject({
      truststore: { type: 'PEM', location: 'ca.pem' },
      keystore: { type: 'PKCS12', location: 'me.p12' },
      verifyHostname: false,
    })
  })

  test.each([
    { name: 'no address', written: {}, problem: 'Missing option "url"' },
    { name: 'an address without a scheme', written: 'localhost:8081', problem: 'must be an address' },
    {
      name: 'an address with a password',
      written: 'http://me:hush@localhost',
      problem: 'user and password in its address',
    },
    { name: 'an address with a query', written: 'http://localhost?x=1', problem: '"?" or "#"' },
    {
      name: 'two ways to authenticate',
      written: { url: URL, username: 'a', bearerToken: 't' },
      problem: 'both username and bearerToken',
    },
    { name: 'a password alone', written: { url: URL, password: 'a' }, problem: 'no effect without username' },
    { name: 'a scope alone', written: { url: URL, oauthScope: 'a' }, problem: 'no effect without oauthTokenEndpoint' },
    {
      name: 'an endpoint alone',
      written: { url: URL, oauthTokenEndpoint: 'https://x' },
      problem: 'requires oauthClientId',
    },
    {
      name: 'a token file',
      written: { url: URL, ...OAUTH, oauthTokenEndpoint: 'file:///x' },
      problem: 'cannot come from a file',
    },
    {
      name: 'certificates without TLS',
      written: { url: 'http://x', truststoreLocation: 'a' },
      problem: 'no effect with an address',
    },
    { name: 'a key alone', written: { url: URL, keyLocation: 'a' }, problem: 'must be set together' },
    {
      name: 'two keys',
      written: { url: URL, keyLocation: 'a', certificateLocation: 'b', keystoreLocation: 'c' },
      problem: 'delete one',
    },
    { name: 'a JKS store', written: { url: URL, keystoreLocation: 'a.jks' }, problem: 'JKS' },
    { name: 'a name that is none', written: { url: URL, user: 'a' }, problem: 'Unknown option' },
  ])('is refused with $name', ({ written, problem }) => {
    const { problems } = read(written)
    expect(problems.map(({ message, suggestion }) => `${message} ${suggestion}`).join('; ')).toContain(problem)
    expect(JSON.stringify(problems)).not.toContain('hush')
  })

  test('warns of a password that is sent in clear text, except to this machine', () => {
    const login = { username: 'a', password: 'hush' }
    expect(read({ url: 'http://registry', ...login }).warnings).toMatchObject([
      { message: expect.stringContaining('clear text') as string },
    ])
    expect(read({ url: 'http://localhost:8081', ...login }).warnings).toEqual([])
  })

  test('is shown without its secrets', () => {
    const { options: found } = read({ url: URL, username: 'a', password: 'hush', headers: { 'x-key': 'hush' } })
    expect(JSON.stringify(redact(options, found))).not.toContain('hush')
    expect(redact(options, { schemaRegistry: URL })).toEqual({ schemaRegistry: URL })
  })
})
