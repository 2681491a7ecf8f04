/**
 * Requests to the coordinator of a transactional id, each tried again for as long as that helps, and the id and epoch that it
 * assigned to the producer.
 *
 * With transactions version 2 (KIP-890) partitions and offsets add themselves, and EndTxn returns an epoch for each transaction,
 * so that a late request cannot fall into the next one. With version 1 partitions are added first, all new ones of a round
 * in one request, and the epoch changes only after an abort and after a request that was not answered: a copy of it that comes
 * late is then refused, where it would end the next transaction, or commit older offsets with it.
 */
import type { GroupOffsets } from '../../contracts/offsets.ts'
import { type BrokerError, isMillraceError } from '../../errors/index.ts'
import { throwIfAborted } from '../../resilience/abort.ts'
import { retry } from '../../resilience/retry.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ApiCall, ApiName } from '../protocol/api-call.ts'
import { INIT_PRODUCER_ID } from '../protocol/init-producer-id.ts'
import { brokerError, kafkaErrorName } from '../protocol/kafka-errors.ts'
import {
  ADD_PARTITIONS_TO_TXN,
  type AddPartitionsToTxnAnswer,
  END_TXN,
  TRANSACTION_VERSION,
  VERSION_1,
} from '../protocol/transactions.ts'
import { byTopic } from '../topic-partition.ts'
import type { ProducerIdentity } from './identity.ts'
import type { Destination } from './reports.ts'
import { CONCURRENT_BACKOFF, isConcurrent } from './transaction-errors.ts'
import { commitOffsets } from './transaction-offsets.ts'

const LANE = 'transaction'

export class TransactionCoordinator {
  readonly transactionalId: string
  readonly #cluster: Cluster
  readonly #timeoutMs: number
  #identity: ProducerIdentity | undefined
  #version: 1 | 2 = 1
  /** Whether a request of this epoch was not answered, and may still come to the coordinator. */
  #unanswered = false

  /** @param timeoutMs after this the coordinator aborts a transaction, and fences its producer */
  constructor(cluster: Cluster, transactionalId: string, timeoutMs: number) {
    this.#cluster = cluster
    this.transactionalId = transactionalId
    this.#timeoutMs = timeoutMs
  }

  /** Under which the producer writes; undefined before `initialize`. Another object whenever it changes. */
  get identity(): ProducerIdentity | undefined {
    return this.#identity
  }

  /** Version of the protocol of transactions that the cluster has agreed on. */
  get version(): 1 | 2 {
    return this.#version
  }

  /** Whether something late could fall into the next transaction, unless that has another epoch. */
  get isStale(): boolean {
    return this.#version === 1 && this.#unanswered
  }

