import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../../../src/errors/index.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeStickyUserData,
  encodeSubscription,
  generationOf,
} from '../../../src/kafka/group/classic-subscription.ts'
import { comparePartitions } from '../../../src/kafka/topic-partition.ts'

/** Bytes written by `ConsumerProtocol` of kafka-clients 4.3.1. */
const JAVA = {
  version0: '000000000002000562696c6c7300066f72646572730000000400000007',
  version1:
    '000100000002000562696c6c7300066f7264657273000000040000000700000002000562696c6c73000000010000000200066f7264657273000000020000000000000001',
  version2:
    '000200000002000562696c6c7300066f7264657273000000040000000700000002000562696c6c73000000010000000200066f726465727300000002000000000000000100000007',
  version3:
    '000300000002000562696c6c7300066f7264657273000000040000000700000002000562696c6c73000000010000000200066f72646572730000000200000000000000010000000700067261636b2d61',
  eager: '00030000000100066f7264657273ffffffff00000000ffffffffffff',
  assignment: '00030000000200066f7264657273000000020000000100000000000562696c6c730000000100000002ffffffff',
}
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
const owned = [
  { topic: 'bills', partition: 2 },
  { topic: 'orders', partition: 0 },
  { topic: 'orders', partition: 1 },
]

describe('subscription', () => {
  test('is written as Java writes it, topics and partitions in order', () => {
    const subscription = {
      topics: ['orders', 'bills'],
      userData: encodeStickyUserData(7),
      owned: owned.toReversed(),
      generation: 7,
      rackId: 'rack-a',
    }
    expect(encodeSubscription(subscription).toString('hex')).toBe(JAVA.version3)
    expect(
      encodeSubscription({ topics: ['orders'], userData: null, owned: [], generation: -1, rackId: null }).toString(
        'hex',
      ),
    ).toBe(JAVA.eager)
  })

  test.each([
    { version: 0, owned: [], generation: -1, rackId: null },
    { version: 1, owned, generation: -1, rackId: null },
    { version: 2, owned, generation: 7, rackId: null },
    { version: 3, owned, generation: 7, rackId: 'rack-a' },
  ])('version $version of Java is read', ({ version, ...expected }) => {
    const subscription = decodeSubscription(bytes(JAVA[`version${version}` as keyof typeof JAVA]))
    expect(subscription).toEqual({ topics: ['bills', 'orders'], userData: encodeStickyUserData(7), ...expected })
    // Java's CooperativeStickyAssignor of that time put it into the user data.
    expect(generationOf(subscription)).toBe(7)
  })

  test('of a later version is read as far as it is known', () => {
    const later = Buffer.concat([bytes(JAVA.version3), bytes('00112233')])
    later.writeInt16BE(9)
    expect(decodeSubscription(later).rackId).toBe('rack-a')
  })
})

describe('assignment', () => {
  test('of Java is read', () => {
    expect(decodeAssignment(bytes(JAVA.assignment)).toSorted(comparePartitions)).toEqual(owned)
  })
  test('of no bytes is empty', () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual([])
  })
  test('round trip', () => {
    const partition = fc.record({ topic: fc.string({ minLength: 1, unit: 'grapheme' }), partition: fc.nat() })
    fc.assert(
      fc.property(
        fc.uniqueArray(partition, { selector: ({ topic, partition }) => `${topic}/${partition}` }),
        (partitions) => {
          expect(decodeAssignment(encodeAssignment(partitions))).toEqual(partitions.toSorted(comparePartitions))
        },
      ),
    )
  })
})

test.each([
  ['subscription', decodeSubscription, JAVA.version3],
  ['assignment', decodeAssignment, JAVA.assignment],
] as const)('a %s that is cut off anywhere, or of wrong lengths, is refused and does not hang', (_, decode, hex) => {
  const whole = bytes(hex)
  for (let length = 1; length < whole.length; length++) expect(() => decode(whole.subarray(0, length))).toThrow()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (garbage) => {
      try {
        decode(Buffer.from(garbage))
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
  )
  const huge = Buffer.from(whole)
  huge.writeInt32BE(0x7fffffff, 2)
  expect(() => decode(huge)).toThrow(ProtocolError)
})
