/** What calls of a `KafkaSink` may expect of their order, and of the transaction in which they are made. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../src/broker/index.ts'
import { exactlyOnce, KafkaSink, type KafkaSinkOptions, KafkaSource } from '../../src/index.ts'

const broker = (): Promise<EmbeddedBroker> => startBroker({ topics: { input: 1, t: 1 } })

const sinkOf = ({ bootstrapServers }: EmbeddedBroker, options: Partial<KafkaSinkOptions<string>> = {}) =>
  new KafkaSink<string>({ bootstrapServers, topic: 't', ...options })

async function valuesOf(kafka: EmbeddedBroker): Promise<string[]> {
  return (await kafka.topic('t').records()).map(({ value }) => String(value))
}

/** Serializes when the test says so. */
function slowSerializer(): { serializer: KafkaSinkOptions<string>['serializer'] & object; finish: () => void } {
  const finished = Promise.withResolvers<void>()
  const serialize = async (value: string): Promise<string> => {
    await finished.promise
    return value
  }
  return { serializer: { contentType: 'text/plain', serialize }, finish: finished.resolve }
}

describe('calls are written in their order', () => {
  // A call with a signal waited longer for the connection by some turns of the microtask queue: b, d, a, c.
  test('some with a signal, while the sink connects', async () => {
    await using kafka = await broker()
    await using sink = sinkOf(kafka)
    const { signal } = new AbortController()
    const options = [{ signal }, {}, { signal }, {}]
    await Promise.all(options.map((each, i) => sink.send({ value: `${i}` }, each)))
    expect(await valuesOf(kafka)).toEqual(['0', '1', '2', '3'])
  })

  // The tombstone needs no serializer, and overtook the value: what was deleted was there again.
  test('a value that was serialized slowly, while the sink connects, and a tombstone', async () => {
    await using kafka = await broker()
    const { serializer, finish } = slowSerializer()
    await using sink = sinkOf(kafka, { serializer })
    const connecting = kafka.on('InitProducerId').once().hold()
    const value = sink.send({ key: 'k', value: 'v' })
    await connecting.entered
    finish()
    await sleep(1)
    const tombstone = sink.send({ key: 'k', value: null })
    connecting.release()
    await Promise.all([value, tombstone])
    expect(await valuesOf(kafka)).toEqual(['v', 'null'])
  })

  test('one that is given up while the sink connects holds up no other', async () => {
    await using kafka = await broker()
    await using sink = sinkOf(kafka)
    const connecting = kafka.on('InitProducerId').once().hold()
    const stop = new AbortController()
    const calls = [
      sink.send({ value: 'a' }),
      sink.send({ value: 'b' }, { signal: stop.signal }),
      sink.send({ value: 'c' }),
    ]
    await connecting.entered
    stop.abort()
    await expect(calls[1]).rejects.toMatchObject({ code: 'ABORTED' })
    connecting.release()
    await Promise.all([calls[0], calls[2]])
    expect(await valuesOf(kafka)).toEqual(['a', 'c'])
  })
})

describe('a record whose value is still being serialized', () => {
  // The commit did not wait for it, and it became part of the next transaction.
  test('is part of the transaction that is committed', async () => {
    await using kafka = await broker()
    const { serializer, finish } = slowSerializer()
    await using sink = sinkOf(kafka, { transactionalId: 'tx', serializer })
    await sink.beginTransaction()
    const write = sink.write([{ value: 'a' }])
    const commit = sink.commitTransaction()
    finish()
    await commit
    expect((await write).failures.size).toBe(0)
    expect(await valuesOf(kafka)).toEqual(['a'])
  })

  test('fails when the transaction is aborted, and is not part of the next one', async () => {
    await using kafka = await broker()
    const { serializer, finish } = slowSerializer()
    await using sink = sinkOf(kafka, { transactionalId: 'tx', serializer })
    await sink.beginTransaction()
    const write = sink.write([{ value: 'a' }])
    await sink.abortTransaction()
    await sink.beginTransaction()
    finish()
    await expect(write).rejects.toMatchObject({ code: 'TRANSACTION_FAILED', fatal: false })
    await sink.write([{ value: 'b' }])
    await sink.commitTransaction()
    expect(await valuesOf(kafka)).toEqual(['b'])
  })
})

describe('a call that is made while a transaction is being committed', () => {
  test('is refused, and is not part of the next one', async () => {
    await using kafka = await broker()
    await using sink = sinkOf(kafka, { transactionalId: 'tx' })
    await sink.beginTransaction()
    const producing = kafka.on('Produce').once().hold()
    const write = sink.write([{ value: 'a' }])
    const commit = sink.commitTransaction()
    await producing.entered
    await expect(sink.write([{ value: 'b' }])).rejects.toMatchObject({ code: 'TRANSACTION_FAILED', fatal: false })
    producing.release()
    await Promise.all([write, commit])
    expect(await valuesOf(kafka)).toEqual(['a'])
  })
})

// `sendBatch` reported the failure as a result, and the commit that followed succeeded without those records.
test('a transaction of which a call was refused by the circuit breaker cannot be committed', async () => {
  await using kafka = await broker()
  await using sink = sinkOf(kafka, { transactionalId: 'tx', maxRetries: 0, circuitBreakerThreshold: 2 })
  await sink.beginTransaction()
  kafka.on('Produce').fail('NOT_ENOUGH_REPLICAS')
  for (let i = 0; i < 10 && sink.circuitBreaker?.state !== 'open'; i++) {
    await sink.sendBatch([{ value: 'a' }])
    await sink.abortTransaction()
    await sink.beginTransaction()
  }
  kafka.clearFaults()
  const [result] = await sink.sendBatch([{ value: 'b' }])
  expect(result?.error?.code).toBe('CIRCUIT_OPEN')
  await expect(sink.commitTransaction()).rejects.toMatchObject({ code: 'TRANSACTION_FAILED', fatal: false })
  await sink.abortTransaction()
})

describe('closing while a transaction is being committed', () => {
  test.each(['Produce', 'EndTxn'] as const)('waits for its end when %s is under way', async (api) => {
    await using kafka = await broker()
    const sink = sinkOf(kafka, { transactionalId: 'tx' })
    await sink.beginTransaction()
    const held = kafka.on(api).once().hold()
    const write = sink.write([{ value: 'a' }])
    const commit = sink.commitTransaction()
    const closed = sink.close()
    await held.entered
    held.release()
    await Promise.all([write, commit, closed])
    expect(await valuesOf(kafka)).toEqual(['a'])
  })
})

// The run had begun a transaction when it ended, and the next run could not begin its own.
test('a sink can be used again after exactlyOnce has ended', async () => {
  await using kafka = await broker()
  const { bootstrapServers } = kafka
  await using feed = new KafkaSink({ bootstrapServers, topic: 'input' })
  await feed.write([{ value: 'a' }, { value: 'b' }])
  await using sink = sinkOf(kafka, { transactionalId: 'tx' })
  for (const groupId of ['first', 'second']) {
    await using source = new KafkaSource({
      bootstrapServers,
      topics: 'input',
      groupId,
      autoOffsetReset: 'earliest',
      untilEnd: true,
    })
    await exactlyOnce(source, sink, (batch, transaction) => {
      for (let row = 0; row < batch.length; row++) void transaction.write([{ value: String(batch.value(row)) }])
    })
  }
  await sink.beginTransaction()
  await sink.write([{ value: 'c' }])
  await sink.commitTransaction()
  expect(await valuesOf(kafka)).toEqual(['a', 'b', 'a', 'b', 'c'])
})
