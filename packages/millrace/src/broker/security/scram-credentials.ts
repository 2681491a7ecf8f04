/** What a broker keeps of passwords for SCRAM, from which the password cannot be told (RFC 5802). */
import type { Store } from '../storage/store.ts'
import type { Passwords } from './options.ts'

/** By their numbers in requests. */
export const SCRAM_MECHANISMS = [undefined, 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

const DEFAULT_ITERATIONS = 4096

/** Loaded when it is needed: it takes 3 MB, and most brokers have no users. */
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto')

export interface ScramCredential {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** As it is kept: bytes as Base64. */
export interface StoredCredential {
  readonly user: string
  readonly mechanism: ScramMechanism
  readonly salt: string
  readonly iterations: number
  readonly storedKey: string
  readonly serverKey: string
}

/** Kind of entries in the journal. */
export const SCRAM_ENTRIES = 'scram'

export function digestOf(mechanism: ScramMechanism): 'sha256' | 'sha512' {
  return mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
}

export function hmac(mechanism: ScramMechanism, key: Buffer, text: string): Buffer {
  return crypto().createHmac(digestOf(mechanism), key).update(text).digest()
}

export function hash(mechanism: ScramMechanism, bytes: Buffer): Buffer {
  return crypto().createHash(digestOf(mechanism)).update(bytes).digest()
}

export class ScramCredentials {
  readonly #store: Store
  readonly #passwords: { readonly [mechanism in ScramMechanism]: Map<string, string> }
  readonly #credentials: { readonly [mechanism in ScramMechanism]: Map<string, ScramCredential> } = {
    'SCRAM-SHA-256': new Map(),
    'SCRAM-SHA-512': new Map(),
  }

  constructor(passwords: { readonly [mechanism in ScramMechanism]?: Passwords }, store: Store) {
    this.#store = store
    this.#passwords = {
      'SCRAM-SHA-256': new Map(Object.entries(passwords['SCRAM-SHA-256'] ?? {})),
      'SCRAM-SHA-512': new Map(Object.entries(passwords['SCRAM-SHA-512'] ?? {})),
    }
  }

  restore({ user, mechanism, ...stored }: StoredCredential): void {
    const bytes = (text: string): Buffer => Buffer.from(text, 'base64')
    this.#credentials[mechanism].set(user, {
      salt: bytes(stored.salt),
      iterations: stored.iterations,
      storedKey: bytes(stored.storedKey),
      serverKey: bytes(stored.serverKey),
    })
    this.#passwords[mechanism].delete(user)
  }

  users(): string[] {
    const maps = [...Object.values(this.#passwords), ...Object.values(this.#credentials)]
    return [...new Set(maps.flatMap((map) => [...map.keys()]))].toSorted()
  }

  /** Number of iterations; `undefined` when the user has no credential for the mechanism. */
  iterations(user: string, mechanism: ScramMechanism): number | undefined {
    const isGiven = this.#passwords[mechanism].has(user)
    return this.#credentials[mechanism].get(user)?.iterations ?? (isGiven ? DEFAULT_ITERATIONS : undefined)
  }

  /** Deriving takes milliseconds, so that it is done when the user first comes. */
  async find(user: string, mechanism: ScramMechanism): Promise<ScramCredential | undefined> {
    const known = this.#credentials[mechanism].get(user)
    const password = this.#passwords[mechanism].get(user)
    if (known !== undefined || password === undefined) return known
    const salt = crypto().randomBytes(20)
    const digest = digestOf(mechanism)
    const bytes = digest === 'sha256' ? 32 : 64
    const salted = await new Promise<Buffer>((resolve, reject) => {
      crypto().pbkdf2(password, salt, DEFAULT_ITERATIONS, bytes, digest, (error, key) =>
        error === null ? resolve(key) : reject(error),
      )
    })
    const credential = credentialOf(mechanism, salt, DEFAULT_ITERATIONS, salted)
    // The password may have been changed meanwhile.
    if (this.#passwords[mechanism].get(user) === password) this.#credentials[mechanism].set(user, credential)
    return this.#credentials[mechanism].get(user)
  }

  set(user: string, mechanism: ScramMechanism, salt: Buffer, iterations: number, saltedPassword: Buffer): void {
    const credential = credentialOf(mechanism, salt, iterations, saltedPassword)
    const text = (bytes: Buffer): string => bytes.toString('base64')
    const value: StoredCredential = {
      user,
      mechanism,
      salt: text(salt),
      iterations,
      storedKey: text(credential.storedKey),
      serverKey: text(credential.serverKey),
    }
    this.#store.record({ is: 'entry', kind: SCRAM_ENTRIES, key: `${mechanism} ${user}`, value })
    this.#passwords[mechanism].delete(user)
    this.#credentials[mechanism].set(user, credential)
  }

  /** @returns whether there was one */
  delete(user: string, mechanism: ScramMechanism): boolean {
    if (this.iterations(user, mechanism) === undefined) return false
    this.#store.record({ is: 'entry', kind: SCRAM_ENTRIES, key: `${mechanism} ${user}`, value: null })
    this.#passwords[mechanism].delete(user)
    this.#credentials[mechanism].delete(user)
    return true
  }
}

function credentialOf(mechanism: ScramMechanism, salt: Buffer, iterations: number, salted: Buffer): ScramCredential {
  const storedKey = hash(mechanism, hmac(mechanism, salted, 'Client Key'))
  return { salt, iterations, storedKey, serverKey: hmac(mechanism, salted, 'Server Key') }
}
