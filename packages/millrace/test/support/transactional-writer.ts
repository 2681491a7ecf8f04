/**
 * Writes transactions by raw requests, so that tests can end each of them as they like and put record batches where they
 * want them. Test code only: no retries beyond what a quiet broker needs.
 */
import type { Cluster } from '../../src/kafka/cluster/cluster.ts'
import type { ApiCall } from '../../src/kafka/protocol/api-call.ts'
import { INIT_PRODUCER_ID } from '../../src/kafka/protocol/init-producer-id.ts'
import { PRODUCE } from '../../src/kafka/protocol/produce.ts'
import {
  ADD_OFFSETS_TO_TXN,
  ADD_PARTITIONS_TO_TXN,
  END_TXN,
  TXN_OFFSET_COMMIT,
  VERSION_1,
} from '../../src/kafka/protocol/transactions.ts'
import { retry } from '../../src/resilience/retry.ts'
import { encodeRecordBatch } from './encode-record-batch.ts'

const TRANSACTIONAL = 0x10

export class TransactionalWriter {
  readonly #cluster: Cluster
  readonly #id: string
  readonly #sequences = new Map<string, number>()
  #producerId = -1
  #epoch = -1

  private constructor(cluster: Cluster, id: string) {
    this.#cluster = cluster
    this.#id = id
  }

  static async open(cluster: Cluster, transactionalId: string): Promise<TransactionalWriter> {
    const writer = new TransactionalWriter(cluster, transactionalId)
    const answer = await writer.#ask(INIT_PRODUCER_ID, { transactionalId, transactionTimeoutMs: 60_000 })
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
    await this.#ask(ADD_PARTITIONS_TO_TXN, {
      v3AndBelowTransactionalId: this.#id,
      v3AndBelowProducerId: this.#producerId,
      v3AndBelowProducerEpoch: this.#epoch,
      v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
    })
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
      const answer = await this.#cluster.request(
        this.#cluster.leader(topic, partition),
        PRODUCE,
        () => ({ transactionalId: this.#id, acks: -1 as const, timeoutMs: 30_000, topics }),
        { maxVersion: 11 },
      )
      const { errorCode } = answer.topics[0]!.partitions[0]!
      if (errorCode !== 0) throw new Error(`Produce answered ${errorCode}`)
    })
    this.#sequences.set(place, baseSequence + values.length)
  }

  /** Makes the offset of a group part of the transaction, as a client without a membership. */
  async writeOffset(groupId: string, topic: string, partition: number, offset: number): Promise<void> {
    await this.#ask(ADD_OFFSETS_TO_TXN, { ...this.#identity, groupId }, 3)
    const partitions = [
      { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: '' },
    ]
    await patiently(async () => {
      const { topics } = await this.#cluster.request(
        await this.#cluster.coordinator('group', groupId),
        TXN_OFFSET_COMMIT,
        () => ({ ...this.#identity, groupId, topics: [{ name: topic, partitions }] }),
        { maxVersion: VERSION_1.txnOffsetCommit },
      )
      const { errorCode } = topics[0]!.partitions[0]!
      if (errorCode !== 0) throw new Error(`TxnOffsetCommit answered ${errorCode}`)
    })
  }

  async commit(): Promise<void> {
    await this.#ask(END_TXN, { ...this.#identity, committed: true }, VERSION_1.endTxn)
  }

  async abort(): Promise<void> {
    await this.#ask(END_TXN, { ...this.#identity, committed: false }, VERSION_1.endTxn)
  }

  /** Asks the coordinator until it is ready: it loads, moves and finishes the transaction before in its own time. */
  #ask<Q, R extends Answer>(call: ApiCall<Q, R>, request: Q, maxVersion?: number): Promise<R> {
    return patiently(async () => {
      const node = await this.#cluster.coordinator('transaction', this.#id)
      const options = maxVersion === undefined ? {} : { maxVersion }
      const answer = await this.#cluster.request(node, call, () => request, options)
      const code =
        answer.errorCode || answer.resultsByTopicV3AndBelow?.[0]?.resultsByPartition[0]?.partitionErrorCode || 0
      if (code !== 0) throw new Error(`${call.name} answered ${code}`)
      return answer
    })
  }

  get #identity(): { transactionalId: string; producerId: number; producerEpoch: number } {
    return { transactionalId: this.#id, producerId: this.#producerId, producerEpoch: this.#epoch }
  }
}

interface Answer {
  readonly errorCode?: number
  readonly resultsByTopicV3AndBelow?: readonly {
    readonly resultsByPartition: readonly { readonly partitionErrorCode: number }[]
  }[]
}

function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  return retry(attempt, { timeoutMs: 20_000, backoff: { initialMs: 20, maxMs: 200 }, isRetriable: () => true })
}
