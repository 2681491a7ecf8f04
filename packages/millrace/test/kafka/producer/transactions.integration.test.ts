import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { KafkaSink } from '../../../src/index.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { Producer } from '../../../src/kafka/producer/producer.ts'
import { END_TXN, TXN_OFFSET_COMMIT } from '../../../src/kafka/protocol/transactions.ts'
import { bootstrapServers, brokerAvailable, proxiedBroker, ownBroker, uniqueName } from '../../support/broker.ts'
import { readTopic } from '../../support/read-topic.ts'
import { topicBed } from '../../support/topics.ts'
import { producerOptions } from '../../support/producer-options.ts'

const committed = { isolation: 'read_committed' }
const values = (...texts: readonly string[]): { value: string }[] => texts.map((value) => ({ value }))

describe.skipIf(!brokerAvailable)('transactions', () => {
  const bed = topicBed()
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()))
  })

  function sinkOf(topic: string, transactionalId = uniqueName('tx')): KafkaSink {
    const sink = new KafkaSink({ bootstrapServers: bootstrapServers(), topic, transactionalId })
    open.push(sink)
    return sink
  }

  test('shows readers of committed records what was committed, in order, and nothing of what was aborted', async () => {
    const topic = await bed().create({ partitions: 1 })
    const sink = sinkOf(topic)
    for (const [text, end] of [
      ['a', 'commit'],
      ['b', 'abort'],
      ['c', 'abort'],
      ['d', 'commit'],
      ['e', 'commit'],
    ] as const) {
      await sink.beginTransaction()
      await sink.write(values(`${text}1`, `${text}2`))
      await (end === 'commit' ? sink.commitTransaction() : sink.abortTransaction())
    }
    expect(await bed().values(topic, committed)).toEqual([['a1', 'a2', 'd1', 'd2', 'e1', 'e2']])
  })

  test('commits across partitions, and waits for what was not awaited', async () => {
    const topic = await bed().create({ partitions: 4 })
    const sink = sinkOf(topic)
    for (let round = 0; round < 20; round++) {
      await sink.beginTransaction()
      const writes = Array.from({ length: 4 }, (_, partition) => sink.write([{ value: `${round}`, partition }]))
      await sink.commitTransaction()
      for (const { failures } of await Promise.all(writes)) expect(failures.size).toBe(0)
    }
    const rounds = Array.from({ length: 20 }, (_, round) => `${round}`)
    expect(await bed().values(topic, committed)).toEqual([rounds, rounds, rounds, rounds])
  })

  test('a transaction without records commits and aborts', async () => {
    const topic = await bed().create()
    const sink = sinkOf(topic)
    await sink.beginTransaction()
    await sink.commitTransaction()
    await sink.beginTransaction()
    await sink.abortTransaction()
    await sink.beginTransaction()
    await sink.write(values('x'))
    await sink.commitTransaction()
    expect(await bed().values(topic, committed)).toEqual([['x']])
  })

  test.each([
    {
      name: 'write before begin',
      run: (sink: KafkaSink) => sink.write(values('x')),
      text: 'call beginTransaction first',
    },
    { name: 'commit before begin', run: (sink: KafkaSink) => sink.commitTransaction(), text: 'begin one first' },
    { name: 'abort before begin', run: (sink: KafkaSink) => sink.abortTransaction(), text: 'begin one first' },
    {
      name: 'begin twice',
      run: async (sink: KafkaSink) => (await sink.beginTransaction(), sink.beginTransaction()),
      text: 'already open',
    },
  ])('refuses $name', async ({ run, text }) => {
    const sink = sinkOf(await bed().create())
    await expect(run(sink)).rejects.toMatchObject({
      code: 'TRANSACTION_FAILED',
      fatal: false,
      message: expect.stringContaining(text) as string,
    })
  })

  test('refuses transactions without a transactional id', async () => {
    const sink = new KafkaSink({ bootstrapServers: bootstrapServers(), topic: await bed().create() })
    open.push(sink)
    await expect(sink.beginTransaction()).rejects.toMatchObject({
      code: 'TRANSACTION_FAILED',
      message: expect.stringContaining('set transactional.id') as string,
    })
  })

  test('a second sink of the same name fences the first, which never writes again (I5)', async () => {
    const topic = await bed().create()
    const id = uniqueName('tx')
    const [old, young] = [sinkOf(topic, id), sinkOf(topic, id)]
    await old.beginTransaction()
    await old.write(values('of the old one'))
    await young.beginTransaction()
    await young.write(values('of the new one'))
    await expect(old.commitTransaction()).rejects.toMatchObject({ code: 'PRODUCER_FENCED', fatal: true })
    await young.commitTransaction()
    for (const attempt of [old.beginTransaction(), old.abortTransaction(), old.commitTransaction()])
      await expect(attempt).rejects.toMatchObject({ fatal: true })
    expect(await bed().values(topic, committed)).toEqual([['of the new one']])
  })

  test('closing aborts an open transaction, so that readers need not wait for its end', async () => {
    const topic = await bed().create()
    const sink = sinkOf(topic)
    await sink.beginTransaction()
    await sink.write(values('gone'))
    await sink.close()
    await bed().write(topic, values('after'))
    expect(await bed().values(topic, committed)).toEqual([['after']])
  })

  // It counted as none, so that readers of committed records waited behind it for transaction.timeout.ms.
  test('closing aborts a transaction of which a record was refused', async () => {
    const topic = await bed().create({ configs: { 'max.message.bytes': '1000' } })
    const sink = sinkOf(topic)
    await sink.beginTransaction()
    await sink.write(values('gone'))
    // Random, so that compression does not make it small.
    expect((await sink.write([{ value: randomBytes(2000) }])).failures.size).toBe(1)
    await sink.close()
    await bed().write(topic, values('after'))
    expect(await bed().values(topic, committed)).toEqual([['after']])
  })

  test.each([
    { name: 'larger than a request may be', record: { value: 'x'.repeat(2_000_000) } },
    { name: 'for a partition that does not exist', record: { value: 'x', partition: 7 } },
    { name: 'for a topic that does not exist', record: { value: 'x', topic: uniqueName('missing') } },
    { name: 'that cannot be encoded', record: { value: Symbol('no JSON') as unknown as string } },
  ])('nothing is committed together with a record $name, whether or not its report was read', async ({ record }) => {
    const topic = await bed().create()
    const sink = sinkOf(topic)
    await sink.beginTransaction()
    const reports = sink.write([{ value: 'beside it' }, record])
    await expect(sink.commitTransaction()).rejects.toMatchObject({ code: 'TRANSACTION_FAILED', fatal: false })
    expect((await reports).failures.has(1)).toBe(true)
    await sink.abortTransaction()
    await sink.beginTransaction()
    await sink.write(values('after'))
    await sink.commitTransaction()
    expect(await bed().values(topic, committed)).toEqual([['after']])
  })

  // Batches were failed twice, and whoever had written some of them never heard of the end: closing waited for it for ever.
  test('aborting in the midst of a call that waits for memory ends it, and closing ends too', async () => {
    const topic = await bed().create()
    const producer = new Producer(
      bed().cluster,
      producerOptions({ batchBytes: 1000, bufferBytes: 50_000, lingerMs: 0 }),
      { transactionalId: uniqueName('tx'), timeoutMs: 60_000 },
    )
    await producer.open()
    await producer.learn(topic)
    producer.beginTransaction()
    const writing = producer.write(
      Array.from({ length: 20_000 }, (_, n) => ({ value: `number ${n}` })),
      topic,
    )
    const refused = expect(writing).rejects.toMatchObject({ code: 'ABORTED' })
    await producer.abortTransaction()
    await refused
    await producer.close()
    expect(producer.progress.bufferedBytes).toBe(0)
  })

  test('holds back what is written during a commit for the next transaction', async () => {
    const topic = await bed().create()
    const producer = new Producer(bed().cluster, producerOptions(), {
      transactionalId: uniqueName('tx'),
      timeoutMs: 60_000,
    })
    await producer.open()
    producer.beginTransaction()
    const first = producer.write(values('1'), topic)
    const commit = producer.commitTransaction(() => undefined)
    const second = producer.write(values('2'), topic)
    await Promise.all([first, commit])
    expect(await bed().values(topic, committed)).toEqual([['1']])
    producer.beginTransaction()
    expect((await second).failures.size).toBe(0)
    await producer.abortTransaction()
    producer.beginTransaction()
    await producer.write(values('3'), topic)
    await producer.commitTransaction(() => undefined)
    await producer.close()
    expect(await bed().values(topic, committed)).toEqual([['1', '3']])
  })

  test('what is lost of the next transaction during a commit dooms the next one only', async () => {
    const topic = await bed().create()
    const producer = new Producer(bed().cluster, producerOptions(), {
      transactionalId: uniqueName('tx'),
      timeoutMs: 60_000,
    })
    await producer.open()
    await producer.learn(topic)
    producer.beginTransaction()
    const first = producer.write(values('1'), topic)
    const commit = producer.commitTransaction(() => undefined)
    const second = producer.write(values('x'.repeat(2_000_000)), topic)
    await Promise.all([first, commit])
    expect((await second).failures.size).toBe(1)
    producer.beginTransaction()
    await expect(producer.commitTransaction(() => undefined)).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
    await producer.abortTransaction()
    producer.beginTransaction()
    await producer.write(values('3'), topic)
    await producer.commitTransaction(() => undefined)
    await producer.close()
    expect(await bed().values(topic, committed)).toEqual([['1', '3']])
  })

  // It stayed open with nothing of what was written next in it, which failed, and the next commit succeeded without it.
  test('a commit that is given up while it waits for acknowledgements leaves a transaction that can only be aborted', async () => {
    const topic = await bed().create()
    const producer = new Producer(bed().cluster, producerOptions(), {
      transactionalId: uniqueName('tx'),
      timeoutMs: 60_000,
    })
    await producer.open()
    producer.beginTransaction()
    const first = producer.write(values('1'), topic)
    await expect(producer.commitTransaction(() => undefined, AbortSignal.abort())).rejects.toMatchObject({
      code: 'ABORTED',
    })
    await first.catch(() => {})
    await expect(producer.write(values('2'), topic)).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
    await expect(producer.commitTransaction(() => undefined)).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
    expect(await producer.abortTransaction()).toBe('aborted')
    producer.beginTransaction()
    await producer.write(values('3'), topic)
    await producer.commitTransaction(() => undefined)
    await producer.close()
    expect(await bed().values(topic, committed)).toEqual([['3']])
  })

  test('uses the versions of transactions that the broker has agreed on', async () => {
    const cluster = bed().cluster
    await cluster.connect()
    const node = cluster.brokers[0]!.id
    // Kafka 4 finalizes transaction.version 2.
    expect(await cluster.feature(node, 'transaction.version')).toBeGreaterThanOrEqual(2)
    expect(await cluster.version(node, END_TXN)).toBe(5)
    expect(await cluster.version(node, TXN_OFFSET_COMMIT)).toBe(5)
  })
})

