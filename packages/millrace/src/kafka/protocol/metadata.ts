/**
 * Metadata, versions 9 to 12: brokers, topics and the leaders of their partitions.
 * @see https://kafka.apache.org/protocol#The_Messages_Metadata
 */
import { metadataV9, metadataV10, metadataV11, metadataV12 } from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

/** Arguments: topics (null for all), whether to create them, whether to say what is permitted. */
export const METADATA: ApiCall = {
  name: 'Metadata',
  key: 3,
  versions: {
    9: metadataV9.api as ApiVersion,
    10: metadataV10.api as ApiVersion,
    11: metadataV11.api as ApiVersion,
    12: metadataV12.api as ApiVersion,
  },
}

export interface MetadataAnswer {
  readonly brokers: readonly {
    readonly nodeId: number
    readonly host: string
    readonly port: number
    readonly rack?: string | null
  }[]
  readonly clusterId: string | null
  readonly controllerId: number
  readonly topics: readonly {
    readonly errorCode: number
    readonly name: string | null
    readonly topicId?: string
    readonly isInternal: boolean
    readonly partitions: readonly {
      readonly errorCode: number
      readonly partitionIndex: number
      readonly leaderId: number
      readonly leaderEpoch: number
      readonly replicaNodes: readonly number[]
      readonly isrNodes: readonly number[]
    }[]
  }[]
}
