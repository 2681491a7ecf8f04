/**
 * SCRAM-SHA-256 and SCRAM-SHA-512: both sides prove that they know the password, and it never leaves.
 *
 *     client  n,,n=user,r=nonce                      broker  r=nonce and its own,s=salt,i=iterations
 *     client  c=biws,r=both nonces,p=proof           broker  v=signature
 *
 * @see https://www.rfc-editor.org/rfc/rfc5802 and RFC 7677
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Conversation, SaslMechanism } from './conversation.ts'
import type { PasswordSettings } from './settings.ts'

/** Fewer would make it easy to guess the password; the limit of Kafka's own client. */
const MIN_ITERATIONS = 4096

const derive = promisify(pbkdf2)

/** @param newNonce for tests */
export function scram(
  { mechanism, username, password }: PasswordSettings,
  advice: string,
  newNonce: () => string = () => randomBytes(18).toString('base64url'),
): SaslMechanism {
  const [digest, length] = mechanism === 'SCRAM-SHA-512' ? (['sha512', 64] as const) : (['sha256', 32] as const)
  const hmac = (key: Buffer, text: string): Buffer => createHmac(digest, key).update(text).digest()
  const conversation: Conversation = async (exchange) => {
    const nonce = newNonce()
    const user = username.replaceAll('=', '=3D').replaceAll(',', '=2C')
    const first = `n=${user},r=${nonce}`
    const challenge = (await exchange(Buffer.from(`n,,${first}`))).toString()
    const { r: bothNonces = '', s: salt = '', i: iterations } = attributes(challenge)
    if (!bothNonces.startsWith(nonce)) throw new Error('the broker did not repeat our nonce')
    if (!(Number(iterations) >= MIN_ITERATIONS))
      throw new Error(`the broker asks for less than ${MIN_ITERATIONS} iterations`)
    const salted = await derive(password, Buffer.from(salt, 'base64'), Number(iterations), length, digest)
    const clientKey = hmac(salted, 'Client Key')
    const last = `c=biws,r=${bothNonces}`
    const said = `${first},${challenge},${last}`
    const signature = hmac(createHash(digest).update(clientKey).digest(), said)
    const proof = clientKey.map((byte, i) => byte ^ signature[i]!)
    const answer = await exchange(Buffer.from(`${last},p=${Buffer.from(proof).toString('base64')}`))
    const { v: verifier = '', e: error } = attributes(answer.toString())
    if (error !== undefined) throw new Error(error)
    const theirs = Buffer.from(verifier, 'base64')
    const expected = hmac(hmac(salted, 'Server Key'), said)
    if (theirs.length !== expected.length || !timingSafeEqual(theirs, expected))
      throw new Error('the broker could not prove that it knows the password')
  }
  return { name: mechanism, advice, prepare: () => Promise.resolve(conversation) }
}

/** `r=...,s=...`; values may hold further equals signs. */
function attributes(message: string): { readonly [name: string]: string | undefined } {
  return Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
}
