/** Metadata (3): the nodes, and topics with their leaders. Topics that do not exist are created if the broker is set to do so. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  metadataApi,
  type MetadataRequest,
  type MetadataResponse,
  type MetadataResponseTopic,
} from '../../protocol/messages/metadata.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import { isInternalTopic } from '../cluster/internal-topics.ts'
import { NO_LEADER, nameProblem, type Partition, type Topic } from '../cluster/topic.ts'
import { CLUSTER_NAME } from '../security/authorizer.ts'
import type { BrokerState } from '../state.ts'
import type { Call, Handler } from './handler.ts'
import { authorizedOperations, topicOf } from './topics.ts'

export const metadata: Handler<MetadataRequest, MetadataResponse> = {
  api: metadataApi,
  handle: (request, call) => answer(request, call, asked(request, call)),
  refuse: (request, errorCode, call) =>
    answer(
      request,
      call,
      (request.topics ?? []).map(({ name, topicId }) => failed(name, topicId, errorCode)),
      errorCode,
    ),
  subjects: ({ topics }) => ({ topics: (topics ?? []).map(({ name }) => ({ name: name ?? '', partitions: [] })) }),
}

function answer(
  request: Decoded<MetadataRequest>,
  call: Call,
  topics: MetadataResponseTopic[],
  errorCode = 0,
): MetadataResponse {
  const { cluster } = call.broker
  return {
    brokers: cluster.running.map(({ id, host, port }) => ({ nodeId: id, host, port })),
    clusterId: cluster.id,
    controllerId: cluster.controller,
    topics,
    clusterAuthorizedOperations: authorizedOperations(
      request.includeClusterAuthorizedOperations,
      'Cluster',
      CLUSTER_NAME,
      call,
    ),
    ...(call.version >= 13 ? { errorCode } : {}),
  }
}

function asked(request: Decoded<MetadataRequest>, call: Call): MetadataResponseTopic[] {
  const { cluster } = call.broker
  const { topics } = request
  const found = (topic: Topic): MetadataResponseTopic =>
    described(
      topic,
      call.broker,
      authorizedOperations(request.includeTopicAuthorizedOperations, 'Topic', topic.name, call),
    )
  // In version 0, an empty list means all of them.
  if (topics === null || (call.version === 0 && topics.length === 0))
    return cluster
      .topics()
      .filter(({ name }) => call.permits('Describe', 'Topic', name))
      .map(found)
  return topics.map(({ name, topicId }) => {
    const known = topicOf(cluster, { name, topicId })
    const asName = known?.name ?? name
    if (asName !== null && !call.permits('Describe', 'Topic', asName))
      return failed(name, topicId, ERROR.TOPIC_AUTHORIZATION_FAILED)
    const topic = known ?? autoCreated(name, topicId, request.allowAutoTopicCreation, call)
    return topic instanceof Object ? found(topic) : failed(name, topicId, topic)
  })
}

/** @returns an error code when the topic is not created */
function autoCreated(name: string | null, topicId: string, allowed: boolean, call: Call): Topic | number {
  const { cluster } = call.broker
  if (topicId !== ZERO_UUID) return ERROR.UNKNOWN_TOPIC_ID
  if (name === null || nameProblem(name) !== undefined) return ERROR.INVALID_TOPIC_EXCEPTION
  if (!allowed || !(cluster.options.autoCreateTopics || isInternalTopic(name))) return ERROR.UNKNOWN_TOPIC_OR_PARTITION
  if (!call.permits('Create', 'Cluster', CLUSTER_NAME) && !call.permits('Create', 'Topic', name))
    return ERROR.TOPIC_AUTHORIZATION_FAILED
  return cluster.autoCreate(name)
}

function failed(name: string | null, topicId: string, errorCode: number): MetadataResponseTopic {
  return { errorCode, name, topicId, partitions: [] }
}

function described(topic: Topic, broker: BrokerState, operations: number): MetadataResponseTopic {
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map((partition) => describedPartition(partition, broker)),
    topicAuthorizedOperations: operations,
  }
}

/** A partition as Metadata and DescribeTopicPartitions report it. */
export function describedPartition(
  { index, leader, leaderEpoch, replicas }: Partition,
  { cluster }: BrokerState,
): {
  errorCode: number
  partitionIndex: number
  leaderId: number
  leaderEpoch: number
  replicaNodes: readonly number[]
  isrNodes: readonly number[]
  offlineReplicas: readonly number[]
} {
  const isRunning = (id: number): boolean => cluster.node(id)?.running === true
  return {
    errorCode: leader === NO_LEADER ? ERROR.LEADER_NOT_AVAILABLE : 0,
    partitionIndex: index,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: cluster.inSync(replicas),
    offlineReplicas: replicas.filter((id) => !isRunning(id)),
  }
}
