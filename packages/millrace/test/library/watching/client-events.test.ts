import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test, vi } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { KafkaSink, KafkaSource, type Logger, type SinkEvents, type SourceEvents } from '../../../src/index.ts'
import { ClientEvents } from '../../../src/library/watching/client-events.ts'
import { EVENTS, type Event, type ListenerName } from '../../../src/metrics/events.ts'

let broker: EmbeddedBroker
beforeAll(async () => {
  broker = await startBroker({
    topics: { orders: 2, listened: 1, watched: 1, logged: 1, hostile: 1, transactional: 1 },
  })
})
afterAll(() => broker.close())

test('each name that a program may listen to is in the table of events, and no other', () => {
  expectTypeOf<ListenerName<'source'> | 'warning'>().toEqualTypeOf<keyof SourceEvents>()
  expectTypeOf<ListenerName<'sink'> | 'warning'>().toEqualTypeOf<keyof SinkEvents>()
})

describe('events of clients', () => {
  test('a source reports connections, rebalances, what it fetches and what it commits', async () => {
    await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'orders' })
    await sink.write([{ value: 'a', partition: 0 }, { value: 'b', partition: 0 }, { value: 'c', partition: 1 }]) // prettier-ignore
    const source = new KafkaSource({
      bootstrapServers: broker.bootstrapServers,
      topics: 'orders',
      groupId: 'events',
      clientId: 'reader',
      untilEnd: true,
    })
    const happened: [string, object][] = []
    const names = ['connected', 'disconnected', 'brokerConnected', 'fetched', 'committed', 'rebalanced'] as const
    for (const name of names) source.on(name, (facts) => void happened.push([name, facts]))
    for await (const { value } of source) expect(value).not.toBeNull()
    await source.close()
    const of = (name: string): object[] => happened.flatMap(([each, facts]) => (each === name ? [facts] : []))
    expect(of('connected')).toMatchObject([{ clientId: 'reader', brokers: [broker.bootstrapServers] }])
    expect(of('brokerConnected')).toContainEqual(expect.objectContaining({ broker: broker.bootstrapServers }))
    expect(of('rebalanced')).toContainEqual(
      expect.objectContaining({
        group: 'events',
        type: 'assigned',
        partitions: [
          { topic: 'orders', partition: 0 },
          { topic: 'orders', partition: 1 },
        ],
      }),
    )
    expect(of('fetched')).toContainEqual(
      expect.objectContaining({ clientId: 'reader', topic: 'orders', partition: 0, offset: 0n, records: 2 }),
    )
    expect(of('committed').at(-1)).toMatchObject({
      offsets: expect.arrayContaining([{ topic: 'orders', partition: 0, offset: 2n }]) as unknown,
    })
    expect(happened.at(-1)).toEqual(['disconnected', { event: 'client.disconnected', clientId: 'reader' }])
  })

  test('a sink reports what it writes, what fails, and its transactions', async () => {
    const { bootstrapServers } = broker
    await using sink = new KafkaSink({ bootstrapServers, topic: 'listened', transactionalId: 'teller' })
    const happened: unknown[] = []
    sink.on('written', ({ records }) => happened.push(records))
    sink.on('failed', ({ code }) => happened.push(code))
    sink.on('transaction', ({ state }) => happened.push(state))
    await expect(sink.send({ value: 'too early' })).rejects.toThrow('no transaction is open')
    await sink.beginTransaction()
    await sink.write([{ value: 'a' }, { value: 'b' }])
    await sink.commitTransaction()
    await sink.beginTransaction()
    await sink.abortTransaction()
    expect(happened).toEqual(['TRANSACTION_FAILED', 'begun', 2, 'committed', 'begun', 'aborted'])
  })

  test('a listener that was taken off hears nothing more', async () => {
    await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'listened' })
    const listener = vi.fn()
    sink.on('written', listener)
    await sink.send({ value: 'a' })
    sink.off('written', listener)
    await sink.send({ value: 'b' })
    expect(listener).toHaveBeenCalledTimes(1)
  })

  test('everything is on a channel, with the client that it is about', async () => {
    const got: unknown[] = []
    const listen = (message: unknown): void => void got.push(message)
    const channels = ['client.connected', 'records.written', 'records.fetched', 'client.disconnected'] as const
    for (const name of channels) subscribe(`millrace:${name}`, listen)
    const { bootstrapServers } = broker
    const sink = new KafkaSink({ bootstrapServers, topic: 'watched', clientId: 'w' })
    await sink.send({ value: 'a' })
    await sink.close()
    await using source = new KafkaSource({ bootstrapServers, topics: 'watched', clientId: 'r', untilEnd: true })
    for await (const batch of source.batches()) batch.ack()
    for (const name of channels) unsubscribe(`millrace:${name}`, listen)
    expect(got).toMatchObject([
      { event: 'client.connected', facts: { clientId: 'w' } },
      { event: 'records.written', facts: { clientId: 'w', records: 1 } },
      { event: 'client.disconnected', facts: { clientId: 'w' } },
      { event: 'client.connected', facts: { clientId: 'r' } },
      { event: 'records.fetched', facts: { clientId: 'r', topic: 'watched', records: 1 } },
    ])
  })
})

