/** From a frame to its answer: finds the handler, reads the request, applies faults, writes the response. */
import { ERROR } from '../../protocol/error-codes.ts'
import { FileError, ProtocolError } from '../../errors/index.ts'
import { encodeResponse, readClientId, readRequestStart, type RequestStart } from '../../protocol/frames.ts'
import { apiVersionsApi } from '../../protocol/messages/api-versions.ts'
import { Reader } from '../../protocol/reader.ts'
import { supportedApi } from '../apis/index.ts'
import type { Call, Handler } from '../apis/handler.ts'
import { handlePermitted } from '../security/permissions.ts'
import type { BrokerState } from '../state.ts'
import { type Answer, type Connection, DISCONNECT } from './connection.ts'
import type { Faults } from './faults.ts'
import type { RequestLog } from './request-log.ts'

const API_VERSIONS = 18

export interface Dispatcher {
  readonly broker: BrokerState
  readonly faults: Faults
  readonly requests: RequestLog
  readonly log: (line: string) => void
}

/**
 * Answers a request that came to a node.
 *
 * @throws {ProtocolError} it is malformed, or for an API or version that the broker does not have: the connection is closed
 */
export function answerFrame(
  dispatcher: Dispatcher,
  node: number,
  frame: Buffer,
  connection: Connection,
): Promise<Answer> | Answer {
  const { session } = connection
  if (session.expectsToken) return answerToken(dispatcher, frame, connection)
  const reader = new Reader(frame)
  const start = readRequestStart(reader)
  const early = session.refusal(start.apiKey, dispatcher.broker.cluster.now())
  if (early !== undefined) throw new ProtocolError(`Not authenticated: ${early}`)
  const supported = supportedApi(start.apiKey)
  if (supported === undefined) throw new ProtocolError(`API key ${start.apiKey} is not supported`)
  if (start.version < supported.min || start.version > supported.max) {
    // The client learns which versions there are (KIP-511).
    if (start.apiKey === API_VERSIONS) return unsupportedApiVersions(start)
    throw new ProtocolError(`Version ${start.version} of ${supported.name} is not supported`)
  }
  const handler = supported.loaded()
  const run = (loaded: Handler<unknown, unknown>) => answer(dispatcher, node, start, loaded, reader, connection)
  return handler === undefined ? supported.load().then(run) : run(handler)
}

/** After version 0 of SaslHandshake, tokens and their answers are frames without requests. */
async function answerToken(dispatcher: Dispatcher, token: Buffer, { session }: Connection): Promise<Answer> {
  const { errorCode, bytes } = await session.authenticate(token, dispatcher.broker.cluster.now())
  if (errorCode !== 0) return DISCONNECT
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return [size, bytes]
}

function unsupportedApiVersions({ correlationId }: RequestStart): readonly Buffer[] {
  const { min, max } = supportedApi(API_VERSIONS)!
  const apiKeys = [{ apiKey: API_VERSIONS, minVersion: min, maxVersion: max }]
  return encodeResponse(apiVersionsApi, 0, correlationId, { errorCode: ERROR.UNSUPPORTED_VERSION, apiKeys })
}

function answer(
  dispatcher: Dispatcher,
  node: number,
  start: RequestStart,
  handler: Handler<unknown, unknown>,
  reader: Reader,
  connection: Connection,
): Promise<Answer> | Answer {
  const { api } = handler
  const clientId = readClientId(reader, api.request.isFlexible(start.version)) ?? ''
  const request = api.request.read(reader, start.version)
  const call: Call = {
    version: start.version,
    clientId,
    clientHost: connection.remoteHost,
    node,
    broker: dispatcher.broker,
    session: connection.session,
    permits: (operation, resourceType, resourceName) =>
      dispatcher.broker.security.permits({
        principal: connection.session.principal,
        host: connection.remoteHost,
        operation,
        resourceType,
        resourceName,
      }),
    disconnect: () => connection.close(),
    onGone: (callback) => connection.onGone(callback),
  }
  dispatcher.requests.add(api.name, call)
  const encode = (response: unknown): Answer =>
    response === undefined ? undefined : encodeResponse(api, start.version, start.correlationId, response)
  const fault = dispatcher.faults.take(handler, request, call)
  if (fault !== undefined)
    return fault(
      () => attempt(dispatcher, handler, request, call),
      (code) => handler.refuse(request, code, call),
    ).then((response) => (response === DISCONNECT ? response : encode(response)))
  const response = attempt(dispatcher, handler, request, call)
  return response instanceof Promise ? response.then(encode) : encode(response)
}

/** A handler that throws is a bug, or a disk that is full: the client is answered, and the broker lives on. */
function attempt(dispatcher: Dispatcher, handler: Handler<unknown, unknown>, request: object, call: Call): unknown {
  const failed = (error: unknown): unknown => {
    const isFile = error instanceof FileError
    const text = error instanceof Error ? (isFile ? error.message : (error.stack ?? error.message)) : String(error)
    dispatcher.log(`${handler.api.name} failed: ${text}`)
    return handler.refuse(request, isFile ? ERROR.KAFKA_STORAGE_ERROR : ERROR.UNKNOWN_SERVER_ERROR, call)
  }
  try {
    const isFree = dispatcher.broker.security.authorize === undefined
    const response = isFree ? handler.handle(request, call) : handlePermitted(handler, request, call)
    return response instanceof Promise ? response.catch(failed) : response
  } catch (error) {
    return failed(error)
  }
}
