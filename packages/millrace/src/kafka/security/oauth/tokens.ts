/**
 * Where tokens of OAUTHBEARER come from. None of them, and no secret, is ever part of an error (I8).
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ConnectionError, isMillraceError } from '../../../errors/index.ts'
import { unreadable } from '../../../errors/unreadable.ts'
import type { MechanismContext } from '../conversation.ts'
import { expiryOf, unsecuredToken } from './jwt.ts'
import type { Expiring } from '../../../security/renewed.ts'
import type { TokenSettings } from '../settings.ts'
import { askTokenEndpoint } from '../../../security/token-endpoint.ts'
import { isToken } from '../../../security/bearer-token.ts'
import { isExtension, type OauthToken, type OauthTokenProvider } from './oauth-token.ts'

export interface Bearer {
  readonly token: string
  readonly extensions: { readonly [name: string]: string }
}

/** @returns what gets a token; it throws {ConnectionError} `TOKEN_UNAVAILABLE`, {AuthenticationError} and {FileError} */
export function tokenGetter(settings: TokenSettings, { timeoutMs }: MechanismContext): () => Promise<Expiring<Bearer>> {
  switch (settings.from) {
    case 'text':
      return () => Promise.resolve(bearer({ token: settings.token }))
    case 'file':
      return async () => bearer({ token: await readToken(settings.url) })
    case 'function':
      return () => call(settings.provider, timeoutMs)
    case 'endpoint':
      return async () => bearer(await askTokenEndpoint(settings, timeoutMs))
    case 'claims':
      return () => Promise.resolve(bearer({ token: unsecuredToken(settings.options) }))
  }
}

/** The token as it is used: with its end, as far as that is known. */
function bearer({ token, expiresAt, extensions = {} }: OauthToken): Expiring<Bearer> {
  return { value: { token, extensions }, expiresAt: expiresAt === undefined ? expiryOf(token) : Number(expiresAt) }
}

async function readToken(url: string): Promise<string> {
  let text: string
  try {
    text = await readFile(fileURLToPath(url), 'utf8')
  } catch (error) {
    throw unreadable(`the token in "${url}"`, error)
  }
  // While it is being replaced a file can be empty for a moment.
  if (!isToken(text.trim()))
    throw new ConnectionError(
      'TOKEN_UNAVAILABLE',
      `The file "${url}" has no token: it must contain a token and nothing else`,
    )
  return text.trim()
}

async function call(provider: OauthTokenProvider, timeoutMs: number): Promise<Expiring<Bearer>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it returned none within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    const given = await Promise.race([provider(), late])
    if (typeof given?.token !== 'string' || !isToken(given.token)) throw new TypeError('it returned no bearer token')
    const { expiresAt, extensions = {} } = given
    if (expiresAt !== undefined && !Number.isFinite(Number(expiresAt)))
      throw new TypeError('expiresAt is neither a date nor a number of milliseconds')
    const wrong = Object.entries(extensions).find(([name, value]) => !isExtension(name, value))
    if (wrong !== undefined) throw new TypeError(`"${wrong[0]}" is not a SASL extension`)
    return bearer(given)
  } catch (error) {
    if (isMillraceError(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConnectionError('TOKEN_UNAVAILABLE', `The function oauthToken failed: ${reason}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
