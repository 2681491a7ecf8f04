/**
 * OAUTHBEARER (RFC 7628): one token of the client. A token that is refused is answered with a reason, which the client
 * acknowledges before authentication fails.
 */
import { type Conversation, NOTHING, Refused } from './conversation.ts'
import type { BrokerSasl, TokenOwner } from './options.ts'

const SEPARATOR = '\u0001'
const INVALID_TOKEN = '{"status":"invalid_token"}'

export function oauthBearerConversation(validate: NonNullable<BrokerSasl['OAUTHBEARER']>): Conversation {
  let isRefused = false
  return async (message) => {
    if (isRefused) throw new Refused(INVALID_TOKEN)
    const [header = '', ...pairs] = message.toString().split(SEPARATOR)
    const given = pairs.find((pair) => /^auth=bearer /i.test(pair))
    const token = /^n,(?:a=[^,]*)?,$/.test(header) ? given?.slice('auth=bearer '.length).trim() : undefined
    if (token === undefined) throw new Refused('Authentication failed: the message of OAUTHBEARER has no bearer token')
    const owner = await check(validate, token)
    if (owner !== undefined)
      return { bytes: NOTHING, authenticated: { user: owner.principal, expiresAtMs: owner.expiresAtMs } }
    isRefused = true
    return { bytes: Buffer.from(INVALID_TOKEN) }
  }
}

async function check(validate: NonNullable<BrokerSasl['OAUTHBEARER']>, token: string): Promise<TokenOwner | undefined> {
  try {
    return await validate(token)
  } catch {
    // A validator may say no in either way; why, is not for the client to know.
    return undefined
  }
}
