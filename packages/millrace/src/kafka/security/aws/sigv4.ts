/**
 * Signature Version 4 of AWS, for a GET request whose parameters and signature stand in its query.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
import { createHash, createHmac } from 'node:crypto'
import type { AwsCredentials } from '../settings.ts'

const ALGORITHM = 'AWS4-HMAC-SHA256'

export interface PresignedRequest {
  readonly credentials: AwsCredentials
  readonly region: string
  readonly service: string
  readonly host: string
  readonly path: string
  /** Parameters of the request itself. */
  readonly query: { readonly [name: string]: string }
  readonly expiresInSeconds: number
  readonly at: Date
  /** SHA-256 of the body as hexadecimal digits, or `UNSIGNED-PAYLOAD`; that of nothing when omitted. */
  readonly bodyHash?: string
}

/** @returns all parameters of the query, the signature included */
export function presign(request: PresignedRequest): { readonly [name: string]: string } {
  const { credentials, region, service, host, path, at } = request
  // 20260131T120000Z
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`
  const query: { [name: string]: string } = {
    ...request.query,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(request.expiresInSeconds),
    ...(credentials.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': credentials.sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  }
  const canonicalQuery = Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&')
  const canonicalRequest = ['GET', path, canonicalQuery, `host:${host}`, '', 'host', request.bodyHash ?? sha256('')]
  const toSign = [ALGORITHM, time, scope, sha256(canonicalRequest.join('\n'))].join('\n')
  const key = [time.slice(0, 8), region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${credentials.secretAccessKey}`,
  )
  return { ...query, 'X-Amz-Signature': hmac(key, toSign).toString('hex') }
}

/** Percent-encoding of RFC 3986, which is stricter than `encodeURIComponent`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
