/**
 * `millrace top`: the numbers of the dashboard in a terminal, once a second.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthenticationError, ConfigError, ConnectionError } from '../errors/index.ts'
import { parseHttpAddress } from '../options/http-address.ts'
import type { Status } from '../serve/index.ts'
import type { Outcome } from './output.ts'
import { topText } from './top-text.ts'

const INTERVAL_MS = 1000
/** How long a server may take. */
const TIMEOUT_MS = 5000
const CLEAR = '\u001B[H\u001B[2J'

export interface TopOptions {
  readonly token?: string
  readonly once?: boolean
  readonly json?: true
}

export async function top(given: string | undefined, { token, once, json }: TopOptions): Promise<Outcome> {
  const url = urlOf(given ?? '')
  const read = (): Promise<Status> => readStatus(url, token ?? process.env['MILLRACE_HTTP_TOKEN'])
  const { stdout } = process
  const first = await read()
  const summary = `${first.pipelines.length} pipelines at ${url}`
  if (json === true) return { exitCode: 0, summary, result: first }
  if (once === true || !stdout.isTTY) {
    stdout.write(topText(first, url))
    return { exitCode: 0, summary, result: first }
  }
  // Until a signal ends the process, or the server goes away.
  for (let status = first; ; status = await read()) {
    const lines = topText(status, url, stdout.columns).split('\n')
    stdout.write(CLEAR + lines.slice(0, Math.max(1, stdout.rows - 1)).join('\n'))
    await sleep(INTERVAL_MS)
  }
}

/** @throws {ConfigError} when it is none */
function urlOf(given: string): string {
  if (/^https?:\/\//.test(given)) return given.replace(/\/+$/, '')
  const address = parseHttpAddress(given === '' ? 'localhost' : given)
  if (address === undefined)
    throw new ConfigError(`Cannot read "${given}" as it must be an address such as http://127.0.0.1:9600, or a port`)
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `http://${host}:${address.port}`
}

async function readStatus(url: string, token: string | undefined): Promise<Status> {
  const headers: { readonly [name: string]: string } = token === undefined ? {} : { authorization: `Bearer ${token}` }
  let response: Response
  try {
    response = await fetch(`${url}/status`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (cause) {
    throw new ConnectionError(
      'HTTP_UNAVAILABLE',
      `Cannot read ${url}/status: no pipeline is served there. Run one with "--http", or pass its address`,
      { cause },
    )
  }
  if (response.status === 401)
    throw new AuthenticationError(
      `Cannot read ${url}/status without its token: pass --token, or set MILLRACE_HTTP_TOKEN`,
    )
  const body: unknown = await response.json().catch(() => undefined)
  if (response.ok && typeof body === 'object' && body !== null && 'pipelines' in body) return body as Status // by its mark
  throw new ConnectionError('HTTP_UNAVAILABLE', `Cannot read ${url}/status: what responds there is not Millrace`)
}
