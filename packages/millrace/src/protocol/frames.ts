/**
 * Requests and responses as they travel: a size of four bytes, a header, and the message.
 *
 * ```
 * frame => size header message        request header => api_key api_version correlation_id client_id [tags]
 *                                     response header => correlation_id [tags]
 * ```
 *
 * Headers have tags in flexible versions, except that of an ApiVersions response: a client reads it before it knows the
 * versions of the broker.
 *
 * @see https://kafka.apache.org/protocol#protocol_messages
 */
import { ProtocolError } from '../errors/index.ts'
import type { Api, Decoded } from './message.ts'
import { requestHeader, responseHeader } from './messages/headers.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

const API_VERSIONS_KEY = 18

/** What every request begins with. */
export interface RequestStart {
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
}

/** Bytes of `RequestStart`. */
const START_BYTES = 8

/** Reads the part of a request header that has been the same in all versions; the rest is read by `readClientId`. */
export function readRequestStart(reader: Reader): RequestStart {
  if (reader.left < START_BYTES)
    throw new ProtocolError(`A request must be at least ${START_BYTES} bytes long: current length is ${reader.left}`)
  return { apiKey: reader.int16(), version: reader.int16(), correlationId: reader.int32() }
}

/** Reads the rest of a request header. @returns the client id */
export function readClientId(reader: Reader, flexible: boolean): string | null {
  reader.position -= START_BYTES
  return requestHeader.read(reader, flexible ? 2 : 1).clientId
}

/** A request, its size included, in pieces to be sent one after the other. */
export function encodeRequest<Q, R>(
  api: Api<Q, R>,
  version: number,
  correlationId: number,
  clientId: string | null,
  request: Q,
): Buffer[] {
  const start = { apiKey: api.key, version, correlationId }
  const writer = requestWriter(start, clientId, api.request.isFlexible(version))
  api.request.write(writer, version, request)
  return framed(writer)
}

/** A writer behind size and header of a request, for code that writes the message itself; `framed` ends it. */
export function requestWriter(start: RequestStart, clientId: string | null, flexible: boolean): Writer {
  const writer = frameWriter()
  requestHeader.write(writer, flexible ? 2 : 1, {
    requestApiKey: start.apiKey,
    requestApiVersion: start.version,
    correlationId: start.correlationId,
    clientId,
  })
  return writer
}

/** A response, its size included, in pieces to be sent one after the other. */
export function encodeResponse<Q, R>(api: Api<Q, R>, version: number, correlationId: number, response: R): Buffer[] {
  const writer = frameWriter()
  responseHeader.write(writer, responseHeaderVersion(api, version), { correlationId })
  api.response.write(writer, version, response)
  return framed(writer)
}

/** Reads a request without its size. */
export function decodeRequest<Q, R>(
  api: Api<Q, R>,
  bytes: Buffer,
): { start: RequestStart; clientId: string | null; request: Decoded<Q> } {
  const reader = new Reader(bytes)
  const start = readRequestStart(reader)
  const clientId = readClientId(reader, api.request.isFlexible(start.version))
  return { start, clientId, request: api.request.read(reader, start.version) }
}

/** Reads a response without its size. */
export function decodeResponse<Q, R>(
  api: Api<Q, R>,
  version: number,
  bytes: Buffer,
): { correlationId: number; response: Decoded<R> } {
  const reader = new Reader(bytes)
  const { correlationId } = responseHeader.read(reader, responseHeaderVersion(api, version))
  return { correlationId, response: api.response.read(reader, version) }
}

function responseHeaderVersion<Q, R>(api: Api<Q, R>, version: number): number {
  return api.key !== API_VERSIONS_KEY && api.response.isFlexible(version) ? 1 : 0
}

function frameWriter(): Writer {
  const writer = new Writer()
  // The size, which `framed` fills in.
  writer.int32(0)
  return writer
}

/** Ends a frame. @returns its pieces, to be sent one after the other */
export function framed(writer: Writer): Buffer[] {
  const pieces = writer.finish()
  pieces[0]!.writeInt32BE(writer.length - 4)
  return pieces
}
