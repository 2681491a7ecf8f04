/**
 * Why a broker cannot be reached: what the errors of sockets and of TLS often mean.
 */
import { ConnectionError, isMillraceError } from '../../errors/index.ts'

interface ErrorLink {
  readonly code?: string
  readonly message: string
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

/** The error and its causes, down to the error of the socket. */
function chainOf(error: unknown): ErrorLink[] {
  const chain: ErrorLink[] = []
  for (
    let link = error as ErrorLink | null | undefined;
    link !== null && link !== undefined && chain.length < 8;
    link = (link.cause ?? link.errors?.[0]) as typeof link
  )
    chain.push(link)
  return chain
}

interface Cause {
  readonly sign: RegExp
  readonly text: string
  /** TLS will not come about, however often it is tried. */
  readonly isFinal?: true
}

const CAUSES: readonly Cause[] = [
  {
    sign: /ECONNREFUSED/,
    text: 'connection refused: check that the broker is running and that the port is right',
  },
  { sign: /ENOTFOUND|EAI_AGAIN/, text: 'the host name cannot be resolved: check its spelling' },
  { sign: /EHOSTUNREACH|ENETUNREACH/, text: 'no route to the host' },
  {
    sign: /certificate required|handshake failure|bad certificate|certificate unknown/i,
    text: 'the broker requires a client certificate that it trusts: set ssl.keystore.location (PEM or PKCS12)',
    isFinal: true,
  },
  {
    sign: /unsupported protocol|protocol version|no protocols available/i,
    text: 'both sides have no TLS version in common: check ssl.enabled.protocols',
    isFinal: true,
  },
  {
    sign: /wrong version number|packet length too long|EPROTO/i,
    text: 'the response is not TLS, so this seems to be a clear-text port: set security.protocol to PLAINTEXT or SASL_PLAINTEXT, or use the TLS port',
    isFinal: true,
  },
  {
    sign: /answers in TLS|responded with TLS/,
    text: 'the broker uses TLS on this port: set security.protocol to SSL or SASL_SSL',
    isFinal: true,
  },
  {
    sign: /self.signed|unable to verify|unable to get (local )?issuer/i,
    text: 'its certificate is not signed by a trusted authority: set ssl.truststore.location (PEM) to the authority’s certificate',
    isFinal: true,
  },
  { sign: /CERT_HAS_EXPIRED|certificate has expired/, text: 'its certificate has expired', isFinal: true },
  {
    sign: /altnames|does not match certificate/i,
    text: 'its certificate is for another host name: use a name from the certificate in bootstrap.servers and advertised.listeners',
    isFinal: true,
  },
  {
    sign: /secure TLS connection was established|ECONNRESET|closed the connection/,
    text: 'the connection was closed at once, which often means that one side uses TLS or SASL and the other does not: check security.protocol',
  },
  {
    sign: /timed.out|ETIMEDOUT/i,
    text: 'no response in time: check for a firewall, a wrong port or a listener for another protocol',
  },
]

/** Says what the cause of a failed connection often is. */
export function connectFailure(address: string, secure: boolean, error: unknown): Error {
  if (isMillraceError(error) && !LOST.has(error.code)) return error
  const chain = chainOf(error)
  const text = chain.map(({ code, message }) => `${code ?? ''} ${message}`).join(' ')
  const cause = CAUSES.find(({ sign }) => sign.test(text))
  const isCut = secure && chain.some(({ message }) => message.includes(HANDSHAKE_CUT))
  return new ConnectionError(
    cause?.isFinal === true ? 'TLS_FAILED' : 'BROKER_UNREACHABLE',
    `Cannot reach broker "${address}"${secure ? ' over TLS' : ''}: ${cause?.text ?? chain.at(-1)!.message}`,
    { cause: error, ...(isCut ? { context: { handshakeCut: true } } : {}) },
  )
}

/** In the message of Node.js when the other side closes the connection instead of shaking hands. */
const HANDSHAKE_CUT = 'secure TLS connection was established'

/** Whether a broker closed the connection in the middle of the TLS handshake, as those do that speak clear text. */
export function isHandshakeCut(error: Error): boolean {
  return isMillraceError(error) && error.context['handshakeCut'] === true
}

/** Codes that say no more than that the connection is gone. */
const LOST: ReadonlySet<string> = new Set(['BROKER_UNREACHABLE', 'BROKER_DISCONNECTED', 'REQUEST_TIMED_OUT'])
