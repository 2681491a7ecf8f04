/** Transactions over the wire: what readers see, and clients as users have them. */
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { exactlyOnce, KafkaSink, KafkaSource } from '../../../src/index.ts'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { endTxnApi } from '../../../src/protocol/messages/end-txn.ts'
import { fetchApi } from '../../../src/protocol/messages/fetch.ts'
import { initProducerIdApi } from '../../../src/protocol/messages/init-producer-id.ts'
import { offsetFetchApi } from '../../../src/protocol/messages/offset-fetch.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { txnOffsetCommitApi } from '../../../src/protocol/messages/txn-offset-commit.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

let broker: EmbeddedBroker
let client: RawClient
beforeAll(async () => {
  broker = await startBroker({ topics: { input: 2, output: 2 } })
  client = await RawClient.connect(broker.bootstrapServers)
})
afterAll(async () => {
  client.close()
  await broker.close()
})

/** A producer of KIP-890, by hand. */
async function producerOf(transactionalId: string) {
  let { producerId, producerEpoch } = await client.request(initProducerIdApi, 5, {
    transactionalId,
    transactionTimeoutMs: 60_000,
  })
  let sequence = 0
  return {
    identity: () => ({ producerId, producerEpoch }),
    async write(topic: string, ...values: string[]) {
      const batch = batchOf(values, { producerId, producerEpoch, baseSequence: sequence, attributes: 0x10 })
      sequence += values.length
      const { responses } = await client.request(produceApi, 12, produceOf({ name: topic }, batch, { transactionalId }))
      return responses[0]!.partitionResponses[0]!.errorCode
    },
    async end(committed: boolean) {
      const answer = await client.request(endTxnApi, 5, { transactionalId, producerId, producerEpoch, committed })
      if (answer.errorCode === 0) ({ producerId, producerEpoch } = answer)
      sequence = 0
      return answer.errorCode
    },
  }
}

async function fetchCommitted(topic: string, fetchOffset = 0) {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }]
  const { responses } = await client.request(fetchApi, 11, {
    maxWaitMs: 0,
    minBytes: 0,
    isolationLevel: 1,
    topics: [{ topic, partitions }],
  })
  return responses[0]!.partitions[0]!
}

const valuesOf = async (topic: string, uncommitted = false) =>
  (await broker.topic(topic).records({ uncommitted })).map(({ value }) => String(value))

describe('a reader of what is committed', () => {
  test('sees nothing of an open transaction, nor of what comes after it', async () => {
    broker.createTopic('open')
    const first = await producerOf('open-1')
    const second = await producerOf('open-2')
    await first.write('open', 'a')
    await second.write('open', 'b')
    await second.end(true)
    expect(await fetchCommitted('open')).toMatchObject({
      lastStableOffset: 0,
      highWatermark: 3,
      records: Buffer.alloc(0),
    })
    expect(await valuesOf('open')).toEqual([])
    await first.end(true)
    expect(await fetchCommitted('open')).toMatchObject({ lastStableOffset: 4 })
    expect(await valuesOf('open')).toEqual(['a', 'b'])
  })

  test('waits at the first record that is there when those of an open transaction were deleted', async () => {
    broker.createTopic('deleted')
    const producer = await producerOf('deleted')
    await producer.write('deleted', 'a', 'b')
    broker.expire('deleted', 0, { beforeOffset: 1 })
    expect(await fetchCommitted('deleted', 1)).toMatchObject({
      errorCode: 0,
      lastStableOffset: 1,
      records: Buffer.alloc(0),
    })
  })

  test('learns which records were aborted', async () => {
    broker.createTopic('aborted')
    const producer = await producerOf('aborted')
    const { producerId } = producer.identity()
    await producer.write('aborted', 'a', 'b')
    await producer.end(false)
    await producer.write('aborted', 'c')
    await producer.end(true)
    expect((await fetchCommitted('aborted')).abortedTransactions).toEqual([{ producerId, firstOffset: 0 }])
    expect((await fetchCommitted('aborted', 3)).abortedTransactions).toEqual([])
    expect(await valuesOf('aborted')).toEqual(['c'])
    expect(await valuesOf('aborted', true)).toEqual(['a', 'b', 'c'])
  })

  test('that waits is woken when the transaction ends', async () => {
    broker.createTopic('woken')
    const producer = await producerOf('woken')
    await producer.write('woken', 'a')
    using reader = await RawClient.connect(broker.bootstrapServers)
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }]
    const waiting = reader.request(fetchApi, 11, {
      maxWaitMs: 60_000,
      minBytes: 1,
      isolationLevel: 1,
      topics: [{ topic: 'woken', partitions }],
    })
    await expect.poll(() => broker.requests().at(-1)!.api).toBe('Fetch')
    await producer.end(true)
    expect((await waiting).responses[0]!.partitions[0]!.records!.length).toBeGreaterThan(0)
  })
})

