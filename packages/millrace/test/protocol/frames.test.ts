import { describe, expect, test } from 'vitest'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  readRequestStart,
} from '../../src/protocol/frames.ts'
import { apiVersionsApi } from '../../src/protocol/messages/api-versions.ts'
import { heartbeatApi } from '../../src/protocol/messages/heartbeat.ts'
import { Reader } from '../../src/protocol/reader.ts'

const request = { groupId: 'g', generationId: 3, memberId: 'm' }

describe('a request', () => {
  test.each([
    { name: 'with a plain header', version: 3, clientId: 'orders' },
    { name: 'with tags behind the header', version: 4, clientId: 'orders' },
    { name: 'without a client id', version: 4, clientId: null },
  ])('$name is read as it was written', ({ version, clientId }) => {
    const frame = Buffer.concat(encodeRequest(heartbeatApi, version, 7, clientId, request))
    expect(frame.readInt32BE(0)).toBe(frame.length - 4)
    const decoded = decodeRequest(heartbeatApi, frame.subarray(4))
    expect(decoded.start).toEqual({ apiKey: 12, version, correlationId: 7 })
    expect(decoded.clientId).toBe(clientId)
    expect(decoded.request).toEqual({ ...request, groupInstanceId: null })
  })

  test('that is too short for a header is refused', () => {
    expect(() => readRequestStart(new Reader(Buffer.alloc(7)))).toThrow('must be at least 8 bytes long')
  })
})

describe('a response', () => {
  test('is read as it was written', () => {
    const frame = Buffer.concat(encodeResponse(heartbeatApi, 4, 9, { throttleTimeMs: 1, errorCode: 27 }))
    // Size, correlation id, no tags, throttle time, error code, no tags.
    expect(frame.toString('hex')).toBe('0000000c' + '00000009' + '00' + '00000001' + '001b' + '00')
    expect(decodeResponse(heartbeatApi, 4, frame.subarray(4))).toEqual({
      correlationId: 9,
      response: { throttleTimeMs: 1, errorCode: 27 },
    })
  })

  /** A client that does not know the broker yet could not read the tags. */
  test('to ApiVersions has a header without tags in all versions', () => {
    const body = { errorCode: 0, apiKeys: [], throttleTimeMs: 0 }
    const [frame] = encodeResponse(apiVersionsApi, 4, 9, body)
    expect(frame!.subarray(4).toString('hex')).toBe('00000009' + '0000' + '01' + '00000000' + '00')
  })
})
