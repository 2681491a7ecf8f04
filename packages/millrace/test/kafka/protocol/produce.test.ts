import { Reader, Writer } from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'
import { PRODUCE, type ProduceRequest, type ProduceResponse } from '../../../src/kafka/protocol/produce.ts'

interface Call {
  readonly payload: Writer
  readonly parse: (bytes: Buffer) => ProduceResponse
}

/** What a version of the call would send, and how it reads the answer: the protocol library's connection asks for both. */
function call(version: number, request: ProduceRequest): Call {
  let made: Call | undefined
  const connection = {
    send(
      _key: number,
      _version: number,
      createPayload: () => Writer,
      parser: (id: number, key: number, version: number, reader: Reader) => ProduceResponse,
    ) {
      made = { payload: createPayload(), parse: (bytes) => parser(0, 0, version, Reader.from(bytes)) }
    },
  }
  PRODUCE.versions[version]!(connection as never, request, () => {})
  return made!
}

const REQUEST: ProduceRequest = {
  transactionalId: null,
  acks: -1,
  timeoutMs: 30_000,
  topics: [
    {
      name: 't',
      partitions: [
        { partition: 3, records: Buffer.from('abcd') },
        { partition: 4, records: Buffer.from('ef') },
      ],
    },
  ],
}

describe('Produce', () => {
  test.each([
    {
      version: 8,
      hex:
        'ffff' +
        'ffff' +
        '00007530' +
        '00000001' +
        '0001' +
        '74' +
        '00000002' +
        '00000003' +
        '00000004' +
        '61626364' +
        '00000004' +
        '00000002' +
        '6566',
    },
    {
      version: 9,
      hex:
        '00' +
        'ffff' +
        '00007530' +
        '02' +
        '0274' +
        '03' +
        '00000003' +
        '05' +
        '61626364' +
        '00' +
        '00000004' +
        '03' +
        '6566' +
        '00' +
        '00' +
        '00',
    },
    {
      version: 12,
      hex:
        '00' +
        'ffff' +
        '00007530' +
        '02' +
        '0274' +
        '03' +
        '00000003' +
        '05' +
        '61626364' +
        '00' +
        '00000004' +
        '03' +
        '6566' +
        '00' +
        '00' +
        '00',
    },
  ])('version $version is written as the protocol says', ({ version, hex }) => {
    expect(call(version, REQUEST).payload.buffer.toString('hex')).toBe(hex)
  })

  test('asks for no response with acks 0 only', () => {
    expect(call(9, { ...REQUEST, acks: 0 }).payload.context).toEqual({ noResponse: true })
    expect(call(9, REQUEST).payload.context).toEqual({})
  })

  test('reads each partition of a response, error codes included', () => {
    const bytes = Writer.create()
      .appendArray([0], (w) => {
        w.appendString('t').appendArray(
          [0, 1],
          (w, i) => {
            w.appendInt32(i)
              .appendInt16(i === 0 ? 0 : 6)
              .appendInt64(i === 0 ? 1234n : -1n)
              .appendInt64(-1n)
              .appendInt64(5n)
            w.appendArray(i === 0 ? [] : [2], (w, index) => w.appendInt32(index).appendString('bad'))
            w.appendString(i === 0 ? null : 'moved')
            if (i === 0) w.appendTaggedFields()
            // Two tagged fields: the leader, and one that nobody knows yet.
            else
              w.appendUnsignedVarInt(2)
                .appendUnsignedVarInt(0)
                .appendUnsignedVarInt(9)
                .appendInt32(7)
                .appendInt32(8)
                .appendInt8(0)
                .appendUnsignedVarInt(9)
                .appendUnsignedVarInt(3)
                .append(Buffer.from('xyz'))
          },
          true,
          false,
        )
      })
      .appendInt32(99)
      .appendTaggedFields().buffer
    expect(call(11, REQUEST).parse(bytes)).toEqual({
      throttleMs: 99,
      topics: [
        {
          name: 't',
          partitions: [
            {
              partition: 0,
              errorCode: 0,
              errorMessage: null,
              baseOffset: 1234,
              logStartOffset: 5,
              recordErrors: [],
              leader: undefined,
            },
            {
              partition: 1,
              errorCode: 6,
              errorMessage: 'moved',
              baseOffset: -1,
              logStartOffset: 5,
              recordErrors: [{ index: 2, message: 'bad' }],
              leader: { id: 7, epoch: 8 },
            },
          ],
        },
      ],
    })
  })

  test('reads a response of version 8, which knows no tagged fields', () => {
    const bytes = Writer.create()
      .appendArray(
        [0],
        (w) => {
          w.appendString('t', false).appendArray(
            [0],
            (w) => {
              w.appendInt32(0).appendInt16(10).appendInt64(-1n).appendInt64(-1n).appendInt64(-1n)
              w.appendArray([], () => {}, false, false).appendString(null, false)
            },
            false,
            false,
          )
        },
        false,
        false,
      )
      .appendInt32(0).buffer
    expect(call(8, REQUEST).parse(bytes).topics).toEqual([
      {
        name: 't',
        partitions: [
          {
            partition: 0,
            errorCode: 10,
            errorMessage: null,
            baseOffset: -1,
            logStartOffset: -1,
            recordErrors: [],
            leader: undefined,
          },
        ],
      },
    ])
  })
})
