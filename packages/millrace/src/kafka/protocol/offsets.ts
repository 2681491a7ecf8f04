/**
 * Requests about offsets: ListOffsets (versions 5 to 9), OffsetCommit (8 and 9) and OffsetFetch (7 to 9).
 * @see https://kafka.apache.org/protocol#The_Messages_ListOffsets
 */
import {
  listOffsetsV5,
  listOffsetsV6,
  listOffsetsV7,
  listOffsetsV8,
  listOffsetsV9,
  offsetCommitV8,
  offsetCommitV9,
  offsetFetchV7,
  offsetFetchV8,
  offsetFetchV9,
} from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

/** Where a log begins and ends, and where it was at a time. Arguments: replica (-1), isolation, topics. */
export const LIST_OFFSETS: ApiCall = {
  name: 'ListOffsets',
  key: 2,
  versions: {
    5: listOffsetsV5.api as ApiVersion,
    6: listOffsetsV6.api as ApiVersion,
    7: listOffsetsV7.api as ApiVersion,
    8: listOffsetsV8.api as ApiVersion,
    9: listOffsetsV9.api as ApiVersion,
  },
}

export interface ListOffsetsAnswer {
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly errorCode: number
      readonly timestamp: bigint
      readonly offset: bigint
      readonly leaderEpoch: number
    }[]
  }[]
}

/** Arguments: group, generation or epoch, member, instance, topics. */
export const OFFSET_COMMIT: ApiCall = {
  name: 'OffsetCommit',
  key: 8,
  versions: { 8: offsetCommitV8.api as ApiVersion, 9: offsetCommitV9.api as ApiVersion },
}

export interface OffsetCommitAnswer {
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[]
}

/** Arguments: groups with their topics (null for all), whether only stable offsets count. */
export const OFFSET_FETCH: ApiCall = {
  name: 'OffsetFetch',
  key: 9,
  versions: {
    7: offsetFetchV7.api as ApiVersion,
    8: offsetFetchV8.api as ApiVersion,
    9: offsetFetchV9.api as ApiVersion,
  },
}

interface OffsetsOfGroup {
  readonly errorCode: number
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly committedOffset: bigint
      readonly committedLeaderEpoch: number
      readonly metadata: string | null
      readonly errorCode: number
    }[]
  }[]
}

/** Before version 8 one group, whose fields are in the answer itself. */
export interface OffsetFetchAnswer extends OffsetsOfGroup {
  readonly groups: readonly OffsetsOfGroup[]
}
