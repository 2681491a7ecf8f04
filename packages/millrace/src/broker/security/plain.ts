/** PLAIN (RFC 4616): one token with user and password. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type Conversation, NOTHING, Refused } from './conversation.ts'
import type { BrokerSasl } from './options.ts'

export function plainConversation(users: NonNullable<BrokerSasl['PLAIN']>): Conversation {
  const isRight =
    typeof users === 'function' ? users : (user: string, password: string) => isPassword(users[user], password)
  return async (token) => {
    const parts = token.toString().split('\0')
    const [authorizationId = '', user = '', password = ''] = parts
    if (parts.length !== 3 || user === '' || password === '')
      throw new Refused('Authentication failed: the token of PLAIN must have a user name and a password')
    if (!(await isRight(user, password))) throw new Refused('Authentication failed: Invalid username or password')
    if (authorizationId !== '' && authorizationId !== user)
      throw new Refused('Authentication failed: Client requested an authorization id that is different from username')
    return { bytes: NOTHING, authenticated: { user } }
  }
}

/** Takes the same time whatever is wrong. */
function isPassword(expected: string | undefined, given: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(expected ?? ''), digest(given)) && expected !== undefined
}
