/**
 * Where AWS credentials are found, and in which order. The services are small servers of the test that answer as those of AWS do.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CredentialChain, readSection } from '../../../../src/kafka/security/aws/credentials.ts'
import { tokenService } from '../../../../src/kafka/security/aws/endpoints.ts'

interface Answer {
  readonly status?: number
  readonly body: string
}

describe('AWS credentials', () => {
  let folder: string
  let server: Server
  let url: string
  let answers: (request: IncomingMessage, body: string) => Answer
  let requests: string[]

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-aws-'))
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        requests.push(`${request.method} ${request.url}`)
        const answer = answers(request, body)
        response.writeHead(answer.status ?? 200).end(answer.body)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await writeFile(
      join(folder, 'credentials'),
      '[default]\naws_access_key_id = FILE\naws_secret_access_key = hush # mine\n\n[team]\naws_access_key_id=TEAM\naws_secret_access_key=hush\naws_session_token=t==\n',
    )
    await writeFile(join(folder, 'config'), '[default]\nregion = eu-west-1\n[profile team]\nregion=eu-west-2\n')
    await writeFile(join(folder, 'web-identity'), 'hush.jwt\n')
  })
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true })
  })
  beforeEach(() => {
    requests = []
    answers = () => ({ status: 404, body: '' })
  })

  const files = (): { [name: string]: string } => ({
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_CONFIG_FILE: join(folder, 'config'),
  })
  const none = { HOME: '/nowhere' }
  const chain = (environment: { [name: string]: string }, profile?: string): CredentialChain =>
    new CredentialChain({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url, ...environment }, profile, 2000)
  const JSON_ANSWER = JSON.stringify({
    AccessKeyId: 'AGENT',
    SecretAccessKey: 'hush',
    Token: 't',
    Expiration: '2026-11-21T12:00:00Z',
  })
  const temporary = {
    value: { accessKeyId: 'AGENT', secretAccessKey: 'hush', sessionToken: 't' },
    expiresAt: Date.parse('2026-11-21T12:00:00Z'),
  }

  test('of the environment come first', async () => {
    const environment = { ...files(), AWS_ACCESS_KEY_ID: 'ENV', AWS_SECRET_ACCESS_KEY: 'hush', AWS_SESSION_TOKEN: 't' }
    expect(await chain(environment).find()).toEqual({
      value: { accessKeyId: 'ENV', secretAccessKey: 'hush', sessionToken: 't' },
      expiresAt: undefined,
    })
  })

  test.each([
    { name: 'the default profile', profile: undefined, environment: {}, key: 'FILE', region: 'eu-west-1' },
    { name: 'a profile by option', profile: 'team', environment: {}, key: 'TEAM', region: 'eu-west-2' },
    {
      name: 'a profile by the environment',
      profile: undefined,
      environment: { AWS_PROFILE: 'team' },
      key: 'TEAM',
      region: 'eu-west-2',
    },
    {
      name: 'a profile by option rather than keys of the environment',
      profile: 'team',
      environment: { AWS_ACCESS_KEY_ID: 'ENV', AWS_SECRET_ACCESS_KEY: 'hush' },
      key: 'TEAM',
      region: 'eu-west-2',
    },
  ])('of $name come from the shared files', async ({ profile, environment, key, region }) => {
    const found = chain({ ...files(), ...environment }, profile)
    expect((await found.find()).value.accessKeyId).toBe(key)
    expect(await found.region()).toBe(region)
  })

  test.each([
    {
      format: 'XML',
      body: '<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>AGENT</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-11-21T12:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResponse>',
    },
    {
      format: 'JSON',
      body: '{"AssumeRoleWithWebIdentityResponse":{"AssumeRoleWithWebIdentityResult":{"Credentials":{"AccessKeyId":"AGENT","Expiration":1.7952624E9,"SecretAccessKey":"hush","SessionToken":"t"}}}}',
    },
  ])('of a web identity (IRSA) come from the security token service, in $format', async ({ body }) => {
    let asked = ''
    answers = (_, sent) => {
      asked = sent
      return { body }
    }
    const identity = {
      ...files(),
      AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'web-identity'),
      AWS_ROLE_ARN: 'arn:aws:iam::1:role/r',
      AWS_ENDPOINT_URL_STS: url,
    }
    expect(await chain(identity).find()).toEqual(temporary)
    expect(Object.fromEntries(new URLSearchParams(asked))).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: 'arn:aws:iam::1:role/r',
      WebIdentityToken: 'hush.jwt',
    })
  })

  test.each([
    { region: undefined, want: 'https://sts.amazonaws.com' },
    { region: 'eu-west-1', want: 'https://sts.eu-west-1.amazonaws.com' },
    { region: 'cn-north-1', want: 'https://sts.cn-north-1.amazonaws.com.cn' },
  ])('the security token service of region $region is $want', ({ region, want }) => {
    expect(tokenService(region)).toBe(want)
  })

  test('of a container come from its agent', async () => {
    let token: string | undefined
    answers = ({ headers }) => {
      token = headers.authorization
      return { body: JSON_ANSWER }
    }
    const container = {
      ...none,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'web-identity'),
    }
    expect(await chain(container).find()).toEqual(temporary)
    expect(token).toBe('hush.jwt')
  })

  test('of a machine come from its metadata service, version 2', async () => {
    answers = ({ url: path, headers }) => {
      if (path === '/latest/api/token') return { body: 'session' }
      if (headers['x-aws-ec2-metadata-token'] !== 'session') return { status: 401, body: '' }
      return { body: path!.endsWith('/my-role') ? JSON_ANSWER : 'my-role\n' }
    }
    expect(await chain(none).find()).toEqual(temporary)
    expect(requests).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      'GET /latest/meta-data/iam/security-credentials/my-role',
    ])
  })

  test('of a machine that is silent for a moment are unavailable, not missing', async () => {
    const machine = chain(none)
    answers = ({ url: path }) => ({ body: path!.endsWith('/my-role') ? JSON_ANSWER : 'my-role' })
    await machine.find()
    answers = () => ({ status: 503, body: '' })
    await expect(machine.find()).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE', retriable: true })
  })

  test.each([
    {
      name: 'nothing anywhere',
      environment: () => none,
      code: 'AUTHENTICATION_FAILED',
      message: /^Cannot find AWS credentials .*set awsAccessKeyId/,
    },
    {
      name: 'a profile that is not there',
      environment: files,
      profile: 'other',
      code: 'CONFIG_INVALID',
      message: /^Cannot use the AWS profile "other" as it does not exist: looked in ".*credentials" and ".*config"$/,
    },
    {
      name: 'a token service that refuses',
      environment: () => ({
        AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'web-identity'),
        AWS_ROLE_ARN: 'r',
        AWS_ENDPOINT_URL_STS: url,
      }),
      answer: { status: 403, body: '<Error><Code>AccessDenied</Code><Message>Not authorized</Message></Error>' },
      code: 'TOKEN_UNAVAILABLE',
      message: /security token service "http:.*": status 403, Not authorized$/,
    },
    {
      name: 'an agent that answers with something else',
      environment: () => ({ ...none, AWS_CONTAINER_CREDENTIALS_FULL_URI: url }),
      answer: { body: '<html>' },
      code: 'TOKEN_UNAVAILABLE',
      message: /the container's agent ".*": its response has no access key$/,
    },
    {
      name: 'an agent that is gone',
      environment: () => ({ ...none, AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:2/' }),
      code: 'TOKEN_UNAVAILABLE',
      message: /ECONNREFUSED/,
    },
  ])('$name is one clear error', async ({ environment, profile, answer, code, message }) => {
    if (answer !== undefined) answers = () => answer
    const failure: unknown = await chain(environment(), profile)
      .find()
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) })
    // I8
    expect(String(failure)).not.toContain('hush')
  })

  test('a section ends where the next begins; comments and nested values are no settings', () => {
    const text = '# c\n[a]\nx = 1 ; one\n  nested = 2\n; c\nY=a=b\n[ b ]\nx=3\r\n'
    expect([...readSection(text, ['a'])]).toEqual([
      ['x', '1'],
      ['y', 'a=b'],
    ])
    expect([...readSection(text, ['b'])]).toEqual([['x', '3']])
  })
})
