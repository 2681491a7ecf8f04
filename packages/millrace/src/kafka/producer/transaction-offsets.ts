/**
 * Offsets of a consumer group as part of a transaction: AddOffsetsToTxn to the transaction's coordinator (version 1 only),
 * then one TxnOffsetCommit for all of them to the group's.
 */
import type { GroupOffsets } from '../../contracts/offsets.ts'
import { BrokerError, isMillraceError, TransactionError } from '../../errors/index.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import { retry } from '../../resilience/retry.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ApiCall } from '../protocol/api-call.ts'
import { brokerError, kafkaErrorName } from '../protocol/kafka-errors.ts'
import {
  ADD_OFFSETS_TO_TXN,
  TXN_OFFSET_COMMIT,
  type TxnOffsetCommitAnswer,
  VERSION_1,
} from '../protocol/transactions.ts'
import { byTopic } from '../topic-partition.ts'

/** The open transaction. */
export interface TransactionIdentity {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  /** Of the protocol of transactions. */
  readonly version: 1 | 2
}

export interface TransactionRequests {
  /** Asks the transaction's coordinator, as often as that helps. */
  readonly ask: <Q, R>(call: ApiCall<Q, R>, request: Q, codeOf: (answer: R) => number) => Promise<unknown>
  /** Asks a broker once. */
  readonly request: <Q, R>(node: number, call: ApiCall<Q, R>, write: () => Q, maxVersion?: number) => Promise<R>
}

/** Codes that say that the generation has moved on; the member may still own what it commits. */
const OTHER_GENERATION: ReadonlySet<string> = new Set(['ILLEGAL_GENERATION', 'STALE_MEMBER_EPOCH'])
const MOVED: ReadonlySet<string> = new Set(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'])

/**
 * Adds the offsets to the transaction. The group's coordinator checks member and generation, so that a member that was
 * left behind cannot commit for partitions of others (KIP-447).
 *
 * @throws {BrokerError} whatever waiting does not heal; {ConnectionError} after `apiTimeoutMs`; {AbortedError}
 */
export async function commitOffsets(
  cluster: Cluster,
  transaction: TransactionIdentity,
  wanted: GroupOffsets,
  { ask, request }: TransactionRequests,
  signal?: AbortSignal,
): Promise<void> {
  const { transactionalId, producerId, producerEpoch, version } = transaction
  const { groupId } = wanted
  if (version === 1)
    await ask(ADD_OFFSETS_TO_TXN, { transactionalId, producerId, producerEpoch, groupId }, ({ errorCode }) => errorCode)
  const topics = [...byTopic(wanted.offsets)].map(([name, list]) => ({
    name,
    partitions: list.map(({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata ?? '',
    })),
  }))
  await retry(
    async () => {
      const member = wanted.member()
      if (member === undefined)
        throw new TransactionError(
          `Cannot commit offsets of group "${groupId}" in a transaction as some of their partitions have been revoked, or their topics deleted`,
          { fatal: false },
        )
      const { memberId, generation, instanceId } = member
      const node = await cluster.coordinator('group', groupId, signal)
      const answer = await request(
        node,
        TXN_OFFSET_COMMIT,
        () => ({
          transactionalId,
          groupId,
          producerId,
          producerEpoch,
          generationId: generation,
          memberId,
          groupInstanceId: instanceId ?? null,
          topics,
        }),
        version === 1 ? VERSION_1.txnOffsetCommit : undefined,
      )
      const code = codeOf(answer)
      if (code === 0) return
      const isOther = OTHER_GENERATION.has(kafkaErrorName(code))
      if (isOther) await wanted.awaitGeneration(generation)
      // Trying again would commit them for another topic of the same name, as soon as there is one.
      if (code === ERROR.UNKNOWN_TOPIC_OR_PARTITION) await wanted.lookForTopics?.()
      const action = `Cannot commit offsets of group "${groupId}" in a transaction`
      throw isOther && wanted.member()?.generation !== generation
        ? brokerError(code, action, { retriable: true })
        : brokerError(code, action)
    },
    {
      timeoutMs: cluster.apiTimeoutMs,
      backoff: cluster.backoff,
      signal,
      isRetriable: (error) => isMillraceError(error) && error.retriable,
      onRetry: (error) => {
        if (!(error instanceof BrokerError) || MOVED.has(error.kafkaName)) cluster.forgetCoordinator('group', groupId)
      },
    },
  )
}

/** The code that matters most: the first that waiting does not heal, else any. */
function codeOf({ topics }: TxnOffsetCommitAnswer): number {
  const codes = topics
    .flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
    .filter((code) => code !== 0)
  return codes.find((code) => !brokerError(code, '').retriable) ?? codes[0] ?? 0
}
