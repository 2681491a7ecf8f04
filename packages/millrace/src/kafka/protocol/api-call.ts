/** The requests that the client sends, and in which versions. */
import { decodeResponse, encodeRequest } from '../../protocol/frames.ts'
import type { Api, Decoded } from '../../protocol/message.ts'

/**
 * A request in all versions that we can speak. Most are made by `apiCall` of the generated messages; Fetch and Produce write
 * their own bytes.
 */
export interface ApiCall<Q = never, R = unknown> {
  /** Kafka's name, for messages. */
  readonly name: string
  readonly key: number
  /** The lowest and the highest version. */
  readonly min: number
  readonly max: number
  /** The whole frame, in pieces to be sent one after the other. @throws {ProtocolError} the version has no such field */
  encode(version: number, correlationId: number, clientId: string, request: Q): readonly Buffer[]
  /** @param response the frame without its length @throws {ProtocolError} */
  decode(version: number, response: Buffer): R
  /** Whether there is a response; always when omitted. */
  readonly isAnswered?: (request: Q) => boolean
}

/** What says which call is meant, whatever it carries. */
export type ApiName = Pick<ApiCall, 'name' | 'key' | 'min' | 'max'>

/** A request of `protocol/messages/`, in versions `min` to `max`. */
export function apiCall<Q, R>(api: Api<Q, R>, min: number, max: number): ApiCall<Q, Decoded<R>> {
  return {
    name: api.name,
    key: api.key,
    min,
    max,
    encode: (version, correlationId, clientId, request) =>
      encodeRequest(api, version, correlationId, clientId, request),
    decode: (version, response) => decodeResponse(api, version, response).response,
  }
}
