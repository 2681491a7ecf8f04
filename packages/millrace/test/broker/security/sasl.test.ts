/** SASL and TLS, with Millrace's own client and byte by byte. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { ADMITTED, SESSION_STATES } from '../../../src/broker/security/session.ts'
import { KafkaSink, KafkaSource } from '../../../src/index.ts'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { apiVersionsApi } from '../../../src/protocol/messages/api-versions.ts'
import { alterUserScramCredentialsApi } from '../../../src/protocol/messages/alter-user-scram-credentials.ts'
import { describeUserScramCredentialsApi } from '../../../src/protocol/messages/describe-user-scram-credentials.ts'
import { metadataApi } from '../../../src/protocol/messages/metadata.ts'
import { saslAuthenticateApi } from '../../../src/protocol/messages/sasl-authenticate.ts'
import { saslHandshakeApi } from '../../../src/protocol/messages/sasl-handshake.ts'
import { RawClient } from '../../support/raw-client.ts'
import { TLS_FIXTURES } from '../../support/secure-broker.ts'

const fixture = (name: string): Buffer => readFileSync(join(TLS_FIXTURES, name))
const TLS = { pfx: fixture('server.p12'), passphrase: 'changeit' }
const TRUST = { 'ssl.truststore.location': join(TLS_FIXTURES, 'ca.pem'), 'ssl.truststore.type': 'PEM' }
const SASL = {
  PLAIN: { alice: 'secret' },
  'SCRAM-SHA-256': { alice: 'secret' },
  'SCRAM-SHA-512': { 'a=l,ice': 'se=c,ret' },
  OAUTHBEARER: (token: string) => (token === 'good' ? { principal: 'alice' } : undefined),
}

/** Writes a record and reads it back. */
async function roundTrip(bootstrapServers: string, properties: object): Promise<string> {
  const options = { bootstrapServers, ...properties }
  await using sink = new KafkaSink({ ...options, topic: 'a' })
  await sink.send({ value: 'hello' })
  await using source = new KafkaSource({ ...options, topics: 'a', groupId: 'g', untilEnd: true })
  for await (const { value } of source) return String(value)
  return 'nothing'
}

const password = (mechanism: string, username: string, saslPassword: string): object => ({
  'security.protocol': 'SASL_PLAINTEXT',
  'sasl.mechanism': mechanism,
  'sasl.username': username,
  'sasl.password': saslPassword,
})
const bearer = (oauthToken: string): object => ({
  'security.protocol': 'SASL_PLAINTEXT',
  'sasl.mechanism': 'OAUTHBEARER',
  oauthToken,
})

