/** OffsetForLeaderEpoch (23): where the records of a leader epoch end (KIP-320). */
import {
  offsetForLeaderEpochApi,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from '../../protocol/messages/offset-for-leader-epoch.ts'
import { ledPartition } from '../cluster/cluster.ts'
import { isRefusal } from '../log/check-batch.ts'
import type { Handler } from './handler.ts'

export const offsetForLeaderEpoch: Handler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> = {
  api: offsetForLeaderEpochApi,
  handle: ({ topics }, { broker: { cluster }, node }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        const partition = ledPartition(cluster.topic(topic), index, node, currentLeaderEpoch)
        if (isRefusal(partition)) return { partition: index, errorCode: partition.errorCode }
        const { epoch, endOffset } = partition.log.epochs.endOf(leaderEpoch, partition.log.endOffset)
        return { partition: index, errorCode: 0, leaderEpoch: epoch, endOffset }
      }),
    })),
  }),
  refuse: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode })),
    })),
  }),
  subjects: ({ topics }) => ({
    topics: topics.map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.map(({ partition }) => partition),
    })),
  }),
}
