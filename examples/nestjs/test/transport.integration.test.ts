import 'reflect-metadata'
import { Controller, type INestMicroservice, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices'
import { KafkaSource } from 'millrace'
import { startBroker } from 'millrace/broker'
import { firstValueFrom, of, toArray } from 'rxjs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { KafkaClient } from '../src/kafka-client.ts'
import { type KafkaRecordContext, KafkaServer } from '../src/kafka-server.ts'

const created: { readonly amount: number; readonly key: string | undefined }[] = []
let attempts = 0

@Controller()
class Orders {
  @EventPattern<string>('orders.created')
  onCreated(@Payload() { amount }: { readonly amount: number }, @Ctx() { record }: KafkaRecordContext): void {
    created.push({ amount, key: record.key?.toString() })
  }

  @EventPattern<string>('orders.broken')
  onBroken(): void {
    attempts++
    throw new Error('no')
  }

  @MessagePattern('orders.total')
  total(@Payload() amounts: readonly number[]): number {
    if (amounts.length === 0) throw new RpcException('there are no orders')
    return amounts.reduce((sum, amount) => sum + amount, 0)
  }

  @MessagePattern('orders.count')
  count(@Payload() upTo: number): unknown {
    return of(...Array.from({ length: upTo }, (_, i) => i + 1))
  }
}

@Module({ controllers: [Orders] })
class AppModule {}

let broker: Awaited<ReturnType<typeof startBroker>>
let app: INestMicroservice
let client: KafkaClient

beforeAll(async () => {
  const topics = ['orders.created', 'orders.broken', 'orders.total', 'orders.count', 'replies', 'orders.dead']
  broker = await startBroker({ topics: Object.fromEntries(topics.map((topic) => [topic, { partitions: 2 }])) })
  const { bootstrapServers } = broker
  app = await NestFactory.createMicroservice(AppModule, {
    strategy: new KafkaServer({
      source: { bootstrapServers, groupId: 'billing' },
      process: { concurrency: 8, orderBy: 'key', retry: { attempts: 1, backoffMs: 1, deadLetter: 'orders.dead' } },
    }),
    logger: false,
  })
  await app.listen()
  client = new KafkaClient({ bootstrapServers, replyTopic: 'replies' })
})
afterAll(async () => {
  await client.close()
  await app.close()
  await broker.close()
})

test('an event comes to its handler, with key and record', async () => {
  await firstValueFrom(client.emit('orders.created', { key: 'o-1', value: { amount: 12 } }))
  await vi.waitFor(() => expect(created).toEqual([{ amount: 12, key: 'o-1' }]), 10_000)
})

test('a request is answered; each waits for its own reply', async () => {
  const requests = [
    [1, 2],
    [3, 4],
    [5, 6],
  ]
  const totals = requests.map((amounts) => firstValueFrom(client.send<number>('orders.total', amounts)))
  expect(await Promise.all(totals)).toEqual([3, 7, 11])
})

test('several replies come in their order', async () => {
  expect(await firstValueFrom(client.send<number>('orders.count', 3).pipe(toArray()))).toEqual([1, 2, 3])
})

test('an error of a handler is an error of the request', async () => {
  await expect(firstValueFrom(client.send('orders.total', []))).rejects.toMatchObject({
    message: 'there are no orders',
  })
})

test('an event whose handler fails is tried again, and becomes a dead letter', async () => {
  await firstValueFrom(client.emit('orders.broken', { amount: 1 }))
  await using letters = new KafkaSource({ bootstrapServers: broker.bootstrapServers, topics: 'orders.dead' })
  const [letter] = await letters.poll({ timeoutMs: 10_000 })
  expect(letter!.value!.toString()).toBe('{"amount":1}')
  expect(attempts).toBe(2)
})
