/** ListTransactions (66): the transactional ids that the node coordinates. */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  listTransactionsApi,
  type ListTransactionsRequest,
  type ListTransactionsResponse,
} from '../../protocol/messages/list-transactions.ts'
import { TRANSACTION_STATES } from '../transactions/states.ts'
import { compilePattern, problemOfPattern } from '../groups/patterns.ts'
import type { Handler } from './handler.ts'

/** Of Kafka, all of which may be asked for. */
const KNOWN_STATES: readonly string[] = [
  ...TRANSACTION_STATES,
  'PrepareCommit',
  'PrepareAbort',
  'Dead',
  'PrepareEpochFence',
]

export const listTransactions: Handler<ListTransactionsRequest, ListTransactionsResponse> = {
  api: listTransactionsApi,
  handle(request, call) {
    const { cluster, transactions } = call.broker
    const { stateFilters, producerIdFilters, durationFilter, transactionalIdPattern } = request
    const pattern = patternOf(transactionalIdPattern)
    if (pattern === undefined) return listTransactions.refuse(request, ERROR.INVALID_REGULAR_EXPRESSION, call)
    const found = transactions
      .all(call.node)
      .filter(({ state }) => stateFilters.length === 0 || stateFilters.includes(state))
      .filter(({ producer }) => producerIdFilters.length === 0 || producerIdFilters.includes(producer.producerId))
      .filter(
        ({ startTimeMs }) => durationFilter < 0 || (startTimeMs >= 0 && cluster.now() - startTimeMs > durationFilter),
      )
      .filter(({ id }) => pattern.test(id) && call.permits('Describe', 'TransactionalId', id))
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      unknownStateFilters: stateFilters.filter((state) => !KNOWN_STATES.includes(state)),
      transactionStates: found.map(({ id, producer, state }) => ({
        transactionalId: id,
        producerId: producer.producerId,
        transactionState: state,
      })),
    }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode, unknownStateFilters: [], transactionStates: [] }),
}

/** @returns `undefined` when it cannot be understood */
function patternOf(text: string | null): RegExp | undefined {
  if (text === null || text === '') return /(?:)/
  return problemOfPattern(text) === undefined ? compilePattern(text) : undefined
}
