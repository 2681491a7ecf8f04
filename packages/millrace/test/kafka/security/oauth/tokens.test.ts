/**
 * Where tokens come from, how long they are kept, and what is said when there is none.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ConnectionError } from '../../../../src/errors/index.ts'
import { expiryOf, unsecuredToken } from '../../../../src/kafka/security/oauth/jwt.ts'
import { oauthBearer } from '../../../../src/kafka/security/oauth/oauthbearer.ts'
import { Renewed } from '../../../../src/security/renewed.ts'
import type { TokenSettings } from '../../../../src/kafka/security/settings.ts'
import type { EndpointSettings } from '../../../../src/security/bearer-token.ts'
import type { OauthTokenProvider } from '../../../../src/kafka/security/oauth/oauth-token.ts'
import { tokenGetter } from '../../../../src/kafka/security/oauth/tokens.ts'
import { CLIENT, TokenServer } from '../../../support/token-server.ts'

const context = { timeoutMs: 300, environment: {} }
const get = (settings: TokenSettings): ReturnType<ReturnType<typeof tokenGetter>> => tokenGetter(settings, context)()

describe('a token endpoint', () => {
  let server: TokenServer
  beforeAll(async () => {
    server = await TokenServer.start()
  })
  afterAll(() => server.stop())
  beforeEach(() => {
    server.failure = undefined
    server.requests.length = 0
  })

  const settings = (more: Partial<EndpointSettings> = {}): TokenSettings => ({
    from: 'endpoint',
    url: server.url,
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    scope: undefined,
    urlencode: false,
    ...more,
  })

  test('gives a token that lives as long as it says', async () => {
    server.lifetimeSeconds = 60
    const { value, expiresAt } = await get(settings({ scope: 'read write' }))
    expect(value.token.split('.')).toHaveLength(3)
    expect(expiresAt! - Date.now()).toBeGreaterThan(58_000)
    expect(expiresAt! - Date.now()).toBeLessThanOrEqual(60_000)
    expect(server.requests[0]!.body).toBe('grant_type=client_credentials&scope=read+write')
  })

  test('hears id and secret URL-encoded where it wants that', async () => {
    await get(settings({ urlencode: true })).catch(() => {})
    const [, credentials = ''] = server.requests[0]!.authorization.split(' ')
    expect(Buffer.from(credentials, 'base64').toString()).toBe('millrace:hush%2F%2B+%25')
  })

  test.each([
    {
      name: 'a wrong secret',
      settings: { clientSecret: 'hush' },
      code: 'AUTHENTICATION_FAILED',
      message: /refused the client "millrace": status 401, invalid_client, Who are you\. Check oauthClientId/,
    },
    {
      name: 'a scope that is not allowed',
      settings: { scope: 'forbidden' },
      code: 'AUTHENTICATION_FAILED',
      message: /status 400, invalid_scope, Not for you\. Check/,
    },
    {
      name: 'an answer that repeats the secret',
      failure: { status: 400, body: `Bad secret: ${CLIENT.secret}` },
      code: 'AUTHENTICATION_FAILED',
      message: /status 400, Bad secret: \[secret\]/,
    },
    {
      name: 'an endpoint that is overloaded',
      failure: { status: 503, body: '' },
      code: 'TOKEN_UNAVAILABLE',
      message: /^Cannot get a token from "http:\/\/127\.0\.0\.1:\d+\/token": status 503$/,
    },
    {
      name: 'a web page',
      failure: { status: 200, body: '<html>' },
      code: 'TOKEN_UNAVAILABLE',
      message: /its response has no access_token$/,
    },
    {
      name: 'a redirection, which would hand the secret to another host',
      failure: { status: 302, body: '', location: 'http://127.0.0.1:2/' },
      code: 'TOKEN_UNAVAILABLE',
      message: /redirect/,
    },
    {
      name: 'a host that does not exist',
      settings: { url: 'http://nowhere.invalid/token' },
      code: 'TOKEN_UNAVAILABLE',
      message: /the host name cannot be resolved|no response within/,
    },
    {
      name: 'no server there',
      settings: { url: 'http://127.0.0.1:2/token' },
      code: 'TOKEN_UNAVAILABLE',
      message: /connection refused$/,
    },
  ])('$name is one clear error', async ({ settings: more, failure, code, message }) => {
    server.failure = failure
    const error: unknown = await get(settings(more ?? {})).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code,
      retriable: code === 'TOKEN_UNAVAILABLE',
      message: expect.stringMatching(message),
    })
    // I8
    expect(String(error)).not.toContain('hush')
  })
})

describe('a file', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-token-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('is read again each time', async () => {
    const path = join(folder, 'token')
    const settings = { from: 'file', url: pathToFileURL(path).href } as const
    await writeFile(path, 'one\n')
    expect((await get(settings)).value.token).toBe('one')
    await writeFile(path, 'two')
    expect((await get(settings)).value.token).toBe('two')
  })

  test('that is not there, or is empty, is one clear error', async () => {
    const url = pathToFileURL(join(folder, 'none')).href
    await expect(get({ from: 'file', url })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/^Cannot read the token in "file:.*": the file does not exist$/),
    })
    await writeFile(join(folder, 'none'), 'hush hush')
    await expect(get({ from: 'file', url })).rejects.toMatchObject({
      code: 'TOKEN_UNAVAILABLE',
      message: expect.stringMatching(/has no token/),
    })
  })
})

describe('a function', () => {
  test('gives a token, when it ends, and extensions', async () => {
    const expiresAt = new Date('2026-11-21T12:00:00Z')
    const provider = (): ReturnType<OauthTokenProvider> => ({ token: 'abc', expiresAt, extensions: { pool: 'p' } })
    expect(await get({ from: 'function', provider })).toEqual({
      value: { token: 'abc', extensions: { pool: 'p' } },
      expiresAt: expiresAt.getTime(),
    })
  })

  test.each<{ name: string; provider: () => unknown; message: RegExp }>([
    { name: 'throws', provider: () => Promise.reject(new Error('vault is sealed')), message: /vault is sealed$/ },
    { name: 'gives nothing', provider: () => undefined, message: /it returned no bearer token$/ },
    { name: 'gives a text', provider: () => 'hush', message: /it returned no bearer token$/ },
    { name: 'gives a wrong date', provider: () => ({ token: 't', expiresAt: new Date('soon') }), message: /expiresAt/ },
    {
      name: 'gives a wrong extension',
      provider: () => ({ token: 't', extensions: { auth: 'hush' } }),
      message: /"auth" is not a SASL extension$/,
    },
    { name: 'never ends', provider: () => new Promise(() => {}), message: /it returned none within 300 ms$/ },
  ])('that $name is one clear error', async ({ provider, message }) => {
    const error: unknown = await get({ from: 'function', provider: provider as OauthTokenProvider }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE', message: expect.stringMatching(message) })
    expect(String(error)).toContain('The function oauthToken failed: ')
    expect(String(error)).not.toContain('hush')
  })
})

test('claims of a JAAS text become an unsigned token', () => {
  const token = unsecuredToken(
    new Map([
      ['unsecuredLoginStringClaim_sub', 'alice'],
      ['unsecuredLoginNumberClaim_level', '3'],
      ['unsecuredLoginListClaim_scope', '|read|write'],
      ['unsecuredLoginLifetimeSeconds', '60'],
      ['extension_pool', 'p'],
    ]),
    1_700_000_000_500,
  )
  const [header, claims, signature] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString())
  expect(JSON.parse(header!)).toEqual({ alg: 'none' })
  expect(JSON.parse(claims!)).toEqual({
    iat: 1_700_000_000,
    exp: 1_700_000_060,
    sub: 'alice',
    level: 3,
    scope: ['read', 'write'],
  })
  expect(signature).toBe('')
  expect(expiryOf(token)).toBe(1_700_000_060_000)
})

test.each(['opaque', 'a.b', 'a.b.c', `a.${Buffer.from('null').toString('base64url')}.c`, 'a.e30.c'])(
  'the end of %s is not known',
  (token) => {
    expect(expiryOf(token)).toBeUndefined()
  },
)

describe('keeping a token', () => {
  let now: number
  let fetched: number
  let failure: Error | undefined
  let tokens: Renewed<string>
  beforeEach(() => {
    now = 0
    fetched = 0
    failure = undefined
    tokens = new Renewed(
      async () => {
        if (failure !== undefined) throw failure
        return { value: `token ${++fetched}`, expiresAt: now + 10_000 }
      },
      () => now,
    )
  })

  test('it serves all for four fifths of its life, then a new one is fetched', async () => {
    expect(await Promise.all([tokens.get(), tokens.get()])).toEqual(['token 1', 'token 1'])
    now = 7999
    expect(await tokens.get()).toBe('token 1')
    now = 8000
    expect(await tokens.get()).toBe('token 2')
  })

  test('it serves to its end when no new one can be had', async () => {
    await tokens.get()
    failure = new ConnectionError('TOKEN_UNAVAILABLE', 'gone')
    now = 8500
    expect(await tokens.get()).toBe('token 1')
    now = 9500
    await expect(tokens.get()).rejects.toThrow('gone')
    failure = undefined
    expect(await tokens.get()).toBe('token 2')
  })

  test('a refusal is reported at once', async () => {
    await tokens.get()
    failure = new ConnectionError('AUTHENTICATION_FAILED', 'no')
    now = 8500
    await expect(tokens.get()).rejects.toThrow('no')
  })

  test('one that was refused is forgotten', async () => {
    await tokens.get()
    tokens.forget()
    expect(await tokens.get()).toBe('token 2')
  })

  test('waiting for one ends with the signal', async () => {
    const stop = new AbortController()
    const slow = new Renewed(() => new Promise<never>(() => {}))
    const waiting = slow.get(stop.signal)
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('the conversation', () => {
  const mechanism = oauthBearer(
    { mechanism: 'OAUTHBEARER', tokens: { from: 'text', token: 'hush' }, extensions: { pool: 'p', cluster: 'c' } },
    context,
  )
  async function converse(answers: string[]): Promise<string[]> {
    const said: string[] = []
    const conversation = await mechanism.prepare('broker', new AbortController().signal)
    await conversation((message) => {
      said.push(message.toString())
      return Promise.resolve(Buffer.from(answers.shift() ?? ''))
    })
    return said
  }

  test('is one message with token and extensions', async () => {
    expect(await converse([''])).toEqual(['n,,\x01auth=Bearer hush\x01pool=p\x01cluster=c\x01\x01'])
  })

  test('ends with the reason of a broker that refuses, without the token', async () => {
    await expect(converse(['{"status":"invalid_token","token":"hush"}'])).rejects.toThrow(
      '{"status":"invalid_token","token":"[token]"}',
    )
  })
})
