/** Connections with TLS, and who shows which certificate. */
import type { Server, Socket } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { ConfigError } from '../../errors/index.ts'
import type { BrokerTls } from '../security/options.ts'

/**
 * @param onConnection given a connection when its handshake is complete, with its principal
 * @throws {ConfigError} key and certificate cannot be used
 */
export function createTlsListener(
  { clientAuth = 'none', ...material }: BrokerTls,
  log: (line: string) => void,
  onConnection: (socket: Socket, principal: string) => void,
): Server {
  const options: TlsOptions = {
    ...material,
    minVersion: 'TLSv1.2',
    requestCert: clientAuth !== 'none',
    rejectUnauthorized: clientAuth === 'required',
  }
  let server
  try {
    server = createServer(options)
  } catch (cause) {
    throw new ConfigError(`Cannot use the key and the certificate of "tls": ${(cause as Error).message}`, [], { cause })
  }
  server.on('secureConnection', (socket: TLSSocket) => {
    const certificate = socket.getPeerX509Certificate()
    // One that is asked for need not be shown, but must be a good one.
    if (certificate !== undefined && !socket.authorized) {
      log(
        `Closed a connection from ${socket.remoteAddress}: its certificate is not trusted: ${socket.authorizationError}`,
      )
      socket.destroy()
      return
    }
    onConnection(socket, `User:${certificate === undefined ? 'ANONYMOUS' : distinguishedName(certificate.subject)}`)
  })
  server.on('tlsClientError', (error, socket) => {
    log(`Closed a connection from ${socket.remoteAddress}: TLS failed: ${error.message}`)
  })
  return server
}

/** A subject as Java writes it: `CN=client,OU=tests`; the most special part first. */
function distinguishedName(subject: string): string {
  return subject.split('\n').toReversed().join(',')
}
