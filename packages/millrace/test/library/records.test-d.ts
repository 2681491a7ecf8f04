/** What the types of records say to people who write programs: `tsc` checks this file, and nothing runs it. */
import { expectTypeOf } from 'vitest'
import {
  type Batch,
  type ConsumerRecord,
  exactlyOnce,
  isMillraceError,
  KafkaSink,
  KafkaSource,
  type MillraceError,
  type SendResult,
  type Transaction,
} from '../../src/index.ts'

interface Order {
  readonly id: number
}
const bootstrapServers = 'localhost:9092'
const order = (bytes: Buffer): Order => JSON.parse(bytes.toString()) as Order

export async function reading(): Promise<void> {
  const plain = new KafkaSource({ bootstrapServers, topics: 'orders' })
  for await (const record of plain) expectTypeOf(record).toEqualTypeOf<ConsumerRecord<Buffer, Buffer>>()
  const decoded = new KafkaSource({ bootstrapServers, topics: 'orders', decode: { value: order } })
  for await (const { key, value, offset, timestampMs } of decoded) {
    expectTypeOf(key).toEqualTypeOf<Buffer | null>()
    // Null is a tombstone, so that every program has to say what it does with one.
    expectTypeOf(value).toEqualTypeOf<Order | null>()
    expectTypeOf(offset).toEqualTypeOf<bigint>()
    expectTypeOf(timestampMs).toEqualTypeOf<number>()
  }
  await decoded.process(({ value }, { attempt, signal }) => {
    expectTypeOf(value).toEqualTypeOf<Order | null>()
    expectTypeOf(attempt).toEqualTypeOf<number>()
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
  })
  for await (const batch of decoded.batches()) expectTypeOf(batch).toEqualTypeOf<Batch>()
  expectTypeOf(await decoded.poll()).toEqualTypeOf<ConsumerRecord<Buffer, Order>[]>()
}

export async function writing(): Promise<void> {
  const orders = new KafkaSink<Order>({ bootstrapServers, topic: 'orders' })
  await orders.send({ value: { id: 1 }, key: 'o-1', headers: { region: 'eu' } })
  // @ts-expect-error -- not an order
  await orders.send({ value: { name: 'x' } })
  // @ts-expect-error -- a record has a value
  await orders.send({ key: 'o-1' })
  expectTypeOf(await orders.sendBatch([{ value: { id: 1 } }])).toExtend<readonly SendResult[]>()
  const plain = new KafkaSink({ bootstrapServers, topic: 'orders' })
  await plain.write([{ value: 'text' }, { value: Buffer.from('bytes') }, { value: null }])
  // @ts-expect-error -- without a type of its values a sink takes text and bytes
  await plain.write([{ value: { id: 1 } }])
  const source = new KafkaSource({ bootstrapServers, topics: 'orders', groupId: 'g', decode: { value: order } })
  await exactlyOnce(source, orders, (batch, transaction) => {
    expectTypeOf(batch).toEqualTypeOf<Batch>()
    expectTypeOf(transaction).toEqualTypeOf<Transaction<Order>>()
  })
}

export function failing(error: unknown): void {
  if (isMillraceError(error)) expectTypeOf(error).toEqualTypeOf<MillraceError>()
  // @ts-expect-error -- a code that does not exist
  if (isMillraceError(error) && error.code === 'NO_SUCH_CODE') throw error
}
