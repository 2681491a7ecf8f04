/** Requests that a foreign library writes and whose responses it reads, so that a test does not depend on our own code for both. */
import { Reader, type Writer } from '@platformatic/kafka'
import type { ApiCall } from '../../src/kafka/protocol/api-call.ts'
import { framed, requestWriter } from '../../src/protocol/frames.ts'

/** Bytes of a flexible response header: correlation id, no tags. */
const HEADER_BYTES = 5

interface LibraryApi {
  // oxlint-disable-next-line typescript/no-explicit-any -- each request has arguments of its own
  createRequest(...args: any[]): Writer
  parseResponse(correlationId: number, apiKey: number, apiVersion: number, reader: Reader): unknown
}

/** A request of the library in one flexible version; what is sent are its arguments. */
export function libraryCall<R>(
  name: string,
  key: number,
  version: number,
  api: LibraryApi,
): ApiCall<readonly unknown[], R> {
  return {
    name,
    key,
    min: version,
    max: version,
    encode(_version, correlationId, clientId, args) {
      const writer = requestWriter({ apiKey: key, version, correlationId }, clientId, true)
      writer.raw(api.createRequest(...args).buffer)
      return framed(writer)
    },
    decode(_version, response) {
      try {
        return api.parseResponse(0, key, version, Reader.from(response.subarray(HEADER_BYTES))) as R
      } catch (error) {
        // It throws a response that has error codes, which the caller reads.
        const { response: read } = error as { response?: R }
        if (read === undefined) throw error
        return read
      }
    },
  }
}
