/**
 * A small OAuth 2 token endpoint for tests: client credentials in, signed tokens (RS256) out. Brokers check them with `jwks`.
 */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export const CLIENT = { id: 'millrace', secret: 'hush/+ %' } as const

export interface TokenRequest {
  readonly authorization: string
  readonly body: string
}

export class TokenServer {
  /** How long the tokens live. */
  lifetimeSeconds = 600
  /** Answered instead of a token. */
  failure: { readonly status: number; readonly body: string; readonly location?: string } | undefined
  audience = 'kafka'
  readonly requests: TokenRequest[] = []
  readonly #key: KeyObject
  /** Public keys as brokers read them, as JSON. */
  readonly jwks: string
  readonly #server: Server

  private constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#key = privateKey
    this.jwks = JSON.stringify({
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256', use: 'sig' }],
    })
    this.#server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (chunk: string) => (body += chunk))
      request.on('end', () => {
        this.requests.push({ authorization: request.headers.authorization ?? '', body })
        const { status, text, location } = this.#answer(request.headers.authorization ?? '', body)
        response.writeHead(status, {
          'content-type': 'application/json',
          ...(location === undefined ? {} : { location }),
        })
        response.end(text)
      })
    })
  }

  static async start(): Promise<TokenServer> {
    const server = new TokenServer()
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`
  }

  /** A token that lives so long from now on. */
  token(claims: { readonly [name: string]: unknown } = {}, lifetimeSeconds: number = this.lifetimeSeconds): string {
    const now = Math.floor(Date.now() / 1000)
    const part = (content: object): string => Buffer.from(JSON.stringify(content)).toString('base64url')
    const all = { iss: 'tests', aud: this.audience, sub: CLIENT.id, iat: now, exp: now + lifetimeSeconds, ...claims }
    const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: '1' })}.${part(all)}`
    return `${signed}.${sign('sha256', Buffer.from(signed), this.#key).toString('base64url')}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(authorization: string, body: string): { status: number; text: string; location?: string } {
    if (this.failure !== undefined) return { ...this.failure, text: this.failure.body }
    const expected = `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`
    const form = new URLSearchParams(body)
    if (authorization !== expected)
      return { status: 401, text: '{"error":"invalid_client","error_description":"Who are you?"}' }
    if (form.get('grant_type') !== 'client_credentials')
      return { status: 400, text: '{"error":"unsupported_grant_type"}' }
    if (form.get('scope') === 'forbidden')
      return { status: 400, text: '{"error":"invalid_scope","error_description":"Not for you."}' }
    const answer = { access_token: this.token(), token_type: 'Bearer', expires_in: this.lifetimeSeconds }
    return { status: 200, text: JSON.stringify(answer) }
  }
}