describe('a producer', () => {
  test('that is late is fenced: the epoch has grown with the end of the transaction', async () => {
    broker.createTopic('late')
    const producer = await producerOf('late')
    const old = producer.identity()
    await producer.write('late', 'a')
    await producer.end(true)
    expect(producer.identity().producerEpoch).toBe(old.producerEpoch + 1)
    const batch = batchOf(['late'], { ...old, baseSequence: 1, attributes: 0x10 })
    const { responses } = await client.request(
      produceApi,
      12,
      produceOf({ name: 'late' }, batch, { transactionalId: 'late' }),
    )
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(ERROR.INVALID_PRODUCER_EPOCH)
  })

  test.each([
    { version: 9, error: ERROR.INVALID_TXN_STATE },
    { version: 11, error: ERROR.TRANSACTION_ABORTABLE },
  ])('before KIP-890 must add a partition first: version $version', async ({ version, error }) => {
    const { producerId, producerEpoch } = await client.request(initProducerIdApi, 4, {
      transactionalId: `v${version}`,
      transactionTimeoutMs: 1000,
    })
    const batch = batchOf(['a'], { producerId, producerEpoch, baseSequence: 0, attributes: 0x10 })
    const { responses } = await client.request(
      produceApi,
      version,
      produceOf({ name: 'output' }, batch, { transactionalId: `v${version}` }),
    )
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(error)
  })

  test('commits offsets together with its records, and they are unstable until then', async () => {
    const producer = await producerOf('offsets')
    const commit = async () => {
      const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: 'm' }]
      const answer = await client.request(txnOffsetCommitApi, 5, {
        ...producer.identity(),
        transactionalId: 'offsets',
        groupId: 'grp',
        topics: [{ name: 'input', partitions }],
      })
      return answer.topics[0]!.partitions[0]!.errorCode
    }
    const committed = async () => {
      const groups = [{ groupId: 'grp', topics: [{ name: 'input', partitionIndexes: [0] }] }]
      const { groups: answers } = await client.request(offsetFetchApi, 8, { groups, requireStable: true })
      const { errorCode, committedOffset } = answers[0]!.topics[0]!.partitions[0]!
      return [errorCode, committedOffset]
    }
    expect(await commit()).toBe(0)
    expect(await committed()).toEqual([ERROR.UNSTABLE_OFFSET_COMMIT, -1])
    await producer.end(false)
    expect(await committed()).toEqual([0, -1])
    expect(await commit()).toBe(0)
    await producer.end(true)
    expect(await committed()).toEqual([0, 7])
    expect(broker.transactions().find(({ transactionalId }) => transactionalId === 'offsets')).toMatchObject({
      state: 'CompleteCommit',
      groups: [],
    })
  })
})

describe('clients', () => {
  test('kafkajs commits and aborts', async () => {
    broker.createTopic('kafkajs-tx', 2)
    const kafka = new kafkajs.Kafka({ brokers: broker.bootstrapServers.split(','), logLevel: kafkajs.logLevel.NOTHING })
    const producer = kafka.producer({ transactionalId: 'kafkajs', maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    for (const [value, commits] of [
      ['a', true],
      ['b', false],
      ['c', true],
    ] as const) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'kafkajs-tx', messages: [{ key: 'k', value }] })
      await transaction.sendOffsets({
        consumerGroupId: 'kafkajs-group',
        topics: [{ topic: 'input', partitions: [{ partition: 0, offset: value.charCodeAt(0).toString() }] }],
      })
      await (commits ? transaction.commit() : transaction.abort())
    }
    await producer.disconnect()
    expect(await valuesOf('kafkajs-tx')).toEqual(['a', 'c'])
    expect(broker.groups().find(({ id }) => id === 'kafkajs-group')!.offsets).toMatchObject([
      { topic: 'input', offset: 99n },
    ])
  })

  test('exactlyOnce copies each record once, also when answers are lost', async () => {
    broker.createTopic('from', 2)
    broker.createTopic('to', 2)
    const { bootstrapServers } = broker
    await using seed = new KafkaSink({ bootstrapServers, topic: 'from' })
    await seed.write(Array.from({ length: 500 }, (_, i) => ({ key: String(i), value: String(i) })))
    broker.on('EndTxn').once().dropAnswer()
    broker.on('Produce').topic('to').once().dropAnswer()
    broker.on('TxnOffsetCommit').once().dropAnswer()
    await using source = new KafkaSource({
      bootstrapServers,
      groupId: 'copy',
      topics: ['from'],
      'auto.offset.reset': 'earliest',
      untilEnd: true,
      'isolation.level': 'read_committed',
    })
    await using sink = new KafkaSink({ bootstrapServers, topic: 'to', transactionalId: 'copy' })
    await exactlyOnce(source, sink, (batch, transaction) => {
      const rows = Array.from({ length: batch.length }, (_, row) => ({ key: batch.key(row), value: batch.value(row) }))
      void transaction.write(rows)
    })
    expect((await valuesOf('to')).map(Number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 500 }, (_, i) => i),
    )
  })
})
