/** AddPartitionsToTxn (24): partitions that a transaction is going to write. From version 4 on for several transactions. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  addPartitionsToTxnApi,
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  type AddPartitionsToTxnTopicResult,
} from '../../protocol/messages/add-partitions-to-txn.ts'
import type { Call, Handler } from './handler.ts'
import { fencedError } from './transactions.ts'

/** First versions with PRODUCER_FENCED, and with several transactions. */
const KNOWS_FENCED = 2
const SEVERAL = 4

type Transactions = Decoded<AddPartitionsToTxnRequest>['transactions']

export const addPartitionsToTxn: Handler<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse> = {
  api: addPartitionsToTxnApi,
  handle: (request, call) => respond(transactionsOf(request, call), (transaction) => add(transaction, call), call),
  refuse: (request, errorCode, call) =>
    respond(transactionsOf(request, call), ({ topics }) => results(topics, () => errorCode), call),
  subjects(request, call) {
    const [first] = transactionsOf(request, call)
    return {
      transactionalId: first?.transactionalId ?? '',
      topics: (first?.topics ?? []).map(({ name, partitions }) => ({ name, partitions })),
    }
  },
}

function transactionsOf(request: Decoded<AddPartitionsToTxnRequest>, { version }: Call): Transactions {
  if (version >= SEVERAL) return request.transactions
  return [
    {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    },
  ]
}

function results(
  topics: Transactions[number]['topics'],
  codeOf: (topic: string, partition: number) => number,
): AddPartitionsToTxnTopicResult[] {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: codeOf(name, partitionIndex),
    })),
  }))
}

function add(
  { transactionalId, producerId, producerEpoch, verifyOnly, topics }: Transactions[number],
  call: Call,
): AddPartitionsToTxnTopicResult[] {
  const { cluster, transactions } = call.broker
  const refusal = transactions.refusal(transactionalId, call.node)
  if (refusal !== 0) return results(topics, () => refusal)
  if (!call.permits('Write', 'TransactionalId', transactionalId))
    return results(topics, () => ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  const isAllowed = (topic: string): boolean => call.permits('Write', 'Topic', topic)
  const isKnown = (topic: string, partition: number): boolean => cluster.partition(topic, partition) !== undefined
  const all = topics.flatMap(({ name, partitions }) => partitions.map((partition) => [name, partition] as const))
  // One that does not exist keeps all others out.
  if (!all.every(([topic, partition]) => isAllowed(topic) && isKnown(topic, partition)))
    return results(topics, (topic, partition) =>
      !isAllowed(topic)
        ? ERROR.TOPIC_AUTHORIZATION_FAILED
        : isKnown(topic, partition)
          ? ERROR.OPERATION_NOT_ATTEMPTED
          : ERROR.UNKNOWN_TOPIC_OR_PARTITION,
    )
  const producer = { producerId, epoch: producerEpoch }
  if (verifyOnly)
    return results(topics, (topic, partition) =>
      transactions.verifyPartition(transactionalId, producer, topic, partition),
    )
  const errorCode = fencedError(transactions.addPartitions(transactionalId, producer, all), call.version, KNOWS_FENCED)
  return results(topics, () => errorCode)
}

function respond(
  transactions: Transactions,
  resultsOf: (transaction: Transactions[number]) => AddPartitionsToTxnTopicResult[],
  { version }: Call,
): AddPartitionsToTxnResponse {
  if (version < SEVERAL) return { throttleTimeMs: 0, resultsByTopicV3AndBelow: transactions.flatMap(resultsOf) }
  const resultsByTransaction = transactions.map((transaction) => ({
    transactionalId: transaction.transactionalId,
    topicResults: resultsOf(transaction),
  }))
  return { throttleTimeMs: 0, errorCode: 0, resultsByTransaction }
}
