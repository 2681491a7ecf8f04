/** The schema registry, before it is used: whether there is one, and whether it accepts the credentials. */
import { ConfigError, ConnectionError } from '../errors/index.ts'
import type { EndpointConfig, RegistryConfig } from './config.ts'

const TIMEOUT_MS = 60_000

const CANNOT_CONNECT =
  'Could not connect to the configured schema registry. Double check your configuration and try again.'

/** @throws {ConfigError} when the message format needs a registry and there is none */
export function requireRegistry({ messageFormat, schemaRegistry }: EndpointConfig): void {
  if (messageFormat === 'Avro' && schemaRegistry === undefined)
    throw new ConfigError('Avro messages require a schema registry: set schema_registry')
}

/** @throws {ConnectionError} unless the registry answers */
export async function checkRegistry({ endpoint, username, password }: RegistryConfig): Promise<void> {
  const url = `${endpoint.replace(/\/+$/, '')}/config`
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  let text: string
  let response: Response
  try {
    response = await fetch(url, { headers: { authorization }, signal: AbortSignal.timeout(TIMEOUT_MS) })
    // Its body may take longer than allowed, too.
    text = await response.text()
  } catch (error) {
    throw new ConnectionError('REGISTRY_UNAVAILABLE', `${CANNOT_CONNECT} GET ${url}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
  const { ok, status, statusText } = response
  if (!ok)
    throw new ConnectionError(
      status === 401 || status === 403 ? 'AUTHENTICATION_FAILED' : 'REGISTRY_UNAVAILABLE',
      `${CANNOT_CONNECT} request GET ${url} failed with status ${status} ${statusText}: ${text.slice(0, LONGEST_REASON)}`,
    )
  if (!isJson(text))
    throw new ConnectionError(
      'REGISTRY_UNAVAILABLE',
      `${CANNOT_CONNECT} request GET ${url} was not answered with JSON: is this the address of its API?`,
    )
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const LONGEST_REASON = 300

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? cause.message : message
}