  /** Gets the next epoch, of a new id the first time, which fences every earlier producer and aborts its open transaction. */
  async initialize(signal: AbortSignal | undefined): Promise<void> {
    const { id, epoch } = this.#identity ?? { id: -1, epoch: -1 }
    const answer = await this.#ask(
      INIT_PRODUCER_ID,
      {
        transactionalId: this.transactionalId,
        transactionTimeoutMs: this.#timeoutMs,
        producerId: id,
        producerEpoch: epoch,
      },
      ({ errorCode }) => errorCode,
      signal,
    )
    this.#identity = { id: answer.producerId, epoch: answer.producerEpoch }
    this.#unanswered = false
    const coordinator = await this.#cluster.coordinator('transaction', this.transactionalId, signal)
    this.#version = (await this.#cluster.feature(coordinator, TRANSACTION_VERSION, { lane: LANE })) >= 2 ? 2 : 1
  }

  /** Adds partitions to the open transaction, in one request; needed with version 1 only. */
  async addPartitions(destinations: readonly Destination[], signal: AbortSignal): Promise<void> {
    const { id, epoch } = this.#identity!
    const topics = [...byTopic(destinations)].map(([name, list]) => ({
      name,
      partitions: list.map(({ partition }) => partition),
    }))
    await this.#ask(
      ADD_PARTITIONS_TO_TXN,
      {
        v3AndBelowTransactionalId: this.transactionalId,
        v3AndBelowProducerId: id,
        v3AndBelowProducerEpoch: epoch,
        v3AndBelowTopics: topics,
      },
      worstCode,
      signal,
    )
  }

  /** Adds offsets of a consumer group to the open transaction. */
  async commitOffsets(offsets: GroupOffsets, signal: AbortSignal | undefined): Promise<void> {
    const { id, epoch } = this.#identity!
    await commitOffsets(
      this.#cluster,
      { transactionalId: this.transactionalId, producerId: id, producerEpoch: epoch, version: this.#version },
      offsets,
      {
        ask: (call, request, codeOf) => this.#ask(call, request, codeOf, signal),
        request: (node, call, write, maxVersion) => this.#request(node, call, write, signal, maxVersion),
      },
      signal,
    )
  }

  /**
   * Commits the open transaction. Asking again has the same answer.
   * @param onSent called before the coordinator can hear of it
   */
  async commit(signal: AbortSignal | undefined, onSent?: () => void): Promise<void> {
    const code = await this.#end(true, signal, onSent)
    if (code !== 0) throw this.#refused(END_TXN, code)
  }

  /**
   * Aborts the open transaction, unless it is committed already. It is never committed by this: a coordinator that has not heard
   * of a commit aborts, and refuses a commit that comes late.
   *
   * @param mayBeCommitted whether a commit was asked for whose answer was lost
   */
  async abort(mayBeCommitted: boolean, signal: AbortSignal | undefined): Promise<'aborted' | 'committed'> {
    const code = await this.#end(false, signal)
    if (code === 0) return 'aborted'
    if (code !== ERROR.INVALID_TXN_STATE) throw this.#refused(END_TXN, code)
    if (!mayBeCommitted) {
      // To abort what was never added is an error in version 1, and what was wanted.
      if (this.#version === 1) return 'aborted'
      throw this.#refused(END_TXN, code)
    }
    // Waits until it is complete, and gets the epoch that comes after it.
    await this.commit(signal)
    return 'committed'
  }

  /** @returns the code of the answer that waiting does not change; 0 when it has ended */
  async #end(isCommit: boolean, signal: AbortSignal | undefined, onSent?: () => void): Promise<number> {
    const { id, epoch } = this.#identity!
    const { errorCode, producerId, producerEpoch } = await this.#ask(
      END_TXN,
      { transactionalId: this.transactionalId, producerId: id, producerEpoch: epoch, committed: isCommit },
      ({ errorCode: code }) => (code === ERROR.INVALID_TXN_STATE ? 0 : code),
      signal,
      { onSent, ...(this.#version === 1 ? { maxVersion: VERSION_1.endTxn } : {}) },
    )
    // From version 5 on: id and epoch of the next transaction.
    if (errorCode === 0 && producerId >= 0) this.#identity = { id: producerId, epoch: producerEpoch }
    return errorCode
  }

  #refused(call: ApiName, code: number): BrokerError {
    return brokerError(code, `${call.name} of transactional id "${this.transactionalId}" was refused`)
  }

  async #request<Q, R>(
    node: number,
    call: ApiCall<Q, R>,
    write: () => Q,
    signal: AbortSignal | undefined,
    maxVersion: number | undefined,
  ): Promise<R> {
    let isSent = false
    const send = (): Q => {
      isSent = true
      return write()
    }
    try {
      return await this.#cluster.request(node, call, send, {
        lane: LANE,
        signal,
        ...(maxVersion === undefined ? {} : { maxVersion }),
      })
    } catch (error) {
      this.#unanswered ||= isSent
      throw error
    }
  }

  /** Asks until the coordinator answers with something that waiting does not heal. */
  async #ask<Q, R>(
    call: ApiCall<Q, R>,
    request: Q,
    codeOf: (answer: R) => number,
    signal: AbortSignal | undefined,
    { maxVersion, onSent }: { readonly maxVersion?: number; readonly onSent?: (() => void) | undefined } = {},
  ): Promise<R> {
    const cluster = this.#cluster
    let backoff = cluster.backoff
    const attempt = async (): Promise<R> => {
      const node = await cluster.coordinator('transaction', this.transactionalId, signal)
      const write = (): Q => {
        throwIfAborted(call.name, signal)
        onSent?.()
        return request
      }
      const answer = await this.#request(node, call, write, signal, maxVersion)
      const code = codeOf(answer)
      if (code !== 0) throw this.#refused(call, code)
      return answer
    }
    const deadline = performance.now() + cluster.apiTimeoutMs
    for (;;) {
      try {
        return await retry(attempt, {
          timeoutMs: deadline - performance.now(),
          backoff,
          signal,
          isRetriable: (error) =>
            isMillraceError(error) && error.retriable && (backoff === CONCURRENT_BACKOFF || !isConcurrent(error)),
          onRetry: (error) => {
            if (!isConcurrent(error)) cluster.forgetCoordinator('transaction', this.transactionalId)
          },
        })
      } catch (error) {
        if (!isConcurrent(error) || performance.now() >= deadline || backoff === CONCURRENT_BACKOFF) throw error
        backoff = CONCURRENT_BACKOFF
      }
    }
  }
}

/** OPERATION_NOT_ATTEMPTED comes beside the code that counts. */
function worstCode({ resultsByTopicV3AndBelow: topics }: AddPartitionsToTxnAnswer): number {
  let worst = 0
  for (const { resultsByPartition } of topics)
    for (const { partitionErrorCode: code } of resultsByPartition)
      if (code !== 0 && (worst === 0 || kafkaErrorName(worst) === 'OPERATION_NOT_ATTEMPTED')) worst = code
  return worst
}