/** A cluster that has not agreed on version 2 says so with its features. */
class OldCluster extends Cluster {
  override feature(): Promise<number> {
    return Promise.resolve(0)
  }
}

describe.skipIf(!brokerAvailable)('transactions of version 1', () => {
  const bed = topicBed()

  test('add their partitions first, change the epoch after an abort, and fence', async () => {
    const cluster = new OldCluster({ bootstrapServers: bootstrapServers().split(','), clientId: 'test' })
    const topic = await bed().create({ partitions: 3 })
    const transactionalId = uniqueName('tx')
    const producer = new Producer(cluster, producerOptions(), { transactionalId, timeoutMs: 60_000 })
    await producer.open()
    for (const [text, end] of [
      ['a', 'commit'],
      ['b', 'abort'],
      ['c', 'commit'],
      ['d', 'commit'],
    ] as const) {
      producer.beginTransaction()
      const { failures } = await producer.write(
        Array.from({ length: 9 }, (_, i) => ({ value: text, partition: i % 3 })),
        topic,
      )
      expect(failures.size).toBe(0)
      if (end === 'commit') await producer.commitTransaction(() => undefined)
      else await producer.abortTransaction()
    }
    const expected = ['a', 'a', 'a', 'c', 'c', 'c', 'd', 'd', 'd']
    expect(await bed().values(topic, committed)).toEqual([expected, expected, expected])

    const young = new Producer(cluster, producerOptions(), { transactionalId, timeoutMs: 60_000 })
    await young.open()
    producer.beginTransaction()
    const { failures } = await producer.write(values('late'), topic)
    expect(failures.size).toBe(1)
    await expect(producer.commitTransaction(() => undefined)).rejects.toMatchObject({ fatal: true })
    await Promise.all([producer.close(), young.close()])
    await cluster.close()
    expect(await bed().values(topic, committed)).toEqual([expected, expected, expected])
  })
})

