/** `kafka-transactions abort` sends markers; without them, a partition could not be freed from a transaction. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { ERROR, type ErrorName } from '../../../src/protocol/error-codes.ts'
import { describeProducersApi } from '../../../src/protocol/messages/describe-producers.ts'
import { initProducerIdApi } from '../../../src/protocol/messages/init-producer-id.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { writeTxnMarkersApi } from '../../../src/protocol/messages/write-txn-markers.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

const COORDINATOR_EPOCH = 4
let broker: EmbeddedBroker
let client: RawClient
beforeAll(async () => {
  broker = await startBroker()
  client = await RawClient.connect(broker.bootstrapServers)
})
afterAll(async () => {
  client.close()
  await broker.close()
})

/** Writes a record in a transaction that stays open. @returns its producer */
async function open(topic: string, transactionalId: string) {
  const { producerId, producerEpoch } = await client.request(initProducerIdApi, 5, {
    transactionalId,
    transactionTimeoutMs: 60_000,
  })
  const batch = batchOf(['a'], { producerId, producerEpoch, baseSequence: 0, attributes: 0x10 })
  await client.request(produceApi, 12, produceOf({ name: topic }, batch, { transactionalId }))
  return { producerId, producerEpoch }
}

interface Marker {
  producerId: number
  producerEpoch: number
  coordinatorEpoch?: number
  transactionVersion?: number
  committed?: boolean
}

async function mark(topic: string, partition: number, marker: Marker): Promise<number> {
  const { producerId, producerEpoch, coordinatorEpoch = COORDINATOR_EPOCH, transactionVersion = 0 } = marker
  const topics = [{ name: topic, partitionIndexes: [partition] }]
  const transactionResult = marker.committed ?? false
  const { markers } = await client.request(writeTxnMarkersApi, 2, {
    markers: [{ producerId, producerEpoch, transactionResult, topics, coordinatorEpoch, transactionVersion }],
  })
  return markers[0]!.topics[0]!.partitions[0]!.errorCode
}

test.each([true, false])('ends the transaction of a producer in a partition; committed: %s', async (committed) => {
  const topic = `ended-${committed}`
  broker.createTopic(topic)
  const producer = await open(topic, topic)
  expect(await broker.topic(topic).records()).toEqual([])
  expect(await mark(topic, 0, { ...producer, committed })).toBe(ERROR.NONE)
  expect((await broker.topic(topic).records()).map(({ value }) => String(value))).toEqual(committed ? ['a'] : [])
  const described = await client.request(describeProducersApi, 0, { topics: [{ name: topic, partitionIndexes: [0] }] })
  expect(described.topics[0]!.partitions[0]!.activeProducers).toMatchObject([
    { ...producer, coordinatorEpoch: COORDINATOR_EPOCH, currentTxnStartOffset: -1 },
  ])
})

test.each<{ name: string; epoch: number; marker?: Partial<Marker>; partition?: number; error: ErrorName }>([
  { name: 'of an older epoch', epoch: -1, error: 'INVALID_PRODUCER_EPOCH' },
  { name: 'of the same epoch', epoch: 0, error: 'NONE' },
  {
    name: 'of the same epoch, with epochs that grow',
    epoch: 0,
    marker: { transactionVersion: 2 },
    error: 'INVALID_PRODUCER_EPOCH',
  },
  { name: 'of the next epoch, with epochs that grow', epoch: 1, marker: { transactionVersion: 2 }, error: 'NONE' },
  {
    name: 'of an older coordinator',
    epoch: 0,
    marker: { coordinatorEpoch: 3 },
    error: 'TRANSACTION_COORDINATOR_FENCED',
  },
  { name: 'for a partition that does not exist', epoch: 0, partition: 7, error: 'UNKNOWN_TOPIC_OR_PARTITION' },
])('answers a marker $name with $error', async ({ name, epoch, marker, partition = 0, error }) => {
  const topic = name.replaceAll(/\W+/g, '-')
  broker.createTopic(topic)
  const { producerId, producerEpoch } = await open(topic, topic)
  if (error === 'TRANSACTION_COORDINATOR_FENCED') await mark(topic, 0, { producerId, producerEpoch })
  const wanted = { producerId, producerEpoch: producerEpoch + epoch, ...marker }
  expect(await mark(topic, partition, wanted)).toBe(ERROR[error])
})
