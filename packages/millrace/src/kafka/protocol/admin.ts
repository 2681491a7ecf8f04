/**
 * Requests that administrators make about topics and their configuration.
 * @see https://kafka.apache.org/protocol#The_Messages_CreateTopics
 */
import {
  createTopicsV5,
  createTopicsV6,
  createTopicsV7,
  deleteTopicsV6,
  createPartitionsV2,
  createPartitionsV3,
  deleteRecordsV2,
  describeConfigsV4,
  incrementalAlterConfigsV1,
} from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

export const CREATE_TOPICS: ApiCall = {
  name: 'CreateTopics',
  key: 19,
  versions: {
    5: createTopicsV5.api as ApiVersion,
    6: createTopicsV6.api as ApiVersion,
    7: createTopicsV7.api as ApiVersion,
  },
}

export const DELETE_TOPICS: ApiCall = {
  name: 'DeleteTopics',
  key: 20,
  versions: { 6: deleteTopicsV6.api as ApiVersion },
}

export const CREATE_PARTITIONS: ApiCall = {
  name: 'CreatePartitions',
  key: 37,
  versions: { 2: createPartitionsV2.api as ApiVersion, 3: createPartitionsV3.api as ApiVersion },
}

export const DELETE_RECORDS: ApiCall = {
  name: 'DeleteRecords',
  key: 21,
  versions: { 2: deleteRecordsV2.api as ApiVersion },
}

export interface DeleteRecordsAnswer {
  readonly topics: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[]
}

export const DESCRIBE_CONFIGS: ApiCall = {
  name: 'DescribeConfigs',
  key: 32,
  versions: { 4: describeConfigsV4.api as ApiVersion },
}

export interface DescribeConfigsAnswer {
  readonly results: readonly {
    readonly errorCode: number
    readonly configs: readonly {
      readonly name: string
      readonly value: string | null
      readonly configSource: number
      readonly isSensitive: boolean
    }[]
  }[]
}

export const ALTER_CONFIGS: ApiCall = {
  name: 'IncrementalAlterConfigs',
  key: 44,
  versions: { 1: incrementalAlterConfigsV1.api as ApiVersion },
}
