/**
 * Writes transactions by raw requests, so that tests can end each of them as they like and put record batches where they
 * want them. Test code only: no retries beyond what a quiet broker needs.
 */
import { addPartitionsToTxnV3, endTxnV3 } from '@platformatic/kafka'
import type { Cluster } from '../../src/kafka/cluster/cluster.ts'
import type { ApiCall, ApiVersion } from '../../src/kafka/protocol/api-call.ts'
import { INIT_PRODUCER_ID, type InitProducerIdResponse } from '../../src/kafka/protocol/init-producer-id.ts'
import { PRODUCE, type ProduceResponse } from '../../src/kafka/protocol/produce.ts'
import {
  ADD_OFFSETS_TO_TXN,
  TXN_OFFSET_COMMIT,
  type TxnOffsetCommitResponse,
  VERSION_1,
} from '../../src/kafka/protocol/transactions.ts'
import { retry } from '../../src/resilience/retry.ts'
import { encodeRecordBatch } from './encode-record-batch.ts'

const ADD_PARTITIONS: ApiCall = {
  name: 'AddPartitionsToTxn',
  key: 24,
  versions: { 3: addPartitionsToTxnV3.api as ApiVersion },
}
const END_TXN: ApiCall = { name: 'EndTxn', key: 26, versions: { 3: endTxnV3.api as ApiVersion } }
const TRANSACTIONAL = 0x10

export class TransactionalWriter {
  readonly #cluster: Cluster
  readonly #id: string
  readonly #sequences = new Map<string, number>()
  #producerId = -1n
  #epoch = -1

  private constructor(cluster: Cluster, id: string) {
    this.#cluster = cluster
    this.#id = id
  }

  static async open(cluster: Cluster, transactionalId: string): Promise<TransactionalWriter> {
    const writer = new TransactionalWriter(cluster, transactionalId)
    const answer = await writer.#ask<InitProducerIdResponse>(INIT_PRODUCER_ID, [transactionalId, 60_000, -1n, -1])
    writer.#producerId = answer.producerId
    writer.#epoch = answer.producerEpoch
    return writer
  }

  /** Writes values as one record batch of the transaction that is open or begins with it. */
  async write(
    topic: string,
    partition: number,
    values: readonly (string | { readonly key: string; readonly value: string })[],
  ): Promise<void> {
    await this.#cluster.refresh([topic])
    await this.#ask(ADD_PARTITIONS, [
      [
        {
          transactionalId: this.#id,
          producerId: this.#producerId,
          producerEpoch: this.#epoch,
          topics: [{ name: topic, partitions: [partition] }],
        },
      ],
    ])
    const place = `${topic}/${partition}`
    const baseSequence = this.#sequences.get(place) ?? 0
    const records = encodeRecordBatch({
      records: values.map((record) =>
        typeof record === 'string'
          ? { value: Buffer.from(record) }
          : { key: Buffer.from(record.key), value: Buffer.from(record.value) },
      ),
      attributes: TRANSACTIONAL,
      baseTimestamp: Date.now(),
      producerId: this.#producerId,
      producerEpoch: this.#epoch,
      baseSequence,
    })
    const topics = [{ name: topic, partitions: [{ partition, records }] }]
    // A topic that was created just now may have no leader that knows of it.
    await patiently(async () => {
      const answer = await this.#cluster.request<ProduceResponse>(
        this.#cluster.leader(topic, partition),
        PRODUCE,
        () => [{ transactionalId: this.#id, acks: -1, timeoutMs: 30_000, topics }],
        { maxVersion: 11 },
      )
      const { errorCode } = answer.topics[0]!.partitions[0]!
      if (errorCode !== 0) throw new Error(`Produce answered ${errorCode}`)
    })
    this.#sequences.set(place, baseSequence + values.length)
  }

  /** Makes the offset of a group part of the transaction, as a client without a membership. */
  async writeOffset(groupId: string, topic: string, partition: number, offset: number): Promise<void> {
    await this.#ask(ADD_OFFSETS_TO_TXN, [this.#id, this.#producerId, this.#epoch, groupId], 3)
    const partitions = [
      { partitionIndex: partition, committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: '' },
    ]
    await patiently(async () => {
      const { topics } = await this.#cluster.request<TxnOffsetCommitResponse>(
        await this.#cluster.coordinator('group', groupId),
        TXN_OFFSET_COMMIT,
        () => [this.#id, groupId, this.#producerId, this.#epoch, -1, '', null, [{ name: topic, partitions }]],
        { maxVersion: VERSION_1.txnOffsetCommit },
      )
      const { errorCode } = topics[0]!.partitions[0]!
      if (errorCode !== 0) throw new Error(`TxnOffsetCommit answered ${errorCode}`)
    })
  }

  async commit(): Promise<void> {
    await this.#ask(END_TXN, [this.#id, this.#producerId, this.#epoch, true])
  }

  async abort(): Promise<void> {
    await this.#ask(END_TXN, [this.#id, this.#producerId, this.#epoch, false])
  }

  /** Asks the coordinator until it is ready: it loads, moves and finishes the transaction before in its own time. */
  #ask<R>(call: ApiCall, args: readonly unknown[], maxVersion?: number): Promise<R> {
    interface Answer {
      readonly errorCode?: number
      readonly resultsByTransaction?: readonly {
        readonly topicResults: readonly {
          readonly resultsByPartition: readonly { readonly partitionErrorCode: number }[]
        }[]
      }[]
    }
    return patiently(async () => {
      const node = await this.#cluster.coordinator('transaction', this.#id)
      const answer = await this.#cluster.request<Answer>(
        node,
        call,
        () => args,
        maxVersion === undefined ? {} : { maxVersion },
      )
      const code =
        answer.errorCode ||
        answer.resultsByTransaction?.[0]?.topicResults[0]?.resultsByPartition[0]?.partitionErrorCode ||
        0
      if (code !== 0) throw new Error(`${call.name} answered ${code}`)
      return answer as R
    })
  }
}

function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  return retry(attempt, { timeoutMs: 20_000, backoff: { initialMs: 20, maxMs: 200 }, isRetriable: () => true })
}
