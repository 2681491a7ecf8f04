import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../../src/errors/index.ts'
import { type ApiEntry, APIS } from '../../src/protocol/api-index.ts'
import { fetchRequest, fetchResponse } from '../../src/protocol/messages/fetch.ts'
import { listOffsetsRequest } from '../../src/protocol/messages/list-offsets.ts'
import { metadataRequest } from '../../src/protocol/messages/metadata.ts'
import { Reader } from '../../src/protocol/reader.ts'
import { joined, Writer } from '../../src/protocol/writer.ts'
import { allMessages, completed, structures, versionsOf } from '../support/protocol-messages.ts'

const messages = await allMessages()

function written(message: (typeof messages)[number], version: number, value: unknown): Buffer {
  const writer = new Writer(16)
  message.write(writer, version, value)
  const { length } = writer
  const bytes = joined(writer.finish())
  expect(bytes.length).toBe(length)
  return bytes
}

describe('every message', () => {
  test('belongs to an API that Kafka 4.3 has for clients', () => {
    expect(APIS.length).toBeGreaterThan(70)
    expect(APIS.map(({ key }) => key)).toEqual(APIS.map(({ key }) => key).toSorted((a, b) => a - b))
    expect(messages.length).toBe(2 * APIS.length + 4)
  })

  test('has the versions that the index lists, in request and response', async () => {
    for (const entry of APIS as readonly ApiEntry[]) {
      const { key, name, request, response } = await entry.load()
      expect({ key, name, min: request.versions.min, max: request.versions.max }).toEqual({
        key: entry.key,
        name: entry.name,
        min: entry.min,
        max: entry.max,
      })
      expect(response.versions).toMatchObject({ min: entry.min, max: entry.max })
    }
  })

  test('is read as it was written, in every version', () => {
    for (const message of messages) {
      for (const version of versionsOf(message)) {
        const property = fc.property(structures(message.fields, version), (value) => {
          const bytes = written(message, version, value)
          const reader = new Reader(bytes)
          const read = message.read(reader, version)
          expect(reader.left).toBe(0)
          if (!isDeepStrictEqual(read, completed(message.fields, value)))
            expect(read, `${message.name} version ${version}`).toEqual(completed(message.fields, value))
        })
        fc.assert(property, { numRuns: 6 })
      }
    }
  })

  test('is refused as a protocol error when it is cut off, or when bytes are changed', () => {
    for (const message of messages) {
      const version = message.versions.max
      const property = fc.property(
        structures(message.fields, version),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        (value, place, byte) => {
          const bytes = written(message, version, value)
          if (bytes.length === 0) return
          const at = place % bytes.length
          expect(() => message.read(new Reader(bytes.subarray(0, at)), version)).toThrow(ProtocolError)
          const changed = Buffer.from(bytes)
          changed[at] = byte
          try {
            message.read(new Reader(changed), version)
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError)
          }
        },
      )
      fc.assert(property, { numRuns: 10 })
    }
  })
})

describe('reading', () => {
  const request = { maxWaitMs: 1, minBytes: 1, topics: [] }

  test('takes records as a view of the bytes', () => {
    const records = Buffer.from('records')
    const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 1, abortedTransactions: null, records }
    const value = { throttleTimeMs: 0, responses: [{ topic: 't', partitions: [partition] }] }
    const writer = new Writer()
    fetchResponse.write(writer, 12, value)
    const bytes = joined(writer.finish())
    const read = fetchResponse.read(new Reader(bytes), 12)
    expect(read.responses[0]!.partitions[0]!.records!.buffer).toBe(bytes.buffer)
  })

  test('gives fields that the version does not have their defaults', () => {
    const writer = new Writer()
    fetchRequest.write(writer, 4, request)
    expect(fetchRequest.read(new Reader(joined(writer.finish())), 4)).toMatchObject({ sessionEpoch: -1, rackId: '' })
  })

  test('skips tagged fields that it does not know', () => {
    const writer = new Writer()
    metadataRequest.write(writer, 12, { topics: null })
    const bytes = joined(writer.finish())
    // The last byte says that there are no tags: now there are two.
    const tagged = Buffer.concat([bytes.subarray(0, -1), Buffer.from([2, 5, 2, 1, 1, 9, 0])])
    const reader = new Reader(tagged)
    expect(metadataRequest.read(reader, 12).topics).toBeNull()
    expect(reader.left).toBe(0)
  })

  test('refuses an array longer than the bytes that are left, before it is allocated', () => {
    const bytes = Buffer.alloc(20)
    bytes.writeInt32BE(0x7fffffff, 12)
    expect(() => listOffsetsRequest.read(new Reader(bytes, 8), 1)).toThrow('cannot have 2147483647 elements')
  })

  test('refuses a null where the version has none', () => {
    expect(() => metadataRequest.read(new Reader(Buffer.from([255, 255, 255, 255])), 0)).toThrow('must not be null')
  })
})

describe('writing', () => {
  const writes = (value: Parameters<typeof fetchRequest.write>[2], version: number) => () =>
    fetchRequest.write(new Writer(), version, value)
  const request = { maxWaitMs: 1, minBytes: 1, topics: [] }

  test('drops an ignorable field that the version does not have', () => {
    expect(writes({ ...request, rackId: 'a' }, 4)).not.toThrow()
  })

  test('refuses any other one, unless it has its default', () => {
    expect(writes({ ...request, forgottenTopicsData: [{ topic: 't', partitions: [0] }] }, 4)).toThrow(
      'Cannot write FetchRequest version 4: Cannot write field "forgottenTopicsData" as version 4 of the message does not have it',
    )
    expect(writes({ ...request, forgottenTopicsData: [] }, 4)).not.toThrow()
  })

  test('refuses a version that there is not', () => {
    expect(writes(request, 19)).toThrow('Version of FetchRequest must be between 4 and 18: current value is 19')
  })

  test('refuses numbers, texts and UUIDs that do not fit', () => {
    expect(writes({ ...request, maxWaitMs: 2 ** 31 }, 4)).toThrow(ProtocolError)
    expect(writes({ ...request, rackId: 'x'.repeat(40_000) }, 11)).toThrow('at most 32767 bytes')
    expect(writes({ ...request, topics: [{ topicId: 'short', partitions: [] }] }, 13)).toThrow(
      '22 base64url characters',
    )
  })
})
