import { Writer } from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'
import { PRODUCE, type ProduceRequest, type ProduceResponse } from '../../../src/kafka/protocol/produce.ts'

/** First version with compact lengths and tagged fields. */
const FLEXIBLE = 9

/** What a version sends behind size, header and its empty client id. */
function bodyOf(version: number, request: ProduceRequest): string {
  const frame = Buffer.concat(PRODUCE.encode(version, 7, '', request))
  return frame.subarray(version < FLEXIBLE ? 14 : 15).toString('hex')
}

/** What a version reads behind the header of a response. */
function parse(version: number, body: Buffer): ProduceResponse {
  return PRODUCE.decode(version, Buffer.concat([Buffer.alloc(version < FLEXIBLE ? 4 : 5), body]))
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
    expect(bodyOf(version, REQUEST)).toBe(hex)
  })

  test('asks for no response with acks 0 only', () => {
    expect(PRODUCE.isAnswered!({ ...REQUEST, acks: 0 })).toBe(false)
    expect(PRODUCE.isAnswered!(REQUEST)).toBe(true)
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
    expect(parse(11, bytes)).toEqual({
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
    expect(parse(8, bytes).topics).toEqual([
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
