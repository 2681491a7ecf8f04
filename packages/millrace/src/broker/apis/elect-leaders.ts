/** ElectLeaders (43): moves partitions back to their first replica, or gives those without a leader one (`UNCLEAN`). */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  electLeadersApi,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
  type PartitionResult,
  type ReplicaElectionResult,
} from '../../protocol/messages/elect-leaders.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { NO_LEADER } from '../cluster/topic.ts'
import type { Refusal } from '../log/check-batch.ts'
import type { Handler } from './handler.ts'

const PREFERRED = 0
const UNCLEAN = 1

const NOT_NEEDED: Refusal = {
  errorCode: ERROR.ELECTION_NOT_NEEDED,
  message: 'Leader election not needed for topic partition.',
}

const PREFERRED_IS_DOWN: Refusal = {
  errorCode: ERROR.PREFERRED_LEADER_NOT_AVAILABLE,
  message: 'The preferred leader was not available.',
}
const ALL_ARE_DOWN: Refusal = {
  errorCode: ERROR.ELIGIBLE_LEADERS_NOT_AVAILABLE,
  message: 'Eligible topic partition leaders are not available.',
}

export const electLeaders: Handler<ElectLeadersRequest, ElectLeadersResponse> = {
  api: electLeadersApi,
  handle(request, call) {
    const { cluster } = call.broker
    // Version 0 knows no types.
    const type = request.electionType ?? PREFERRED
    if (type !== PREFERRED && type !== UNCLEAN)
      return failed(
        request,
        { errorCode: ERROR.INVALID_REQUEST, message: `Unknown election type ${type}` },
        call.version,
      )
    const elected = (topic: string, partitions: readonly number[]): ReplicaElectionResult => ({
      topic,
      partitionResult: partitions.map((index) => result(index, elect(cluster, topic, index, type))),
    })
    if (request.topicPartitions !== null)
      return answer(
        request.topicPartitions.map(({ topic, partitions }) => elected(topic, partitions)),
        0,
        call.version,
      )
    // Of all partitions, those that stay as they are go without saying.
    const all = cluster.topics().map(({ name, partitions }) =>
      elected(
        name,
        partitions.map(({ index }) => index),
      ),
    )
    return answer(
      all.map(({ topic, partitionResult }) => ({
        topic,
        partitionResult: partitionResult.filter(({ errorCode }) => errorCode !== ERROR.ELECTION_NOT_NEEDED),
      })),
      0,
      call.version,
    )
  },
  refuse: (request, errorCode, { version }) => failed(request, { errorCode, message: '' }, version),
  subjects: ({ topicPartitions }) => ({
    topics: (topicPartitions ?? []).map(({ topic, partitions }) => ({ name: topic, partitions })),
  }),
}

/** @returns why there is no election; `undefined` when there was one */
function elect(cluster: Cluster, name: string, index: number, type: number): Refusal | undefined {
  const unknown = (message: string): Refusal => ({ errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION, message })
  const topic = cluster.topic(name)
  if (topic === undefined) return unknown(`No such topic as ${name}`)
  const partition = topic.partitions[index]
  if (partition === undefined) return unknown(`No such partition as ${name}-${index}`)
  const { leader, replicas } = partition
  const isRunning = (id: number): boolean => cluster.node(id)?.running === true
  const isPreferred = type === PREFERRED
  const next = isPreferred ? replicas[0]! : replicas.find(isRunning)
  if (isPreferred ? leader === next : leader !== NO_LEADER) return NOT_NEEDED
  if (next === undefined || !isRunning(next)) return isPreferred ? PREFERRED_IS_DOWN : ALL_ARE_DOWN
  cluster.moveLeader(partition, next)
  return undefined
}

function result(partitionId: number, problem: Refusal | undefined): PartitionResult {
  return { partitionId, errorCode: problem?.errorCode ?? 0, errorMessage: problem?.message ?? null }
}

function failed(request: Decoded<ElectLeadersRequest>, problem: Refusal, version: number): ElectLeadersResponse {
  const results = (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((index) => result(index, problem)),
  }))
  return answer(results, problem.errorCode, version)
}

function answer(
  replicaElectionResults: readonly ReplicaElectionResult[],
  errorCode: number,
  version: number,
): ElectLeadersResponse {
  return { throttleTimeMs: 0, ...(version >= 1 ? { errorCode } : {}), replicaElectionResults }
}