describe('the client of Millrace', () => {
  test.each([
    { name: 'PLAIN', properties: password('PLAIN', 'alice', 'secret') },
    { name: 'SCRAM-SHA-256', properties: password('SCRAM-SHA-256', 'alice', 'secret') },
    { name: 'SCRAM-SHA-512', properties: password('SCRAM-SHA-512', 'a=l,ice', 'se=c,ret') },
    { name: 'OAUTHBEARER', properties: bearer('good') },
  ])('writes and reads after authentication by $name', async ({ properties }) => {
    await using broker = await startBroker({ sasl: SASL, topics: { a: 1 } })
    expect(await roundTrip(broker.bootstrapServers, properties)).toBe('hello')
  })

  test.each([
    { name: 'a wrong password for PLAIN', properties: password('PLAIN', 'alice', 'x') },
    { name: 'a user whom PLAIN does not know', properties: password('PLAIN', 'toString', 'x') },
    { name: 'a wrong password for SCRAM', properties: password('SCRAM-SHA-256', 'alice', 'x') },
    { name: 'a user whom SCRAM does not know', properties: password('SCRAM-SHA-512', 'alice', 'secret') },
    { name: 'a token that is not valid', properties: bearer('bad') },
  ])('is refused with $name', async ({ properties }) => {
    await using broker = await startBroker({ sasl: SASL, topics: { a: 1 } })
    await expect(roundTrip(broker.bootstrapServers, properties)).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    })
  })

  test('writes and reads with TLS, and with SASL within it', async () => {
    await using plain = await startBroker({ tls: TLS, topics: { a: 1 } })
    expect(await roundTrip(plain.bootstrapServers, { 'security.protocol': 'SSL', ...TRUST })).toBe('hello')
    await using both = await startBroker({ tls: TLS, sasl: SASL, topics: { a: 1 } })
    const properties = { ...password('PLAIN', 'alice', 'secret'), 'security.protocol': 'SASL_SSL', ...TRUST }
    expect(await roundTrip(both.bootstrapServers, properties)).toBe('hello')
  })

  test('shows a certificate where one is required, whose subject is its principal', async () => {
    const principals = new Set<string>()
    await using broker = await startBroker({
      tls: { ...TLS, ca: fixture('ca.pem'), clientAuth: 'required' },
      authorization: ({ principal }) => principals.add(principal) !== undefined,
      topics: { a: 1 },
    })
    const keystore = {
      'ssl.keystore.location': join(TLS_FIXTURES, 'server.p12'),
      'ssl.keystore.password': 'changeit',
      'ssl.keystore.type': 'PKCS12',
    }
    const ssl = { 'security.protocol': 'SSL', ...TRUST }
    expect(await roundTrip(broker.bootstrapServers, { ...ssl, ...keystore })).toBe('hello')
    expect([...principals]).toEqual([expect.stringMatching(/^User:CN=/)])
    await expect(roundTrip(broker.bootstrapServers, ssl)).rejects.toThrow()
  })

  test('authenticates again before its session ends, and works on', async () => {
    await using broker = await startBroker({ sasl: { ...SASL, maxReauthMs: 300 }, topics: { a: 1 } })
    await using sink = new KafkaSink({
      bootstrapServers: broker.bootstrapServers,
      ...password('PLAIN', 'alice', 'secret'),
      topic: 'a',
    })
    const authentications = (): number => broker.requests().filter(({ api }) => api === 'SaslAuthenticate').length
    await sink.send({ value: '0' })
    const before = authentications()
    await expect
      .poll(async () => {
        await sink.send({ value: 'again' })
        return authentications()
      })
      .toBeGreaterThan(before + 2)
  })
})