describe('what a program passes', () => {
  const hostile: Logger = {
    debug: () => fail(),
    info: () => fail(),
    warn: () => fail(),
    error: () => fail(),
    isLevelEnabled: () => fail(),
  }
  function fail(): never {
    throw new Error('hostile')
  }

  test('listeners and a logger that throw change nothing of what is read and written', async () => {
    const { bootstrapServers } = broker
    await using sink = new KafkaSink({ bootstrapServers, topic: 'hostile', logger: hostile })
    for (const name of ['connected', 'written', 'brokerConnected'] as const) sink.on(name, fail)
    sink.on('written', async () => fail())
    await sink.write([{ value: 'a' }, { value: 'b' }])
    await using source = new KafkaSource({
      bootstrapServers,
      topics: 'hostile',
      groupId: 'hostile',
      untilEnd: true,
      logger: hostile,
    })
    for (const name of ['connected', 'fetched', 'committed', 'rebalanced', 'disconnected'] as const)
      source.on(name, fail)
    const values: string[] = []
    for await (const { value } of source) values.push(String(value))
    expect(values).toEqual(['a', 'b'])
  })

  test('what a listener throws is an error in the log', () => {
    const errors: unknown[] = []
    const logger: Logger = {
      debug() {},
      info() {},
      warn() {},
      error: (facts, message) => errors.push([facts, message]),
    }
    const events = new ClientEvents<SourceEvents>('source', { logger })
    events.on('fetched', fail)
    events.report('Read', { event: 'records.fetched' })
    expect(errors).toEqual([[{ event: 'warning' }, 'A listener of the event "fetched" failed: hostile']])
  })

  test('a logger of pino gets the level of each event, and those of the level debug when it wants them', async () => {
    const lines: { readonly level: number; readonly event: string }[] = []
    const logger = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line) as never) })
    const { bootstrapServers } = broker
    const write = async (): Promise<void> => {
      await using sink = new KafkaSink({ bootstrapServers, topic: 'logged', logger })
      await sink.send({ value: 'a' })
    }
    await write()
    const { labels } = pino.levels
    expect(lines.length).toBeGreaterThan(3)
    for (const { level, event } of lines)
      expect(labels[level]).toBe((EVENTS as { readonly [name: string]: Event })[event]!.level)
    expect(lines.map(({ event }) => event)).toContain('records.written')
    lines.length = 0
    logger.level = 'info'
    await write()
    expect(lines.map(({ event }) => event)).toEqual(['client.connected', 'client.disconnected'])
  })

  test('console is a logger, and gets no message for each batch', async () => {
    const info = vi.spyOn(console, 'info').mockImplementation(() => {})
    const debug = vi.spyOn(console, 'debug').mockImplementation(() => {})
    await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'logged', logger: console })
    await sink.send({ value: 'a' })
    expect(info.mock.calls).toMatchObject([[{ event: 'client.connected' }, expect.stringContaining('Connected to')]])
    expect(debug).not.toHaveBeenCalled()
    await sink.close()
    vi.restoreAllMocks()
  })
})
