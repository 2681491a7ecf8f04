/** The `authorization` header of requests to a registry. Its value is never part of an error (I8). */
import { askTokenEndpoint } from '../security/token-endpoint.ts'
import { Renewed } from '../security/renewed.ts'
import type { RegistryCredentials } from './settings.ts'

export interface Authorization {
  /** @throws {ConnectionError} `TOKEN_UNAVAILABLE`; {AuthenticationError} */
  header(): Promise<string | undefined>
  /** The registry refused it. @returns whether another attempt may be accepted */
  refused(): boolean
}

export function authorization(credentials: RegistryCredentials | undefined, timeoutMs: number): Authorization {
  switch (credentials?.by) {
    case 'password': {
      const { username, password } = credentials
      return fixed(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`)
    }
    case 'token':
      return fixed(`Bearer ${credentials.token}`)
    case 'oauth': {
      const { endpoint } = credentials
      const tokens = new Renewed(async () => {
        const { token, expiresAt } = await askTokenEndpoint(endpoint, timeoutMs)
        // Without an end, the registry's refusal is what shows that it is over.
        return { value: token, expiresAt: expiresAt === undefined ? Date.now() + UNKNOWN_LIFE_MS : Number(expiresAt) }
      })
      return {
        header: async () => `Bearer ${await tokens.get()}`,
        refused() {
          tokens.forget()
          return true
        },
      }
    }
    case undefined:
      return fixed(undefined)
  }
}

const UNKNOWN_LIFE_MS = 300_000

function fixed(header: string | undefined): Authorization {
  return { header: () => Promise.resolve(header), refused: () => false }
}
