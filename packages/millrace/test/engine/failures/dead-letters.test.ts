import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Sink } from '../../../src/contracts/sink.ts'
import type { Batch } from '../../../src/records/batch.ts'
import { fromLetter, toLetter } from '../../../src/engine/failures/envelopes.ts'
import { DeadLetters } from '../../../src/engine/failures/dead-letters.ts'
import { ErrorHandling } from '../../../src/engine/failures/error-handling.ts'
import { Failures, type Failure } from '../../../src/engine/failures/failures.ts'
import type { EnvelopeName } from '../../../src/engine/plan.ts'
import { DecodeError, DeliveryError } from '../../../src/errors/index.ts'
import { batchOf, type MadeRecord } from '../../support/batches.ts'

const TIME = new Date('2026-01-31T12:00:00.500Z')

function failureOf(record: MadeRecord, attempts = 1): Failure {
  const source = { batch: batchOf([record]), row: 0 }
  const error = new DecodeError('value', 'it is no JSON', { component: 'json' })
  return { ...source, error, attempts, madeOf: [source] }
}

/** A letter as a reader gets it: all in bytes. */
function read(envelope: EnvelopeName, failure: Failure) {
  const { key, value, headers = [], timestampMs } = toLetter(envelope, failure, 'orders', TIME)
  const bytes = (content: string | Buffer | null | undefined): Buffer | null =>
    content === null || content === undefined ? null : Buffer.from(content)
  return {
    key: bytes(key),
    value: bytes(value),
    headers: headers.map(([name, content]) => [name, bytes(content)] as const),
    timestampMs,
  }
}

const text = (letter: { readonly value: Buffer | null }): unknown => JSON.parse(letter.value!.toString())

describe('a dead letter', () => {
  const record: MadeRecord = {
    key: 'k',
    value: '{"half":',
    headers: [
      ['trace', 'x'],
      ['trace', null],
    ],
    timestampMs: 1_700_000_000_123,
  }

  test('in headers keeps the record byte by byte and records in headers where it came from and why it failed', () => {
    const { key, value, headers, timestampMs } = read('headers', failureOf(record, 3))
    expect([key?.toString(), value?.toString(), timestampMs]).toEqual(['k', '{"half":', TIME.getTime()])
    expect(headers.map(([name, content]) => [name, content?.toString()])).toEqual([
      ['trace', 'x'],
      ['trace', undefined],
      ['__millrace.errors.topic', 'orders'],
      ['__millrace.errors.partition', '3'],
      ['__millrace.errors.offset', '100'],
      ['__millrace.errors.timestamp', '1700000000123'],
      ['__millrace.errors.pipeline', 'orders'],
      ['__millrace.errors.component', 'json'],
      ['__millrace.errors.code', 'DECODE_FAILED'],
      ['__millrace.errors.message', 'it is no JSON'],
      ['__millrace.errors.attempts', '3'],
      ['__millrace.errors.time', '2026-01-31T12:00:00.500Z'],
    ])
  })

  test('as JSON has everything in its value', () => {
    expect(text(read('json', failureOf({ ...record, value: Buffer.from([0xff, 0]) })))).toEqual({
      topic: 'orders',
      partition: 3,
      offset: 100,
      timestamp: 1_700_000_000_123,
      key: 'k',
      value: { base64: '/wA=' },
      headers: [
        ['trace', 'x'],
        ['trace', null],
      ],
      error: {
        code: 'DECODE_FAILED',
        message: 'it is no JSON',
        component: 'json',
        pipeline: 'orders',
        attempts: 1,
        time: '2026-01-31T12:00:00.500Z',
      },
    })
  })

  test('in the envelope of Rivven', () => {
    expect(text(read('rivven', failureOf(record, 3)))).toEqual({
      original_topic: 'orders',
      connector_name: 'orders',
      payload_b64: Buffer.from('{"half":').toString('base64'),
      error: 'DECODE_FAILED: it is no JSON',
      retry_count: 2,
      timestamp: '2026-01-31T12:00:00.500Z',
    })
  })

  test.each([
    { value: '{"a":1}', record: { a: 1 } },
    { value: '{"half":', record: '{"half":' },
    { value: null, record: null },
  ])('in the envelope of Conveyor: $value', ({ value, record: wanted }) => {
    expect(text(read('conveyor', failureOf({ value })))).toEqual({
      record: wanted,
      error: 'DECODE_FAILED: it is no JSON',
      stage_id: 'json',
      timestamp: '2026-01-31T12:00:00.500Z',
    })
  })

  const bytes = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)),
  )
  const records = fc.record({
    key: fc.option(bytes),
    value: fc.option(fc.oneof(bytes, fc.json(), fc.constantFrom('null', '"text"', '1.0', ' 1'))),
    headers: fc.array(fc.tuple(fc.string(), fc.option(fc.string())), { maxLength: 3 }),
    timestampMs: fc.integer({ min: 0, max: 2e12 }),
  })

  // Conveyor's lost the bytes of what is neither UTF-8 nor a document: `"text"` became `text`, and `null` a tombstone.
  test.each(['headers', 'json', 'rivven', 'conveyor'] as const)('in %s gives the record back as it was', (envelope) => {
    fc.assert(
      fc.property(records, (made) => {
        const before = batchOf([made])
        const letter = fromLetter(read(envelope, failureOf(made)))!
        const plain = (headers: readonly (readonly [string, Buffer | null])[]): unknown =>
          headers.map(([name, content]) => [name, content?.toString('hex')])
        expect(letter).toMatchObject({
          ...(envelope === 'conveyor' ? {} : { topic: 'orders' }),
          ...(envelope === 'conveyor' || envelope === 'rivven' ? {} : { partition: 3, offset: '100' }),
          error: { code: 'DECODE_FAILED', message: 'it is no JSON' },
        })
        expect(letter.record.key).toEqual(before.key(0))
        expect(letter.record.value).toEqual(before.value(0))
        expect(plain(letter.record.headers)).toEqual(plain(before.headers(0)))
        expect(letter.record.timestampMs).toBe(made.timestampMs)
      }),
    )
  })

  test.each([
    { envelope: 'rivven', value: '{"half":', topic: 'orders' },
    { envelope: 'rivven', value: null, topic: 'orders' },
    { envelope: 'conveyor', value: '{"a":1}', topic: undefined },
    { envelope: 'conveyor', value: '{"id":1234567890123456789}', topic: undefined },
    { envelope: 'conveyor', value: '1234567890123456789', topic: undefined },
    { envelope: 'conveyor', value: 'text', topic: undefined },
    { envelope: 'conveyor', value: null, topic: undefined },
  ] as const)(
    'in the envelope $envelope gives value $value back, with headers and time',
    ({ envelope, value, topic }) => {
      const record = { key: 'k', value, headers: [['trace', 'abc']] as const, timestampMs: 1_700_000_000_123 }
      const letter = fromLetter(read(envelope, failureOf(record)))!
      // They were lost.
      expect(letter.record.headers.map(([name, content]) => [name, String(content)])).toEqual([['trace', 'abc']])
      expect(letter.record.timestampMs).toBe(1_700_000_000_123)
      expect([
        letter.record.key?.toString(),
        letter.record.value?.toString() ?? null,
        letter.topic,
        letter.error.code,
      ]).toEqual(['k', value, topic, 'DECODE_FAILED'])
    },
  )

  // All headers of both letters were taken away, and of one in the envelope of a host the wrong value was put back.
  test.each(['headers', 'json', 'rivven', 'conveyor'] as const)(
    'in %s of a record that was a dead letter before gives that letter back',
    (envelope) => {
      const first = toLetter('headers', failureOf(record), 'orders', TIME)
      const again = read(envelope, failureOf({ ...record, headers: first.headers! }))
      const { record: back } = fromLetter(again)!
      expect(back.value?.toString()).toBe(record.value)
      expect(back.headers.map(([name, content]) => [name, content?.toString() ?? null])).toEqual(
        first.headers!.map(([name, content]) => [name, content?.toString() ?? null]),
      )
    },
  )

  test.each(['{}', 'text', '[]', '{"topic":"t"}', '{"error":"x"}', '{"error":{},"topic":"t"}'])(
    'is not made of %s',
    (value) => {
      expect(fromLetter({ key: null, value: Buffer.from(value), headers: [] })).toBeUndefined()
    },
  )
})

