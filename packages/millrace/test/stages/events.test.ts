import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/records/batch.ts'
import { createStage } from '../../src/stages/index.ts'
import { batchOf } from '../support/batches.ts'

function run(batch: Batch | undefined, ...stages: readonly [name: string, spec: unknown][]): Batch | undefined {
  return stages.reduce(
    (current, [name, spec]) => current && createStage(name, spec, 'stages.0').process(current),
    batch,
  )
}

function recordsOf(batch: Batch | undefined): unknown[] {
  return Array.from({ length: batch?.length ?? 0 }, (_, row) => {
    const { key, value, headers, timestampMs, offset } = batch!.record(row)
    return {
      key: key?.toString() ?? null,
      value: value?.toString('latin1') ?? null,
      headers: headers.map(([name, text]) => [name, text?.toString() ?? null]),
      timestampMs,
      offset,
    }
  })
}

describe('$toEvent and $fromEvent', () => {
  test('return the records that went in', () => {
    const text = fc.string()
    const value = fc.oneof(
      fc.jsonValue().map((json) => JSON.stringify(json)),
      text.map((part) => `x${part}x`),
      fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from([255, ...bytes])),
    )
    const record = fc.record({
      key: fc.option<string | Buffer>(
        fc.oneof(
          text,
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
      ),
      value: fc.option<string | Buffer>(value),
      headers: fc.array(fc.tuple(text, fc.option(text))),
      timestampMs: fc.nat(),
    })
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), (records) => {
        const batch = batchOf(records)
        const there = run(batch, ['$toEvent', {}])
        for (let row = 0; row < batch.length; row++)
          expect(JSON.parse(there!.value(row)!.toString())).toMatchObject({
            event_type: 'record',
            stream: 'orders',
            metadata: { kafka_partition: 3, kafka_offset: 100 + row },
          })
        expect(recordsOf(run(there, ['$fromEvent', {}]))).toEqual(recordsOf(batch))
      }),
    )
  })

  test('take out rows and keep the place of the others', () => {
    const batch = batchOf(['{"n":1}', '{"n":2,"status":"paid"}', '{"n":12345678901234567890,"status":"paid"}'])
    const transforms = [
      { type: 'filter', config: { field: 'status', equals: 'paid' } },
      { type: 'remove_field', config: { field: 'status' } },
    ]
    const out = run(batch, ['$toEvent', { transforms }], ['$fromEvent', {}])
    expect(recordsOf(out)).toMatchObject([
      { value: '{"n":2}', offset: 101n },
      { value: '{"n":12345678901234567890}', offset: 102n },
    ])
    expect(
      run(batch, ['$toEvent', { transforms: [{ type: 'filter', config: { field: 'x', equals: 'y' } }] }]),
    ).toBeUndefined()
  })

  test('work on what stages before them made, and for stages after them', () => {
    const batch = batchOf(['{"n":1}'])
    batch.documents = [{ n: 1 }]
    const out = run(
      batch,
      ['$set', { m: 2 }],
      ['$toEvent', { stream: 's' }],
      ['$set', { 'data.k': 3 }],
      ['$fromEvent', {}],
      ['$set', { last: true }],
    )
    expect(out!.documents).toEqual([{ n: 1, m: 2, k: 3, last: true }])
  })
})

describe('$fromEvent', () => {
  const event = (rest: object): string =>
    JSON.stringify({
      event_type: 'record',
      stream: 'orders',
      timestamp: 'T',
      data: { id: 7, name: 'Ann', at: { x: null } },
      ...rest,
    })

  test.each([
    { keyField: 'name', key: 'Ann' },
    { keyField: 'id', key: '7' },
    { keyField: 'at', key: '{"x":null}' },
    { keyField: 'at.x', key: 'null' },
    { keyField: 'none', key: null },
  ])('takes the key from $keyField', ({ keyField, key }) => {
    expect(recordsOf(run(batchOf([{ key: 'old', value: event({}) }]), ['$fromEvent', { keyField }]))).toMatchObject([
      { key },
    ])
  })

  // They became 1 and 1000.
  test.each(['1.0', '1e3'])('takes the key %s with its own digits', (digits) => {
    const value = event({}).replace('"id":7', `"id":${digits}`)
    expect(recordsOf(run(batchOf([{ value }]), ['$fromEvent', { keyField: 'id' }]))).toMatchObject([{ key: digits }])
  })

  test('keeps the key of a tombstone', () => {
    const tombstone = event({ data: null, metadata: { kafka_encoding: 'tombstone' } })
    expect(recordsOf(run(batchOf([{ key: 'k', value: tombstone }]), ['$fromEvent', { keyField: 'id' }]))).toMatchObject(
      [{ key: 'k', value: null }],
    )
  })

  test('adds headers before those of the record', () => {
    const value = event({ namespace: 'kafka', metadata: { position: 'orders:0:1' } })
    const out = run(batchOf([{ value, headers: [['own', '1']] }]), [
      '$fromEvent',
      { customHeaders: { source: 'rivven' }, includeHeaders: true },
    ])
    expect(recordsOf(out)).toMatchObject([
      {
        headers: [
          ['source', 'rivven'],
          ['rivven_stream', 'orders'],
          ['rivven_event_type', 'record'],
          ['rivven_namespace', 'kafka'],
          ['rivven_position', 'orders:0:1'],
          ['own', '1'],
        ],
      },
    ])
  })

  test('drops events without a record and passes what is no event', () => {
    const values = [event({ event_type: 'state' }), event({ event_type: 'insert' }), '{"plain":1}', 'text', null]
    expect(recordsOf(run(batchOf(values), ['$fromEvent', {}]))).toMatchObject([
      { value: '{"id":7,"name":"Ann","at":{"x":null}}' },
      { value: '{"plain":1}' },
      { value: 'text' },
      { value: null },
    ])
  })

  test('takes the key from what is not an event too', () => {
    expect(recordsOf(run(batchOf(['{"id":1}', 'text']), ['$fromEvent', { keyField: 'id' }]))).toMatchObject([
      { key: '1', value: '{"id":1}' },
      { key: null, value: 'text' },
    ])
  })
})

// What a stage before $toEvent changed was written as JavaScript writes numbers: 2.0 became 2.
test('$toEvent keeps the digits of numbers that a stage before it left alone', () => {
  const batch = batchOf(['{"p":1.234567890123456789,"q":2.0}'])
  batch.documents = [JSON.parse(batch.value(0)!.toString())]
  const made = run(batch, ['$set', { s: 1 }], ['$toEvent', { includePosition: false }])
  expect(made!.value(0)!.toString()).toContain('"data":{"p":1.234567890123456789,"q":2.0,"s":1}')
})
