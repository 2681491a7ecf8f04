/**
 * Profiles that AWS's SDK reads. The SDK is the real one; the services behind it are a small server of the test, named by the variables
 * that the SDK has for other endpoints.
 */
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { CredentialChain } from '../../../../src/kafka/security/aws/credentials.ts'
import type { FromIni } from '../../../../src/kafka/security/aws/profile-sdk.ts'

interface Answer {
  readonly status?: number
  readonly type?: string
  readonly body: string
}

const START_URL = 'https://sign-in.example/start'
const EXPIRATION = '2126-11-21T12:00:00Z'
const TEMPORARY = {
  value: { accessKeyId: 'ROLE', secretAccessKey: 'hush', sessionToken: 't' },
  expiresAt: Date.parse(EXPIRATION),
}

let folder: string
let server: Server
let url: string
let answers: (request: IncomingMessage, body: string) => Answer
let requests: { readonly line: string; readonly authorization: string | undefined; readonly body: string }[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-aws-sdk-'))
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      requests.push({ line: `${request.method} ${request.url}`, authorization: request.headers.authorization, body })
      const { status = 200, type = 'application/json', body: answer } = answers(request, body)
      response.writeHead(status, { 'content-type': type }).end(answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await mkdir(join(folder, '.aws/sso/cache'), { recursive: true })
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  requests = []
  answers = () => ({ status: 404, body: '{}' })
  vi.stubEnv('HOME', folder)
  for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_PROFILE', 'AWS_REGION'])
    vi.stubEnv(name, undefined)
  for (const service of ['STS', 'SSO', 'SSO_OIDC']) vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, url)
  // Where the default chain would go on to, if it were used.
  vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', url)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

interface Asking {
  readonly profile?: string | undefined
  readonly timeoutMs?: number | undefined
}

async function chain(config: string, asking: Asking = { profile: 'p' }): Promise<CredentialChain> {
  await writeFile(join(folder, '.aws/config'), config)
  return new CredentialChain(process.env, asking.profile, asking.timeoutMs ?? 5000)
}

/** An executable that prints the text, or fails with it. */
async function script(text: string, exitCode = 0): Promise<string> {
  const file = join(folder, 'give-credentials')
  await writeFile(file, `#!/bin/sh\ncat ${exitCode === 0 ? '' : '>&2 '}<<'END'\n${text}\nEND\nexit ${exitCode}\n`)
  await chmod(file, 0o755)
  return file
}

const ROLE = 'arn:aws:iam::1:role/r'
const SOURCE = '[profile source]\naws_access_key_id = SOURCE\naws_secret_access_key = hush\n'
const assumed = (): Answer => ({
  type: 'text/xml',
  body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${EXPIRATION}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
})
const asked = (body: string): object => Object.fromEntries(new URLSearchParams(body))

describe('credentials of a profile', () => {
  test('with credential_process are what the command prints', async () => {
    const printed = {
      Version: 1,
      AccessKeyId: 'ROLE',
      SecretAccessKey: 'hush',
      SessionToken: 't',
      Expiration: EXPIRATION,
    }
    const found = await chain(`[profile p]\ncredential_process = ${await script(JSON.stringify(printed))}\n`)
    expect(await found.find()).toEqual(TEMPORARY)
  })

  test('with credential_process that names no end are not kept', async () => {
    const printed = { Version: 1, AccessKeyId: 'ROLE', SecretAccessKey: 'hush' }
    const found = await chain(`[profile p]\ncredential_process = ${await script(JSON.stringify(printed))}\n`)
    expect((await found.find()).expiresAt).toBeUndefined()
  })

  test('with role_arn come from the security token service, which is asked with the keys of the source profile', async () => {
    answers = assumed
    const found = await chain(
      `${SOURCE}[profile p]\nrole_arn = ${ROLE}\nsource_profile = source\nexternal_id = e\nregion = eu-west-2\n`,
    )
    expect(await found.find()).toEqual(TEMPORARY)
    expect(requests).toHaveLength(1)
    expect(asked(requests[0]!.body)).toMatchObject({ Action: 'AssumeRole', RoleArn: ROLE, ExternalId: 'e' })
    expect(requests[0]!.authorization).toMatch(/Credential=SOURCE\/\d{8}\/eu-west-2\/sts\//)
  })

  test('with role_arn and keys are those of the role', async () => {
    answers = assumed
    const found = await chain(
      `[profile p]\naws_access_key_id = OWN\naws_secret_access_key = hush\nrole_arn = ${ROLE}\nsource_profile = p\nregion = eu-west-2\n`,
    )
    expect((await found.find()).value.accessKeyId).toBe('ROLE')
    expect(requests[0]!.authorization).toContain('Credential=OWN/')
  })

  test('by AWS_PROFILE, and of the profile "default", are found the same way', async () => {
    answers = assumed
    vi.stubEnv('AWS_PROFILE', 'named')
    const role = `role_arn = ${ROLE}\nsource_profile = source\nregion = eu-west-2\n`
    expect(await (await chain(`${SOURCE}[profile named]\n${role}`, {})).find()).toEqual(TEMPORARY)
    vi.stubEnv('AWS_PROFILE', undefined)
    expect(await (await chain(`${SOURCE}[default]\n${role}`, {})).find()).toEqual(TEMPORARY)
  })

  const login = (token: object, session: string): Promise<void> =>
    writeFile(
      join(folder, `.aws/sso/cache/${createHash('sha1').update(session).digest('hex')}.json`),
      JSON.stringify({ startUrl: START_URL, region: 'eu-west-1', accessToken: 'hush-token', ...token }),
    )
  const ROLE_CREDENTIALS = JSON.stringify({
    roleCredentials: {
      accessKeyId: 'ROLE',
      secretAccessKey: 'hush',
      sessionToken: 't',
      expiration: Date.parse(EXPIRATION),
    },
  })
  const ROLE_OF_SSO = 'sso_account_id = 111122223333\nsso_role_name = reader\n'
  const SESSION = `[sso-session s]\nsso_start_url = ${START_URL}\nsso_region = eu-west-1\n[profile p]\nsso_session = s\n${ROLE_OF_SSO}`

  test.each([
    { name: 'a session', config: SESSION, cache: 's' },
    {
      name: 'a start URL, as older files have it',
      config: `[profile p]\nsso_start_url = ${START_URL}\nsso_region = eu-west-1\n${ROLE_OF_SSO}`,
      cache: START_URL,
    },
  ])(
    'with single sign-on by $name come from its portal, with the token of "aws sso login"',
    async ({ config, cache }) => {
      await login({ expiresAt: EXPIRATION }, cache)
      let token: unknown
      answers = ({ headers }) => {
        token = headers['x-amz-sso_bearer_token']
        return { body: ROLE_CREDENTIALS }
      }
      expect(await (await chain(config)).find()).toEqual(TEMPORARY)
      expect(requests.map(({ line }) => line)).toEqual([
        'GET /federation/credentials?account_id=111122223333&role_name=reader',
      ])
      expect(token).toBe('hush-token')
    },
  )

  test('whose sign-on is over say which command signs in', async () => {
    await login({ expiresAt: '2020-01-01T00:00:00Z' }, 's')
    const failure: unknown = await (await chain(SESSION)).find().catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      message: expect.stringMatching(
        /^Cannot get AWS credentials from the profile "p" \(sso_session\): .*aws sso login/,
      ),
    })
    expect(String(failure)).not.toContain('hush')
    expect(requests).toEqual([])
  })

  test.each([
    {
      name: 'a role that may not be assumed',
      config: async (): Promise<string> =>
        `${SOURCE}[profile p]\nrole_arn = ${ROLE}\nsource_profile = source\nregion = eu-west-2\n`,
      answer: {
        status: 403,
        type: 'text/xml',
        body: '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized</Message></Error></ErrorResponse>',
      },
      message: /^Cannot get AWS credentials from the profile "p" \(role_arn\): Not authorized$/,
    },
    {
      name: 'a command that fails',
      config: async (): Promise<string> =>
        `[profile p]\ncredential_process = ${await script('no hush for you', 3)} --password hush\n`,
      message: /^Cannot get AWS credentials from the profile "p" \(credential_process\): its command failed$/,
    },
    {
      name: 'a command that prints something else',
      config: async (): Promise<string> => `[profile p]\ncredential_process = ${await script('hush')}\n`,
      message: /\(credential_process\): Profile p credential_process returned invalid JSON\.$/,
    },
    {
      name: 'a command that hangs',
      config: async (): Promise<string> => `[profile p]\ncredential_process = sleep 1\n`,
      timeoutMs: 200,
      message: /\(credential_process\): no response within 0\.2 s$/,
    },
  ])('$name is one clear error, and no other identity is used', async ({ config, answer, timeoutMs, message }) => {
    // The instance metadata service would have credentials.
    const machine = (path: string): Answer =>
      path.endsWith('/my-role')
        ? { body: JSON.stringify({ AccessKeyId: 'MACHINE', SecretAccessKey: 'hush' }) }
        : { body: 'my-role' }
    answers = ({ url: path }) => (path === '/' ? (answer ?? { body: '' }) : machine(path!))
    const found = await chain(await config(), { profile: 'p', timeoutMs })
    const failure: unknown = await found.find().catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'TOKEN_UNAVAILABLE',
      retriable: true,
      message: expect.stringMatching(message),
    })
    expect(requests.filter(({ line }) => line.includes('/latest/'))).toEqual([])
    // I8
    expect(`${String(failure)} ${String((failure as Error).cause)}`).not.toContain('hush')
  })
})

test.each([
  { setting: 'role_arn', config: `[profile p]\nrole_arn = ${ROLE}\nsource_profile = source\n` },
  { setting: 'credential_process', config: '[profile p]\ncredential_process = /bin/true\n' },
  { setting: 'sso_session', config: '[profile p]\nsso_session = s\n' },
])('without the SDK, a profile with $setting is an error that says what to install', async ({ setting, config }) => {
  await writeFile(join(folder, '.aws/config'), config)
  const missing = (): Promise<FromIni> => Promise.reject(notInstalled())
  await expect(new CredentialChain(process.env, 'p', 1000, missing).find()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `Cannot use the AWS profile "p" as ${setting} needs a package that is not installed: run "npm install @aws-sdk/credential-provider-node", or put what "aws configure export-credentials" prints into the environment`,
  })
})

/** What Node says of a package that is not there. */
function notInstalled(): unknown {
  try {
    return createRequire(import.meta.url).resolve('@aws-sdk/no-such-package')
  } catch (error) {
    return error
  }
}
