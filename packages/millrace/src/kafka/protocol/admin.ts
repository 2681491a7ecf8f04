/**
 * Requests that administrators make about topics and their configuration.
 * @see https://kafka.apache.org/protocol#The_Messages_CreateTopics
 */
import { createPartitionsApi } from '../../protocol/messages/create-partitions.ts'
import { createTopicsApi } from '../../protocol/messages/create-topics.ts'
import { deleteRecordsApi } from '../../protocol/messages/delete-records.ts'
import { deleteTopicsApi } from '../../protocol/messages/delete-topics.ts'
import { describeConfigsApi } from '../../protocol/messages/describe-configs.ts'
import { incrementalAlterConfigsApi } from '../../protocol/messages/incremental-alter-configs.ts'
import { apiCall } from './api-call.ts'

export const CREATE_TOPICS = apiCall(createTopicsApi, 5, 7)

export const DELETE_TOPICS = apiCall(deleteTopicsApi, 6, 6)

export const CREATE_PARTITIONS = apiCall(createPartitionsApi, 2, 3)

export const DELETE_RECORDS = apiCall(deleteRecordsApi, 2, 2)

export const DESCRIBE_CONFIGS = apiCall(describeConfigsApi, 4, 4)

export const ALTER_CONFIGS = apiCall(incrementalAlterConfigsApi, 1, 1)
