/**
 * OffsetForLeaderEpoch, version 4: where the log of a leader ends that had an epoch, which tells a consumer whether what it has read is
 * still there after another broker has become leader (KIP-320).
 *
 * ```
 * Request  => replica_id [topic [partition current_leader_epoch leader_epoch]]
 * Response => throttle_time_ms [topic [error_code partition leader_epoch end_offset]]
 * ```
 * @see https://kafka.apache.org/protocol#The_Messages_OffsetForLeaderEpoch
 */
import { createAPI, type Reader, Writer } from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

const CONSUMER_REPLICA = -1

export interface LeaderEpochTopic {
  readonly name: string
  readonly partitions: readonly {
    readonly partition: number
    /** Epoch of the leader that is asked. */
    readonly currentLeaderEpoch: number
    /** Epoch to find the end of. */
    readonly leaderEpoch: number
  }[]
}

export interface LeaderEpochAnswer {
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly {
      readonly errorCode: number
      readonly partition: number
      /** The epoch asked for, or the last one before it; -1 when there is none. */
      readonly leaderEpoch: number
      /** The offset after its last record; -1 when it is not known. */
      readonly endOffset: number
    }[]
  }[]
}

function createRequest(topics: readonly LeaderEpochTopic[]): Writer {
  return Writer.create()
    .appendInt32(CONSUMER_REPLICA)
    .appendArray([...topics], (w, { name, partitions }) => {
      w.appendString(name).appendArray([...partitions], (w, { partition, currentLeaderEpoch, leaderEpoch }) => {
        w.appendInt32(partition).appendInt32(currentLeaderEpoch).appendInt32(leaderEpoch)
      })
    })
    .appendTaggedFields()
}

function parseResponse(reader: Reader): LeaderEpochAnswer {
  reader.readInt32()
  const topics = reader.readArray((r) => ({
    name: r.readString(),
    partitions: r.readArray((r) => ({
      errorCode: r.readInt16(),
      partition: r.readInt32(),
      leaderEpoch: r.readInt32(),
      endOffset: Number(r.readInt64()),
    })),
  }))
  return { topics }
}

/** Argument: the topics. */
export const OFFSET_FOR_LEADER_EPOCH: ApiCall = {
  name: 'OffsetForLeaderEpoch',
  key: 23,
  versions: {
    4: createAPI<[readonly LeaderEpochTopic[]], LeaderEpochAnswer>(
      23,
      4,
      createRequest,
      (_correlationId, _key, _version, reader) => parseResponse(reader),
    ) as ApiVersion,
  },
}
