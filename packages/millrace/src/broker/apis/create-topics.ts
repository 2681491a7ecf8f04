/** CreateTopics (19). A topic without a number of partitions gets the broker's default. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  createTopicsApi,
  type CreatableTopic,
  type CreatableTopicResult,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
} from '../../protocol/messages/create-topics.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { configProblem, TOPIC_CONFIGS } from '../cluster/topic-configs.ts'
import { nameProblem } from '../cluster/topic.ts'
import type { Refusal } from '../log/check-batch.ts'
import { SOURCE } from './config-resources.ts'
import type { Handler } from './handler.ts'

type Wanted = Decoded<CreatableTopic>

export const createTopics: Handler<CreateTopicsRequest, CreateTopicsResponse> = {
  api: createTopicsApi,
  handle({ topics, validateOnly }, { broker: { cluster } }) {
    const names = topics.map(({ name }) => name)
    const seen = new Set<string>()
    const results: CreatableTopicResult[] = []
    for (const topic of topics) {
      // A name that is there twice is reported once.
      if (seen.has(topic.name)) continue
      seen.add(topic.name)
      const isDuplicate = names.indexOf(topic.name) !== names.lastIndexOf(topic.name)
      results.push(isDuplicate ? refused(topic.name, duplicate(topic.name)) : create(topic, validateOnly, cluster))
    }
    return { throttleTimeMs: 0, topics: results }
  },
  refuse: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name }) => refused(name, { errorCode, message: '' })),
  }),
  subjects: ({ topics }) => ({ topics: topics.map(({ name }) => ({ name, partitions: [] })) }),
}

function duplicate(name: string): Refusal {
  return { errorCode: ERROR.INVALID_REQUEST, message: `Duplicate topic name: ${name}` }
}

function refused(name: string, { errorCode, message }: Refusal): CreatableTopicResult {
  return { name, errorCode, errorMessage: message }
}

function create(wanted: Wanted, validateOnly: boolean, cluster: Cluster): CreatableTopicResult {
  const { name, assignments, configs } = wanted
  const problem = problemOf(wanted, cluster)
  if (problem !== undefined) return refused(name, problem)
  const replicas = assignments.toSorted((a, b) => a.partitionIndex - b.partitionIndex).map(({ brokerIds }) => brokerIds)
  const partitions = replicas.length > 0 ? replicas.length : wanted.numPartitions
  const count = partitions === -1 ? cluster.options.defaultPartitions : partitions
  const replicationFactor =
    replicas[0]?.length ?? (wanted.replicationFactor === -1 ? cluster.nodes.length : wanted.replicationFactor)
  // Null asks for the default.
  const set = new Map(
    configs.flatMap((config) => (config.value === null ? [] : [[config.name, config.value] as const])),
  )
  const topic = validateOnly
    ? undefined
    : cluster.createTopic(name, count, set, replicas.length > 0 ? replicas : replicationFactor)
  const described = Object.entries(TOPIC_CONFIGS).map(([config, definition]) => ({
    name: config,
    value: set.get(config) ?? cluster.topicDefaults.get(config) ?? definition.default,
    readOnly: false,
    configSource: set.has(config) ? SOURCE.topic : cluster.topicDefaults.has(config) ? SOURCE.broker : SOURCE.default,
    isSensitive: false,
  }))
  return {
    name,
    ...(topic === undefined ? {} : { topicId: topic.id }),
    errorCode: 0,
    errorMessage: null,
    numPartitions: count,
    replicationFactor,
    configs: described,
  }
}

function problemOf(
  { name, numPartitions, replicationFactor, assignments, configs }: Wanted,
  cluster: Cluster,
): Refusal | undefined {
  const invalidName = nameProblem(name)
  if (invalidName !== undefined) return { errorCode: ERROR.INVALID_TOPIC_EXCEPTION, message: invalidName }
  if (cluster.topic(name) !== undefined)
    return { errorCode: ERROR.TOPIC_ALREADY_EXISTS, message: `Topic '${name}' already exists.` }
  for (const config of configs) {
    const message = config.value === null ? undefined : configProblem(config.name, config.value)
    if (message !== undefined) return { errorCode: ERROR.INVALID_CONFIG, message }
  }
  if (assignments.length > 0) return assignmentProblem(numPartitions, replicationFactor, assignments, cluster)
  if (replicationFactor !== -1 && replicationFactor <= 0)
    return {
      errorCode: ERROR.INVALID_REPLICATION_FACTOR,
      message: 'Replication factor must be larger than 0, or -1 to use the default value.',
    }
  if (numPartitions !== -1 && numPartitions <= 0)
    return {
      errorCode: ERROR.INVALID_PARTITIONS,
      message: 'Number of partitions was set to an invalid non-positive value.',
    }
  if (replicationFactor > cluster.running.length) {
    const message = `Unable to replicate the partition ${replicationFactor} time(s): The target replication factor of ${replicationFactor} cannot be reached because only ${cluster.running.length} broker(s) are registered.`
    return { errorCode: ERROR.INVALID_REPLICATION_FACTOR, message }
  }
  return undefined
}

function assignmentProblem(
  numPartitions: number,
  replicationFactor: number,
  assignments: Wanted['assignments'],
  cluster: Cluster,
): Refusal | undefined {
  if (replicationFactor !== -1)
    return {
      errorCode: ERROR.INVALID_REQUEST,
      message: 'A manual partition assignment was specified, but replication factor was not set to -1.',
    }
  if (numPartitions !== -1)
    return {
      errorCode: ERROR.INVALID_REQUEST,
      message: 'A manual partition assignment was specified, but numPartitions was not set to -1.',
    }
  const indexes = assignments.map(({ partitionIndex }) => partitionIndex).toSorted((a, b) => a - b)
  const sizes = new Set(assignments.map(({ brokerIds }) => brokerIds.length))
  const areKnown = assignments.every(
    ({ brokerIds }) =>
      brokerIds.length > 0 &&
      new Set(brokerIds).size === brokerIds.length &&
      brokerIds.every((id) => cluster.node(id) !== undefined),
  )
  if (sizes.size === 1 && areKnown && indexes.every((index, i) => index === i)) return undefined
  const message =
    'The manual partition assignment needs consecutive partitions from 0 on, and for each the same number of known brokers.'
  return { errorCode: ERROR.INVALID_REPLICA_ASSIGNMENT, message }
}
