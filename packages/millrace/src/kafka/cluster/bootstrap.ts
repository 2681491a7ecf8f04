/**
 * The first contact with a cluster: where to look for it, how long, and what to tell when nobody answers.
 */
import { ConnectionError, isMillraceError } from '../../errors/index.ts'
import { retry, type BackoffOptions } from '../../resilience/retry.ts'
import { isHandshakeCut } from './connect-failure.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** How long connecting may fail before the operator is told. */
const QUIET_MS = 3000

/** How long a client puts up with listeners that close the connection in the TLS handshake. */
const HANDSHAKE_PATIENCE_MS = 5000

/** Trying again, or another broker, would not help. */
const FINAL: ReadonlySet<string> = new Set(['AUTHENTICATION_FAILED', 'TLS_FAILED'])

export function isFinal({ code }: ConnectionError): boolean {
  return FINAL.has(code)
}

export interface ContactOptions {
  readonly timeoutMs: number
  readonly backoff: BackoffOptions
  readonly signal: AbortSignal | undefined
  /** Told once when it takes longer than usual, and why. */
  readonly warn: ((message: string) => void) | undefined
}

/**
 * Tries until a broker has answered.
 *
 * @param attempt asks every bootstrap server once, and notes the last failure of each
 * @throws {ConnectionError} `BROKER_UNREACHABLE`, or `TOKEN_UNAVAILABLE` when that was the reason everywhere
 */
export async function untilReached(
  attempt: (failures: Map<string, Error>) => Promise<void>,
  { timeoutMs, backoff, signal, warn }: ContactOptions,
): Promise<void> {
  const started = performance.now()
  const failures = new Map<string, Error>()
  // By a timer of its own: neither a long wait nor an attempt that hangs keeps the operator waiting.
  const telling = setTimeout(() => {
    const reasons = reasonsOf(failures.values()) || 'no answer so far'
    warn?.(`No broker could be reached yet; retrying for up to ${timeoutMs / 1000} s: ${reasons}`)
  }, QUIET_MS)
  const isWorthwhile = (error: unknown): boolean =>
    isMillraceError(error) &&
    error.retriable &&
    // Brokers that are being started behind a proxy do this for a moment; a listener without TLS does it for ever.
    !(performance.now() - started > HANDSHAKE_PATIENCE_MS && [...failures.values()].every(isHandshakeCut))
  try {
    await retry(() => attempt(failures), { timeoutMs, backoff, signal, isRetriable: isWorthwhile })
  } catch (error) {
    if (!(error instanceof ConnectionError) || isFinal(error)) throw error
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    const all = [...failures.values()]
    const reasons = reasonsOf(all) || error.message
    throw all.length > 0 && all.every((failure) => isMillraceError(failure) && failure.code === 'TOKEN_UNAVAILABLE')
      ? new ConnectionError('TOKEN_UNAVAILABLE', `${reasons} (tried for ${seconds} s)`, { cause: error })
      : new ConnectionError('BROKER_UNREACHABLE', `No broker could be reached for ${seconds} s: ${reasons}`, {
          cause: error,
        })
  } finally {
    clearTimeout(telling)
  }
}

function reasonsOf(failures: Iterable<Error>): string {
  return [...new Set([...failures].map(({ message }) => message))].join('; ')
}

/** Splits `host:port`; IPv6 addresses stand in brackets. The port is 9092 when it is missing. */
export function parseAddress(text: string): Address {
  const match = /^\s*(?:[A-Z_]+:\/\/)?(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?\s*$/.exec(text)
  if (match === null)
    throw new ConnectionError(
      'BROKER_UNREACHABLE',
      `Cannot read broker address "${text}" as it must have the form host:port`,
    )
  return { host: (match[1] ?? match[2])!, port: match[3] === undefined ? 9092 : Number(match[3]) }
}
