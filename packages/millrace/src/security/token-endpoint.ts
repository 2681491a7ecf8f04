/**
 * Asks an OAuth 2 token endpoint, with the client credentials grant (RFC 6749, section 4.4).
 */
import { AuthenticationError, ConnectionError, isMillraceError } from '../errors/index.ts'
import { isToken, type BearerToken, type EndpointSettings } from './bearer-token.ts'

/**
 * @throws {AuthenticationError} when the endpoint refuses the client, with its reason
 * @throws {ConnectionError} `TOKEN_UNAVAILABLE` when it cannot be reached or has no answer at the moment
 */
export async function askTokenEndpoint(settings: EndpointSettings, timeoutMs: number): Promise<BearerToken> {
  const { url, clientId, clientSecret, scope, urlencode } = settings
  const form = urlencode ? formEncoded : (text: string) => text
  const credentials = Buffer.from(`${form(clientId)}:${form(clientSecret)}`).toString('base64')
  const asked = Date.now()
  const unavailable = (reason: string, cause?: unknown): ConnectionError =>
    new ConnectionError('TOKEN_UNAVAILABLE', `Cannot get a token from "${url}": ${reason}`, { cause })
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        authorization: `Basic ${credentials}`,
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }),
      // Another host must not be sent the secret.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await response.text()
    const answer = parseAnswer(text)
    if (response.ok) {
      const { access_token: token, expires_in: expiresIn } = answer
      if (typeof token !== 'string' || !isToken(token)) throw unavailable('its response has no access_token')
      const seconds = Number(expiresIn)
      return { token, ...(seconds > 0 ? { expiresAt: asked + seconds * 1000 } : {}) }
    }
    const reason = reasonOf(response.status, answer, text).replaceAll(clientSecret, '[secret]')
    if (response.status >= 500 || response.status === 429 || response.status === 408) throw unavailable(reason)
    throw new AuthenticationError(
      `The token endpoint "${url}" refused the client "${clientId}": ${reason}. Check oauthClientId, oauthClientSecret and oauthScope`,
    )
  } catch (error) {
    if (isMillraceError(error)) throw error
    throw unavailable(networkReason(error, timeoutMs), error)
  }
}

interface Answer {
  readonly access_token?: unknown
  readonly expires_in?: unknown
  readonly error?: unknown
  readonly error_description?: unknown
}

function parseAnswer(text: string): Answer {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? answer : {}
  } catch {
    return {}
  }
}

/** What RFC 6749 calls `error` and `error_description`, or the beginning of what came instead. */
function reasonOf(status: number, { error, error_description: description }: Answer, text: string): string {
  const parts = [error, description].filter((part) => typeof part === 'string')
  const said = parts.length > 0 ? parts.join(', ') : text.trim().slice(0, 200)
  return said === '' ? `status ${status}` : `status ${status}, ${said.replace(/[.?!]$/, '')}`
}

function networkReason(error: unknown, timeoutMs: number): string {
  const { name, message, cause } = error as Error
  if (name === 'TimeoutError') return `no response within ${timeoutMs} ms`
  // fetch says "fetch failed"; the socket knows more.
  const { code, message: below } = (cause ?? {}) as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name cannot be resolved'
  if (below?.includes('redirect')) return 'it responded with a redirect'
  return (below ?? message) || code || name
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
