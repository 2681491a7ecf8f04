/**
 * Temporary AWS credentials over HTTP: from the security token service for a web identity, from the agent of a container, from the machine.
 */
import { readFile } from 'node:fs/promises'
import { ConnectionError, isMillraceError } from '../../../errors/index.ts'
import type { Expiring } from '../../../security/renewed.ts'
import type { AwsCredentials } from '../settings.ts'

export type AwsAnswer = Expiring<AwsCredentials>
export type Environment = Readonly<{ [name: string]: string | undefined }>

/**
 * IRSA and other web identities: AssumeRoleWithWebIdentity with the token that `AWS_WEB_IDENTITY_TOKEN_FILE` names.
 * @returns undefined when it is not set up
 */
export async function fromWebIdentity(
  environment: Environment,
  region: string | undefined,
  timeoutMs: number,
): Promise<AwsAnswer | undefined> {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role, AWS_ENDPOINT_URL_STS: own } = environment
  if (!file || !role) return undefined
  const endpoint = own || tokenService(region)
  const what = `the security token service "${endpoint}"`
  const token = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unavailable(`the token file "${file}"`, (error as Error).message, error)
  })
  const text = await ask(what, endpoint, timeoutMs, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: role,
      RoleSessionName: environment['AWS_ROLE_SESSION_NAME'] || 'millrace',
      WebIdentityToken: token.trim(),
    }),
  })
  // It answers in XML, or in JSON where that is asked for; the names are the same.
  const valueOf = (name: string): string | undefined =>
    new RegExp(`<${name}>([^<]+)</${name}>|"${name}"\\s*:\\s*"?([^",}]+)`)
      .exec(text)
      ?.slice(1)
      .find((found) => found !== undefined)
  const expiration = valueOf('Expiration')
  return credentialsOf(what, {
    AccessKeyId: valueOf('AccessKeyId'),
    SecretAccessKey: valueOf('SecretAccessKey'),
    Token: valueOf('SessionToken'),
    // JSON has seconds, XML a date.
    Expiration: /^[\d.e+]+$/i.test(expiration ?? '') ? new Date(Number(expiration) * 1000).toISOString() : expiration,
  })
}

/** China has a domain of its own. */
export function tokenService(region: string | undefined): string {
  if (region === undefined) return 'https://sts.amazonaws.com'
  return `https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

/** The agent that ECS and EKS Pod Identity put beside a container. @returns undefined when there is none */
export async function fromContainer(environment: Environment, timeoutMs: number): Promise<AwsAnswer | undefined> {
  const relative = environment['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']
  const url = relative ? `http://169.254.170.2${relative}` : environment['AWS_CONTAINER_CREDENTIALS_FULL_URI']
  if (!url) return undefined
  const what = `the container's agent "${url}"`
  const file = environment['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']
  const token = file
    ? (await readFile(file, 'utf8').catch(() => '')).trim()
    : environment['AWS_CONTAINER_AUTHORIZATION_TOKEN']
  const answer = await ask(what, url, timeoutMs, token ? { headers: { authorization: token } } : {})
  return credentialsOf(what, parse(answer))
}

/** The instance metadata service of EC2, version 2. @returns undefined when it has no role or is not to be asked */
export async function fromMachine(environment: Environment, timeoutMs: number): Promise<AwsAnswer | undefined> {
  if (environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined
  const base = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || 'http://169.254.169.254'
  const what = `the metadata service "${base}"`
  const roles = `${base}/latest/meta-data/iam/security-credentials/`
  const token = await ask(what, `${base}/latest/api/token`, Math.min(timeoutMs, MACHINE_TIMEOUT_MS), {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
  })
  const headers = { 'x-aws-ec2-metadata-token': token }
  const role = (await ask(what, roles, timeoutMs, { headers })).split('\n')[0]?.trim()
  if (!role) return undefined
  return credentialsOf(what, parse(await ask(what, `${roles}${role}`, timeoutMs, { headers })))
}

/** It is next door or nowhere. */
const MACHINE_TIMEOUT_MS = 1000

async function ask(what: string, url: string, timeoutMs: number, init: RequestInit): Promise<string> {
  try {
    const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
    const text = await response.text()
    if (response.ok) return text
    // The service tells why in words of its own; neither token nor key is among them.
    const reason = /<Message>([^<]*)|"[Mm]essage"\s*:\s*"([^"]*)/.exec(text)?.slice(1).find(Boolean)
    throw unavailable(what, reason === undefined ? `status ${response.status}` : `status ${response.status}, ${reason}`)
  } catch (error) {
    if (isMillraceError(error)) throw error
    const { message, cause } = error as Error
    throw unavailable(what, (cause as Error | undefined)?.message || message, error)
  }
}

interface Answer {
  readonly AccessKeyId?: unknown
  readonly SecretAccessKey?: unknown
  readonly Token?: unknown
  readonly Expiration?: unknown
}

function parse(text: string): Answer {
  try {
    return JSON.parse(text) as Answer
  } catch {
    return {}
  }
}

function credentialsOf(what: string, answer: Answer | null): AwsAnswer {
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token, Expiration } = answer ?? {}
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string')
    throw unavailable(what, 'its response has no access key')
  const expiresAt = typeof Expiration === 'string' ? Date.parse(Expiration) : NaN
  return {
    value: { accessKeyId, secretAccessKey, sessionToken: typeof Token === 'string' ? Token : undefined },
    expiresAt: Number.isFinite(expiresAt) ? expiresAt : undefined,
  }
}

function unavailable(what: string, reason: string, cause?: unknown): ConnectionError {
  return new ConnectionError('TOKEN_UNAVAILABLE', `Cannot get AWS credentials from ${what}: ${reason}`, { cause })
}
