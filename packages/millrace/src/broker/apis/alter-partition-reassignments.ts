/**
 * AlterPartitionReassignments (45): which nodes may lead a partition, the preferred one first. As all nodes share one log,
 * nothing is copied: a reassignment is over with the answer, so there is none to cancel.
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  alterPartitionReassignmentsApi,
  type AlterPartitionReassignmentsRequest,
  type AlterPartitionReassignmentsResponse,
  type ReassignablePartition,
} from '../../protocol/messages/alter-partition-reassignments.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Partition } from '../cluster/topic.ts'
import type { Refusal } from '../log/check-batch.ts'
import type { Handler } from './handler.ts'

/** Version that says whether the number of replicas may change. */
const FIRST_WITH_FACTOR = 1

export const alterPartitionReassignments: Handler<
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse
> = {
  api: alterPartitionReassignmentsApi,
  handle: (request, { broker: { cluster }, version }) =>
    answer(request, version, undefined, (topic, partition) =>
      reassign(cluster, topic, partition, request.allowReplicationFactorChange ?? true),
    ),
  refuse: (request, errorCode, { version }) => {
    const problem = { errorCode, message: '' }
    return answer(request, version, problem, () => problem)
  },
  subjects: ({ topics }) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => partitionIndex),
    })),
  }),
}

function answer(
  { topics, allowReplicationFactorChange }: Decoded<AlterPartitionReassignmentsRequest>,
  version: number,
  problem: Refusal | undefined,
  each: (topic: string, partition: Decoded<ReassignablePartition>) => Refusal | undefined,
): AlterPartitionReassignmentsResponse {
  return {
    throttleTimeMs: 0,
    ...(version >= FIRST_WITH_FACTOR ? { allowReplicationFactorChange } : {}),
    errorCode: problem?.errorCode ?? 0,
    errorMessage: problem?.message ?? null,
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((partition) => {
        const refusal = each(name, partition)
        return {
          partitionIndex: partition.partitionIndex,
          errorCode: refusal?.errorCode ?? 0,
          errorMessage: refusal?.message || null,
        }
      }),
    })),
  }
}

/** @returns why it was not done */
function reassign(
  cluster: Cluster,
  name: string,
  { partitionIndex, replicas }: Decoded<ReassignablePartition>,
  mayChangeFactor: boolean,
): Refusal | undefined {
  const unknown = (message: string): Refusal => ({ errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION, message })
  const topic = cluster.topic(name)
  if (topic === undefined) return unknown(`Unable to find a topic named ${name}.`)
  const partition = topic.partitions[partitionIndex]
  if (partition === undefined) return unknown(`Unable to find partition ${name}:${partitionIndex}.`)
  if (replicas === null)
    // Apache Kafka says nothing more about it.
    return { errorCode: ERROR.NO_REASSIGNMENT_IN_PROGRESS, message: '' }
  const problem =
    replicasProblem(cluster, replicas) ?? (mayChangeFactor ? undefined : factorProblem(partition, replicas))
  if (problem === undefined) cluster.reassign(partition, replicas)
  return problem
}

function replicasProblem(cluster: Cluster, replicas: readonly number[]): Refusal | undefined {
  const refuse = (what: string): Refusal => ({
    errorCode: ERROR.INVALID_REPLICA_ASSIGNMENT,
    message: `The manual partition assignment includes ${what}`,
  })
  if (replicas.length === 0) return refuse('an empty replica list.')
  for (const id of replicas.toSorted((a, b) => a - b)) {
    if (cluster.node(id) === undefined) return refuse(`broker ${id}, but no such broker is registered.`)
    if (replicas.indexOf(id) !== replicas.lastIndexOf(id)) return refuse(`the broker ${id} more than once.`)
  }
  return undefined
}

function factorProblem({ replicas: { length } }: Partition, replicas: readonly number[]): Refusal | undefined {
  if (replicas.length === length) return undefined
  return {
    errorCode: ERROR.INVALID_REPLICATION_FACTOR,
    message: `The replication factor is changed from ${length} to ${replicas.length}`,
  }
}
