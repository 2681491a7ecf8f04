/**
 * ListOffsets (2): the first record of at least a time, or a place in the log:
 *
 * | time | place |
 * |---|---|
 * | -1 | latest: the last stable offset with `read_committed`, else the high watermark |
 * | -2, -4 | earliest |
 * | -3 | the record with the largest time |
 * | -5, -6 | what tiered storage has: nothing |
 */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  listOffsetsApi,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
} from '../../protocol/messages/list-offsets.ts'
import { ledPartition } from '../cluster/cluster.ts'
import { isRefusal } from '../log/check-batch.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { Handler } from './handler.ts'

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const READ_COMMITTED = 1
const NOT_FOUND = { offset: -1, timestampMs: -1 }

export const listOffsets: Handler<ListOffsetsRequest, ListOffsetsResponse> = {
  api: listOffsetsApi,

  async handle({ topics, isolationLevel }, { broker: { cluster }, node, version }) {
    const answers = topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(async ({ partitionIndex, timestamp, currentLeaderEpoch }) => {
          const partition = ledPartition(cluster.topic(name), partitionIndex, node, currentLeaderEpoch)
          if (isRefusal(partition)) return { partitionIndex, errorCode: partition.errorCode }
          if (timestamp < minTimestamp(version)) return { partitionIndex, errorCode: ERROR.UNSUPPORTED_VERSION }
          const { log, leaderEpoch } = partition
          const found = await find(log, timestamp, isolationLevel === READ_COMMITTED)
          const epoch = found.offset < 0 ? -1 : timestamp === LATEST ? leaderEpoch : log.epochs.at(found.offset)
          return {
            partitionIndex,
            errorCode: 0,
            timestamp: found.timestampMs,
            offset: found.offset,
            ...(version >= 4 ? { leaderEpoch: epoch } : {}),
          }
        }),
      ),
    }))
    return { topics: await Promise.all(answers) }
  },

  refuse: ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),

  subjects: ({ topics }) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => partitionIndex),
    })),
  }),
}

/** The special times that a version has. */
function minTimestamp(version: number): number {
  if (version >= 11) return -6
  if (version >= 9) return -5
  if (version === 8) return -4
  return version === 7 ? -3 : -2
}

async function find(
  log: PartitionLog,
  timestamp: number,
  committed: boolean,
): Promise<{ offset: number; timestampMs: number }> {
  const end = committed ? log.lastStableOffset : log.highWatermark
  switch (timestamp) {
    case LATEST:
      return { offset: end, timestampMs: -1 }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: log.logStartOffset, timestampMs: -1 }
    case MAX_TIMESTAMP:
      return (await log.findMaxTime()) ?? NOT_FOUND
    default:
      return timestamp < 0 ? NOT_FOUND : ((await log.findTime(timestamp, end)) ?? NOT_FOUND)
  }
}
