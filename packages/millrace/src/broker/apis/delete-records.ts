/** DeleteRecords (21): moves the beginning of partitions; -1 stands for the high watermark. */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  deleteRecordsApi,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
} from '../../protocol/messages/delete-records.ts'
import { ledPartition } from '../cluster/cluster.ts'
import { isRefusal } from '../log/check-batch.ts'
import type { Handler } from './handler.ts'

const HIGH_WATERMARK = -1

export const deleteRecords: Handler<DeleteRecordsRequest, DeleteRecordsResponse> = {
  api: deleteRecordsApi,
  handle: ({ topics }, { broker: { cluster }, node }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => {
        const partition = ledPartition(cluster.topic(name), partitionIndex, node)
        if (isRefusal(partition)) return { partitionIndex, lowWatermark: -1, errorCode: partition.errorCode }
        const { log } = partition
        const before = offset === HIGH_WATERMARK ? log.highWatermark : offset
        if (before < 0 || before > log.highWatermark)
          return { partitionIndex, lowWatermark: -1, errorCode: ERROR.OFFSET_OUT_OF_RANGE }
        if (!log.settings.deletes) return { partitionIndex, lowWatermark: -1, errorCode: ERROR.POLICY_VIOLATION }
        log.deleteBefore(before)
        return { partitionIndex, lowWatermark: log.logStartOffset, errorCode: 0 }
      }),
    })),
  }),
  refuse: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
    })),
  }),
  subjects: ({ topics }) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => partitionIndex),
    })),
  }),
}
