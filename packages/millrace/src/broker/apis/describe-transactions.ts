/** DescribeTransactions (65): the state of transactional ids, and the partitions of their open transactions. */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  describeTransactionsApi,
  type DescribeTransactionsRequest,
  type DescribeTransactionsResponse,
  type TransactionState,
} from '../../protocol/messages/describe-transactions.ts'
import type { Call, Handler } from './handler.ts'

export const describeTransactions: Handler<DescribeTransactionsRequest, DescribeTransactionsResponse> = {
  api: describeTransactionsApi,
  handle: ({ transactionalIds }, call) => ({
    throttleTimeMs: 0,
    transactionStates: transactionalIds.map((id) => describe(id, call)),
  }),
  refuse: ({ transactionalIds }, errorCode) => ({
    throttleTimeMs: 0,
    transactionStates: transactionalIds.map((id) => failed(id, errorCode)),
  }),
  subjects({ transactionalIds }) {
    const [transactionalId] = transactionalIds
    return transactionalId === undefined ? {} : { transactionalId }
  },
}

function failed(transactionalId: string, errorCode: number): TransactionState {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  }
}

function describe(id: string, { broker: { transactions }, node }: Call): TransactionState {
  const refusal = transactions.refusal(id, node)
  const found = transactions.find(id)
  if (refusal !== 0 || found === undefined) return failed(id, refusal || ERROR.TRANSACTIONAL_ID_NOT_FOUND)
  return {
    errorCode: 0,
    transactionalId: id,
    transactionState: found.state,
    transactionTimeoutMs: found.timeoutMs,
    transactionStartTimeMs: found.startTimeMs,
    producerId: found.producer.producerId,
    producerEpoch: found.producer.epoch,
    topics: [...found.partitions].map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
  }
}
