/** DescribeProducers (61): the idempotent and transactional producers that partitions know. */
import {
  describeProducersApi,
  type DescribeProducersRequest,
  type DescribeProducersResponse,
} from '../../protocol/messages/describe-producers.ts'
import { ledPartition } from '../cluster/cluster.ts'
import { isRefusal } from '../log/check-batch.ts'
import type { Handler } from './handler.ts'

export const describeProducers: Handler<DescribeProducersRequest, DescribeProducersResponse> = {
  api: describeProducersApi,
  handle: ({ topics }, { broker: { cluster }, node }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        const partition = ledPartition(cluster.topic(name), partitionIndex, node)
        if (isRefusal(partition)) return { partitionIndex, errorCode: partition.errorCode, activeProducers: [] }
        const activeProducers = partition.log.producers
          .all()
          .map(({ producerId, epoch, batches, lastTimestampMs, coordinatorEpoch, transactionStart }) => ({
            producerId,
            producerEpoch: epoch,
            lastSequence: batches.at(-1)?.lastSequence ?? -1,
            lastTimestamp: lastTimestampMs,
            coordinatorEpoch,
            currentTxnStartOffset: transactionStart ?? -1,
          }))
        return { partitionIndex, errorCode: 0, activeProducers }
      }),
    })),
  }),
  refuse: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode, activeProducers: [] })),
    })),
  }),
  subjects: ({ topics }) => ({
    topics: topics.map(({ name, partitionIndexes }) => ({ name, partitions: partitionIndexes })),
  }),
}