describe('a connection that has not authenticated', () => {
  const token = (user: string, secret = 'secret'): Buffer => Buffer.from(`\0${user}\0${secret}`)

  test.each(SESSION_STATES)('has a list of what it may send in state %s', (state) => {
    expect(ADMITTED[state] === undefined).toBe(state === 'Authenticated')
  })

  test('may ask for versions, and is closed with any other request', async () => {
    await using broker = await startBroker({ sasl: SASL })
    using client = await RawClient.connect(broker.bootstrapServers)
    const { errorCode } = await client.request(apiVersionsApi, 3, {
      clientSoftwareName: 'a',
      clientSoftwareVersion: '1',
    })
    expect(errorCode).toBe(0)
    await expect(client.request(metadataApi, 12, { topics: [] })).rejects.toThrow('closed the connection')
  })

  test('learns which mechanisms there are, and is closed when it wants another one', async () => {
    await using broker = await startBroker({ sasl: { PLAIN: {} } })
    using client = await RawClient.connect(broker.bootstrapServers)
    const closed = new Promise((resolve) => client.socket.once('close', resolve))
    expect(await client.request(saslHandshakeApi, 1, { mechanism: 'GSSAPI' })).toEqual({
      errorCode: ERROR.UNSUPPORTED_SASL_MECHANISM,
      mechanisms: ['PLAIN'],
    })
    await closed
  })

  test('learns the lifetime of its session, and is closed when that is over', async () => {
    let now = 1_000_000
    await using broker = await startBroker({ sasl: { ...SASL, maxReauthMs: 5000 }, now: () => now })
    using client = await RawClient.connect(broker.bootstrapServers)
    await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
    const answer = await client.request(saslAuthenticateApi, 2, { authBytes: token('alice') })
    expect(answer).toMatchObject({ errorCode: 0, sessionLifetimeMs: 5000 })
    now += 4999
    expect((await client.request(metadataApi, 12, { topics: [] })).brokers).toHaveLength(1)
    now += 1
    await expect(client.request(metadataApi, 12, { topics: [] })).rejects.toThrow('closed the connection')
  })

  test('cannot become another user when it authenticates again', async () => {
    await using broker = await startBroker({ sasl: { PLAIN: { alice: 'secret', bob: 'secret' } } })
    using client = await RawClient.connect(broker.bootstrapServers)
    const authenticate = async (user: string): Promise<number> => {
      await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
      return (await client.request(saslAuthenticateApi, 2, { authBytes: token(user) })).errorCode
    }
    expect(await authenticate('alice')).toBe(0)
    expect(await authenticate('alice')).toBe(0)
    expect(await authenticate('bob')).toBe(ERROR.SASL_AUTHENTICATION_FAILED)
  })

  test('may send tokens without requests after version 0 of the handshake', async () => {
    await using broker = await startBroker({ sasl: SASL })
    using client = await RawClient.connect(broker.bootstrapServers)
    await client.request(saslHandshakeApi, 0, { mechanism: 'PLAIN' })
    const size = Buffer.alloc(4)
    size.writeInt32BE(token('alice').length)
    const answer = client.expectFrame()
    client.socket.write(Buffer.concat([size, token('alice')]))
    expect(await answer).toHaveLength(0)
    expect((await client.request(metadataApi, 12, { topics: [] })).brokers).toHaveLength(1)
  })
})

test('users of SCRAM are added, listed and removed by requests', async () => {
  await using broker = await startBroker({ sasl: { PLAIN: { admin: 'admin' }, 'SCRAM-SHA-256': { alice: 'secret' } } })
  using client = await RawClient.connect(broker.bootstrapServers)
  await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
  await client.request(saslAuthenticateApi, 2, { authBytes: Buffer.from('\0admin\0admin') })
  const { pbkdf2Sync } = await import('node:crypto')
  const upsertion = {
    name: 'bob',
    mechanism: 1,
    iterations: 4096,
    salt: Buffer.from('salt'),
    saltedPassword: pbkdf2Sync('bobs', 'salt', 4096, 32, 'sha256'),
  }
  const alter = async (change: object): Promise<number[]> => {
    const request = { deletions: [], upsertions: [], ...change }
    return (await client.request(alterUserScramCredentialsApi, 0, request)).results.map(({ errorCode }) => errorCode)
  }
  expect(await alter({ upsertions: [upsertion] })).toEqual([0])
  expect(await alter({ upsertions: [{ ...upsertion, iterations: 1 }] })).toEqual([ERROR.UNACCEPTABLE_CREDENTIAL])
  const { results } = await client.request(describeUserScramCredentialsApi, 0, { users: null })
  expect(results.map(({ user, credentialInfos }) => ({ user, credentialInfos }))).toEqual([
    { user: 'alice', credentialInfos: [{ mechanism: 1, iterations: 4096 }] },
    { user: 'bob', credentialInfos: [{ mechanism: 1, iterations: 4096 }] },
  ])
  broker.createTopic('a', 1)
  expect(await roundTrip(broker.bootstrapServers, password('SCRAM-SHA-256', 'bob', 'bobs'))).toBe('hello')
  expect(await alter({ deletions: [{ name: 'bob', mechanism: 1 }] })).toEqual([0])
  expect(await alter({ deletions: [{ name: 'bob', mechanism: 1 }] })).toEqual([ERROR.RESOURCE_NOT_FOUND])
  await expect(roundTrip(broker.bootstrapServers, password('SCRAM-SHA-256', 'bob', 'bobs'))).rejects.toThrow()
})
