/**
 * TxnOffsetCommit (28): offsets that become visible when the transaction is committed. From version 5 on it adds the group to
 * the transaction; before, the client has to (AddOffsetsToTxn).
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  txnOffsetCommitApi,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from '../../protocol/messages/txn-offset-commit.ts'
import type { Call, Handler } from './handler.ts'
import { MAX_METADATA_BYTES } from './offset-commit.ts'

/** First versions with TRANSACTION_ABORTABLE, and that add the group by themselves. */
const KNOWS_ABORTABLE = 4
const ADDS_GROUP = 5

export const txnOffsetCommit: Handler<TxnOffsetCommitRequest, TxnOffsetCommitResponse> = {
  api: txnOffsetCommitApi,
  handle(request, call) {
    const refused = refusal(request, call)
    if (refused !== 0) return txnOffsetCommit.refuse(request, refused, call)
    const { cluster, groups } = call.broker
    const { producerId, groupId, topics } = request
    const { offsets } = groups.find(groupId)!
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
          if (cluster.topic(name) === undefined) return { partitionIndex, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }
          const metadata = committedMetadata ?? ''
          if (Buffer.byteLength(metadata) > MAX_METADATA_BYTES)
            return { partitionIndex, errorCode: ERROR.OFFSET_METADATA_TOO_LARGE }
          offsets.hold(producerId, name, partitionIndex, {
            offset: committedOffset,
            leaderEpoch: committedLeaderEpoch,
            metadata,
            commitTimeMs: cluster.now(),
          })
          return { partitionIndex, errorCode: 0 }
        }),
      })),
    }
  },
  refuse: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
  subjects: ({ transactionalId, groupId, topics }) => ({
    transactionalId,
    group: groupId,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => partitionIndex),
    })),
  }),
}

/** @returns an error code; 0 when the group may be written, which it then is sure to exist */
function refusal(request: Decoded<TxnOffsetCommitRequest>, call: Call): number {
  const { groups, transactions } = call.broker
  const { transactionalId, groupId, producerId, producerEpoch, memberId, groupInstanceId, generationId } = request
  const elsewhere = groups.refusal(groupId, call.node)
  if (elsewhere !== 0) return elsewhere
  const producer = { producerId, epoch: producerEpoch }
  const admitted =
    call.version >= ADDS_GROUP
      ? transactions.addGroup(transactionalId, producer, groupId)
      : transactions.verifyGroup(transactionalId, producer, groupId)
  if (admitted === ERROR.PRODUCER_FENCED) return ERROR.INVALID_PRODUCER_EPOCH
  if (admitted === ERROR.TRANSACTION_ABORTABLE && call.version < KNOWS_ABORTABLE) return ERROR.INVALID_TXN_STATE
  if (admitted !== 0) return admitted
  const group = groups.find(groupId) ?? (generationId < 0 ? groups.classicGroup(groupId) : undefined)
  if (group === undefined) return ERROR.ILLEGAL_GENERATION
  return group.admitCommit({ memberId, instanceId: groupInstanceId, generationId }, true)
}