describe.skipIf(!brokerAvailable)('a commit whose answer is lost', () => {
  const kafka = proxiedBroker()
  const bed = topicBed(() => kafka().kafka.bootstrapServers)

  // The abort resolved, and a program that wrote its records again had them twice.
  test('is found by the abort, which says so', async () => {
    const topic = await bed().create()
    await using sink = new KafkaSink({
      bootstrapServers: kafka().bootstrapServers,
      topic,
      transactionalId: uniqueName('tx'),
      requestTimeoutMs: 1000,
      deliveryTimeoutMs: 5000,
    })
    await sink.beginTransaction()
    await sink.write(values('1'))
    const stop = new AbortController()
    void kafka()
      .proxies[0]!.loseAnswer('EndTxn', 'silence')
      .then(() => stop.abort())
    await expect(sink.commitTransaction(stop.signal)).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(sink.abortTransaction()).rejects.toMatchObject({ code: 'TRANSACTION_COMMITTED', fatal: false })
    await sink.beginTransaction()
    await sink.write(values('2'))
    await sink.commitTransaction()
    expect(await bed().values(topic, committed)).toEqual([['1', '2']])
  })
})

describe.skipIf(!brokerAvailable)('transactions of version 1 that meet lost answers', () => {
  const kafka = proxiedBroker()
  const bed = topicBed(() => kafka().kafka.bootstrapServers)

  test('go on in another epoch, so that nothing late can end the next one', async () => {
    const topic = await bed().create()
    const cluster = new OldCluster({ bootstrapServers: [kafka().bootstrapServers], clientId: 'test' })
    const transactionalId = uniqueName('tx')
    const producer = new Producer(cluster, producerOptions(), { transactionalId, timeoutMs: 60_000 })
    await producer.open()
    for (const [text, api] of [
      ['1', 'EndTxn'],
      ['2', 'AddPartitionsToTxn'],
      ['3', undefined],
      ['4', undefined],
    ] as const) {
      const lost = api === undefined ? undefined : kafka().proxies[0]!.loseAnswer(api, 'cut')
      producer.beginTransaction()
      expect((await producer.write(values(text), topic)).failures.size).toBe(0)
      await producer.commitTransaction(() => undefined)
      await lost
    }
    await producer.close()
    await cluster.close()
    expect(await bed().values(topic, committed)).toEqual([['1', '2', '3', '4']])
    const { batches } = await readTopic(bed().cluster, topic)
    const epochs = batches.filter(({ baseSequence }) => baseSequence >= 0).map(({ producerEpoch }) => producerEpoch)
    expect(epochs).toEqual([0, 1, 2, 2])
  })
})

describe.skipIf(!brokerAvailable)('transactions on a broker that restarts', () => {
  const kafka = ownBroker()
  const bed = topicBed(() => kafka().bootstrapServers)

  test('the transaction continues with the coordinator, and each record comes out once', async () => {
    const topic = await bed().create({ partitions: 2 })
    await using sink = new KafkaSink({
      bootstrapServers: kafka().bootstrapServers,
      topic,
      transactionalId: 'tx',
      transactionTimeoutMs: 60_000,
    })
    await sink.beginTransaction()
    await sink.write(values('1', '2'))
    await kafka().brokers[0]!.kill()
    const commit = sink.commitTransaction()
    await kafka().brokers[0]!.restart()
    await commit
    await sink.beginTransaction()
    await sink.write(values('3'))
    await sink.commitTransaction()
    expect((await bed().values(topic, committed)).flat().toSorted()).toEqual(['1', '2', '3'])
  })
})
