/** Where an HTTP server listens. */
export interface HttpAddress {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
}

export const DEFAULT_HTTP_PORT = 9600
const LOOPBACK = '127.0.0.1'

/**
 * Reads `9600`, `127.0.0.1:9600`, `:9600`, `[::1]:9600` or `localhost`. Without a host it is the loopback address, so that nothing
 * is open to the network unless that is asked for.
 *
 * @returns undefined when it is none of these
 */
export function parseHttpAddress(given: string | number): HttpAddress | undefined {
  if (typeof given === 'number' && !(Number.isInteger(given) && given >= 0)) return undefined
  const text = String(given).trim()
  if (/^\d+$/.test(text)) return withPort(LOOPBACK, text)
  const [, bracketed, name, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]*))(?::(\d+))?$/.exec(text) ?? []
  const host = bracketed ?? name
  if (host === undefined || (host === '' && port === undefined)) return undefined
  return withPort(host === '' ? LOOPBACK : host, port ?? String(DEFAULT_HTTP_PORT))
}

function withPort(host: string, text: string): HttpAddress | undefined {
  const port = Number(text)
  return port <= 65_535 ? { host, port } : undefined
}

/** Whether only programs on this machine can connect. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