describe('dead letters', () => {
  /** A sink in memory. */
  const sinkWith = (write: (batch: Batch) => void): Sink =>
    ({ write: async (batch: Batch) => write(batch) }) as unknown as Sink

  const failures = (): Failures => {
    const found = new Failures()
    const batch = batchOf([{ key: 'a', value: '1' }, { value: null, headers: [['h', 'v']] }, { value: '3' }])
    for (const row of [0, 1]) found.add(batch, row, new DecodeError('value', 'bad', { component: 'json' }))
    return found
  }
  const never = new AbortController().signal

  test('reach a sink as one batch, in order, and are counted', async () => {
    const written: unknown[] = []
    const sink = sinkWith((batch) => {
      for (let row = 0; row < batch.length; row++)
        written.push([
          batch.key(row)?.toString(),
          batch.value(row)?.toString(),
          batch
            .headers(row)
            .find(([name]) => name.endsWith('.offset'))![1]!
            .toString(),
        ])
      expect(batch.origin.partitionCount).toBe(0)
    })
    const errors = new ErrorHandling({ fate: 'deadLetter' }, new DeadLetters(sink, 'headers', 'orders'))
    await errors.dispose(failures(), never)
    expect(written).toEqual([
      ['a', '1', '100'],
      [undefined, undefined, '101'],
    ])
    expect(errors.progress).toEqual({ skipped: {}, deadLettered: { DECODE_FAILED: 2 }, retried: {} })
  })

  test('that cannot be written end the run, count nothing, and say what they were about', async () => {
    const sink = sinkWith(() => {
      throw new DeliveryError('the disk is full')
    })
    const errors = new ErrorHandling({ fate: 'deadLetter' }, new DeadLetters(sink, 'json', 'orders'))
    await expect(errors.dispose(failures(), never)).rejects.toMatchObject({
      code: 'DEAD_LETTER_FAILED',
      topic: 'orders',
      offset: 100n,
      message: expect.stringMatching(/offset 100 of "orders" partition 3.*the disk is full.*DECODE_FAILED: bad/),
    })
    expect(errors.progress.deadLettered).toEqual({})
  })
})
