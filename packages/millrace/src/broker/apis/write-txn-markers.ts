/**
 * WriteTxnMarkers (27): ends the transactions of producers in single partitions. The coordinators of other brokers ask for it,
 * and `kafka-transactions abort`, which frees a partition from a transaction that its coordinator does not know any more.
 *
 * | a marker | answer |
 * |---|---|
 * | of an epoch below that of the producer in the partition; with transactions of version 2 (KIP-890), also of the same | INVALID_PRODUCER_EPOCH |
 * | of a coordinator epoch below that of the last marker | TRANSACTION_COORDINATOR_FENCED |
 *
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-664
 */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  type WritableTxnMarker,
  writeTxnMarkersApi,
  type WriteTxnMarkersRequest,
  type WriteTxnMarkersResponse,
} from '../../protocol/messages/write-txn-markers.ts'
import { ledPartition } from '../cluster/cluster.ts'
import type { Partition } from '../cluster/topic.ts'
import { isRefusal } from '../log/check-batch.ts'
import type { Handler } from './handler.ts'

/** Transactions of KIP-890: the epoch of a marker is one above that of the records. */
const GROWING_EPOCHS = 2

export const writeTxnMarkers: Handler<WriteTxnMarkersRequest, WriteTxnMarkersResponse> = {
  api: writeTxnMarkersApi,
  handle: ({ markers }, { broker: { cluster }, node }) =>
    answer(markers, (marker, topic, index) => {
      const partition = ledPartition(cluster.topic(topic), index, node)
      return isRefusal(partition) ? partition.errorCode : mark(partition, marker, cluster.now())
    }),
  refuse: ({ markers }, errorCode) => answer(markers, () => errorCode),
  subjects: ({ markers }) => ({
    topics: markers.flatMap(({ topics }) =>
      topics.map(({ name, partitionIndexes }) => ({ name, partitions: partitionIndexes })),
    ),
  }),
}

function answer(
  markers: readonly WritableTxnMarker[],
  errorCodeOf: (marker: WritableTxnMarker, topic: string, partition: number) => number,
): WriteTxnMarkersResponse {
  return {
    markers: markers.map((marker) => ({
      producerId: marker.producerId,
      topics: marker.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({
          partitionIndex,
          errorCode: errorCodeOf(marker, name, partitionIndex),
        })),
      })),
    })),
  }
}

/** @returns an error code */
function mark({ log, leaderEpoch }: Partition, marker: WritableTxnMarker, nowMs: number): number {
  const { producerId, producerEpoch, transactionResult, coordinatorEpoch, transactionVersion = 0 } = marker
  const known = log.producers.find(producerId)
  const oldestEpoch = known === undefined ? 0 : known.epoch + (transactionVersion >= GROWING_EPOCHS ? 1 : 0)
  if (producerEpoch < oldestEpoch) return ERROR.INVALID_PRODUCER_EPOCH
  if (known !== undefined && coordinatorEpoch < known.coordinatorEpoch) return ERROR.TRANSACTION_COORDINATOR_FENCED
  log.appendMarker(producerId, producerEpoch, transactionResult, coordinatorEpoch, leaderEpoch, nowMs)
  return ERROR.NONE
}
