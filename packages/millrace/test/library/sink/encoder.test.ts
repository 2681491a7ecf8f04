import { describe, expect, test } from 'vitest'
import { EncodeError } from '../../../src/errors/index.ts'
import { SinkMessage, type SinkRecord } from '../../../src/library/sink/message.ts'
import { RecordEncoder } from '../../../src/library/sink/encoder.ts'
import { JsonSerializer, type MessageSerializer } from '../../../src/library/sink/serializers.ts'

function encoder(serializer?: MessageSerializer<unknown>, needsPartition = false): RecordEncoder<unknown> {
  return new RecordEncoder(serializer, 't', needsPartition)
}

const TYPE = ['content-type', 'application/json'] as const

describe('values without a serializer', () => {
  test.each<{ name: string; record: SinkRecord<unknown>; value: unknown; headers?: unknown }>([
    { name: 'text stays', record: { value: '{"a":1}' }, value: '{"a":1}' },
    { name: 'bytes stay', record: { value: Buffer.from('x') }, value: Buffer.from('x') },
    { name: 'a tombstone stays', record: { value: null }, value: null },
    { name: 'an object is JSON', record: { value: { a: 1 } }, value: '{"a":1}', headers: [TYPE] },
    { name: 'a number is JSON', record: { value: 1.5 }, value: '1.5', headers: [TYPE] },
    {
      name: 'headers may be an object',
      record: { value: 'x', headers: { a: '1', b: null } },
      value: 'x',
      headers: [
        ['a', '1'],
        ['b', null],
      ],
    },
    {
      name: 'a content type of the record stays',
      record: { value: { a: 1 }, headers: { 'Content-Type': 'mine' } },
      value: '{"a":1}',
      headers: [['Content-Type', 'mine']],
    },
  ])('$name', ({ record, value, headers }) => {
    const [encoded] = encoder().encode([record]) as readonly SinkRecord[]
    expect(encoded!.value).toEqual(value)
    expect(encoded!.headers).toEqual(headers)
  })

  test('are passed on as they are, with their array, where nothing is to be done', () => {
    const records = [{ value: 'a' }, { value: null, key: 'k', headers: [['h', 'v'] as const] }]
    expect(encoder().encode(records)).toBe(records)
  })

  test('and everything else of a record stay', () => {
    const message = new SinkMessage({ a: 1 })
      .withKey('k')
      .withTopic('other')
      .withPartition(2)
      .withHeader('a', '1')
      .withHeader('a', '2')
      .withTimestamp(new Date(1000))
    expect(encoder().encode([message])).toEqual([
      {
        key: 'k',
        value: '{"a":1}',
        topic: 'other',
        partition: 2,
        timestampMs: 1000,
        headers: [['a', '1'], ['a', '2'], TYPE],
      },
    ])
  })
})

describe('a serializer', () => {
  test('gets every value but tombstones, with the topic, and text too', () => {
    const seen: unknown[] = []
    const serializer = {
      contentType: 'application/custom',
      serialize: (value: unknown, topic: string | undefined) => {
        seen.push([value, topic])
        return 'x'
      },
    }
    const encoded = encoder(serializer).encode([{ value: 'text' }, { value: null }, { value: 1, topic: 'other' }])
    expect(seen).toEqual([
      ['text', 't'],
      [1, 'other'],
    ])
    expect(encoded).toMatchObject([
      { value: 'x' },
      { value: null },
      { headers: [['content-type', 'application/custom']] },
    ])
  })

  test('that fails fails its record only', () => {
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    const [first, second, third] = encoder(new JsonSerializer()).encode([
      { value: 'a' },
      { value: cyclic },
      { value: () => {} },
    ]) as readonly SinkRecord[]
    expect(first!.value).toBe('"a"')
    for (const failed of [second, third]) expect(failed!.value).toBeInstanceOf(EncodeError)
    expect(String(third!.value)).toContain(
      'Cannot serialize the value of a record: a value of type function has no JSON',
    )
  })

  test('may answer later, and later calls wait for it', async () => {
    const answers: ((text: string) => void)[] = []
    const serializer = {
      contentType: 'c',
      serialize: (value: unknown) =>
        value === 'now' ? 'now' : new Promise<string>((resolve) => answers.push(resolve)),
    }
    const late = encoder(serializer)
    const order: string[] = []
    const first = Promise.resolve(late.encode([{ value: 'later' }])).then(() => order.push('first'))
    const second = Promise.resolve(late.encode([{ value: 'now' }])).then(() => order.push('second'))
    answers[0]!('then')
    await Promise.all([first, second])
    expect(order).toEqual(['first', 'second'])
    expect(late.encode([{ value: 'now' }])).not.toBeInstanceOf(Promise)
  })

  test('that rejects fails its record', async () => {
    const serializer = { contentType: 'c', serialize: () => Promise.reject(new Error('no schema')) }
    const [failed] = (await encoder(serializer).encode([{ value: 1 }])) as readonly SinkRecord[]
    expect(String(failed!.value)).toContain('Cannot serialize the value of a record: no schema')
  })
})

test('with the custom strategy, a record without a partition is refused', () => {
  const [refused, taken] = encoder(undefined, true).encode([
    { value: 'a' },
    { value: 'b', partition: 0 },
  ]) as readonly SinkRecord[]
  expect(String(refused!.value)).toContain('Cannot write a record without a partition')
  expect(taken!.value).toBe('b')
})
