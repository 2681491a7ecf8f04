/**
 * SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677), as the broker speaks them.
 *
 *     client  n,,n=user,r=nonce                      broker  r=nonce and its own,s=salt,i=iterations
 *     client  c=biws,r=both nonces,p=proof           broker  v=signature
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { type Conversation, Refused } from './conversation.ts'
import { hash, hmac, type ScramCredential, type ScramCredentials, type ScramMechanism } from './scram-credentials.ts'

export function scramConversation(mechanism: ScramMechanism, credentials: ScramCredentials): Conversation {
  const refused = (): Refused =>
    new Refused(
      `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`,
    )
  let begun: { user: string; credential: ScramCredential; nonce: string; said: string } | undefined

  return async (token) => {
    const message = token.toString()
    if (begun === undefined) {
      const [, bare = ''] = /^n,(?:a=[^,]*)?,(.*)$/s.exec(message) ?? []
      const { n = '', r: theirs = '' } = attributes(bare)
      const user = n.replaceAll('=2C', ',').replaceAll('=3D', '=')
      const credential = await credentials.find(user, mechanism)
      if (credential === undefined || theirs === '') throw refused()
      const nonce = theirs + randomBytes(18).toString('base64url')
      const challenge = `r=${nonce},s=${credential.salt.toString('base64')},i=${credential.iterations}`
      begun = { user, credential, nonce, said: `${bare},${challenge}` }
      return { bytes: Buffer.from(challenge) }
    }
    const { user, credential, nonce, said } = begun
    const { r, p = '' } = attributes(message)
    const all = `${said},${message.slice(0, message.lastIndexOf(',p='))}`
    const signature = hmac(mechanism, credential.storedKey, all)
    const proof = Buffer.from(p, 'base64')
    if (r !== nonce || proof.length !== signature.length) throw refused()
    const clientKey = Buffer.from(proof.map((byte, i) => byte ^ signature[i]!))
    if (!timingSafeEqual(hash(mechanism, clientKey), credential.storedKey)) throw refused()
    const verifier = hmac(mechanism, credential.serverKey, all).toString('base64')
    return { bytes: Buffer.from(`v=${verifier}`), authenticated: { user } }
  }
}

/** `r=...,s=...`; values may hold further equals signs. */
function attributes(message: string): { readonly [name: string]: string | undefined } {
  return Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
}
