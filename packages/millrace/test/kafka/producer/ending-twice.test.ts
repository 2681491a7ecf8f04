/** Calls that end a transaction while another one does, or while a call still waits to write. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { Producer } from '../../../src/kafka/producer/producer.ts'
import { batchOf } from '../../support/batches.ts'
import { producerOptions } from '../../support/producer-options.ts'

describe('a transaction', () => {
  let kafka: EmbeddedBroker
  let cluster: Cluster
  let producer: Producer

  beforeEach(async () => {
    kafka = await startBroker({ topics: { t: 1 } })
    cluster = new Cluster({ bootstrapServers: [kafka.bootstrapServers], clientId: 'test', retryBackoffMs: 5 })
    producer = new Producer(cluster, producerOptions({ lingerMs: 0, bufferBytes: 16_384, batchBytes: 16_384 }), {
      transactionalId: 'tx',
      timeoutMs: undefined,
    })
    await producer.open()
    producer.beginTransaction()
  })
  afterEach(async () => {
    kafka.clearFaults()
    await producer.close(AbortSignal.abort())
    await cluster.close()
    await kafka.close()
  })

  const values = async (): Promise<string[]> =>
    (await kafka.topic('t').records()).map(({ value }) => String(value).slice(0, 5))

  // The first of them never ended: it was forgotten who waited for the requests under way.
  test('that is aborted by two calls is aborted once, and neither waits for ever', async () => {
    const held = kafka.on('Produce').once().hold()
    const lost = producer.write([{ value: 'lost' }], 't')
    await held.entered
    const aborts = [producer.abortTransaction(), producer.abortTransaction()]
    const endings = Promise.allSettled(aborts)
    held.release()
    expect((await endings).map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect((await lost).failures.size).toBe(1)
    producer.beginTransaction()
    await producer.write([{ value: 'kept' }], 't')
    await producer.commitTransaction(() => undefined)
    expect(await values()).toEqual(['kept'])
  })

  // What was written in the next transaction failed as if that had been aborted.
  test.each(Array.from({ length: 12 }, (_, ticks) => ticks))(
    'that is committed and aborted at nearly the same time ends once, and the next one begins (%i ticks apart)',
    async (ticks) => {
      await producer.write([{ value: 'first' }], 't')
      const commit = producer.commitTransaction(() => undefined)
      commit.catch(() => {})
      for (let i = 0; i < ticks; i++) await Promise.resolve()
      const endings = await Promise.allSettled([commit, (async () => producer.abortTransaction())()])
      expect(endings.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      producer.beginTransaction()
      expect((await producer.write([{ value: 'second' }], 't')).failures.size).toBe(0)
      await producer.commitTransaction(() => undefined)
      expect(await values()).toEqual(endings[0].status === 'fulfilled' ? ['first', 'secon'] : ['secon'])
    },
  )

  // The signal was looked at when the call before had its memory, after two minutes perhaps.
  test('whose commit waits behind a call that waits for memory is given up when the signal says so', async () => {
    const held = kafka.on('Produce').hold()
    const writes = ['a', 'b'].map((value) => producer.write([{ value: value.repeat(10_000) }], 't'))
    const settled = Promise.allSettled(writes)
    await held.entered
    const stop = new AbortController()
    const commit = producer.commitTransaction(() => undefined, stop.signal)
    stop.abort()
    await expect(Promise.race([commit, new Promise((resolve) => setImmediate(resolve))])).rejects.toMatchObject({
      code: 'ABORTED',
    })
    const aborted = producer.abortTransaction()
    held.release()
    await aborted
    await settled
    producer.beginTransaction()
    await producer.write([{ value: 'kept' }], 't')
    await producer.commitTransaction(() => undefined)
    expect(await values()).toEqual(['kept'])
  })
})

// What was behind the first batch failed with the transaction and once more behind it, and its memory was freed while it was kept for the
// next batches: "A record does not fit into the batch that was created for it". No pipeline combines the two.
test('what fails in a transaction with what is before it fails once, so that the next transaction can be written', async () => {
  await using kafka = await startBroker({ topics: { t: 1 } })
  const cluster = new Cluster({ bootstrapServers: [kafka.bootstrapServers], clientId: 'test', retryBackoffMs: 5 })
  const options = producerOptions({ lingerMs: 0, compression: 'none', batchBytes: 16_384, failsFollowing: true })
  const producer = new Producer(cluster, options, { transactionalId: 'tx', timeoutMs: undefined })
  await producer.open()
  producer.beginTransaction()
  kafka.on('Produce').once().fail('INVALID_RECORD')
  const values = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(1000, 'x'))
  const write = (): Promise<void> => producer.writeBatch(batchOf(values), { topic: 't' })
  await expect(write()).rejects.toMatchObject({ code: 'BATCH_FAILED' })
  await producer.abortTransaction()
  producer.beginTransaction()
  await write()
  await producer.commitTransaction(() => undefined)
  await producer.close()
  await cluster.close()
  expect((await kafka.topic('t').records()).map(({ value }) => String(value))).toEqual(values)
})
