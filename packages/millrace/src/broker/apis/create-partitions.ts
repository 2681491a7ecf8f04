/** CreatePartitions (37): adds partitions to topics. */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  createPartitionsApi,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
} from '../../protocol/messages/create-partitions.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Refusal } from '../log/check-batch.ts'
import type { Handler } from './handler.ts'

export const createPartitions: Handler<CreatePartitionsRequest, CreatePartitionsResponse> = {
  api: createPartitionsApi,
  handle({ topics, validateOnly }, { broker: { cluster } }) {
    const results = topics.map(({ name, count, assignments }) => {
      const replicas = assignments?.map(({ brokerIds }) => brokerIds)
      const problem = problemOf(name, count, replicas, cluster)
      if (problem !== undefined) return { name, errorCode: problem.errorCode, errorMessage: problem.message }
      const topic = cluster.topic(name)!
      if (!validateOnly) cluster.addPartitions(topic, count - topic.partitions.length, replicas)
      return { name, errorCode: 0 }
    })
    return { throttleTimeMs: 0, results }
  },
  refuse: ({ topics }, errorCode) => ({ throttleTimeMs: 0, results: topics.map(({ name }) => ({ name, errorCode })) }),
  subjects: ({ topics }) => ({ topics: topics.map(({ name }) => ({ name, partitions: [] })) }),
}

function problemOf(
  name: string,
  count: number,
  replicas: readonly number[][] | undefined,
  cluster: Cluster,
): Refusal | undefined {
  const topic = cluster.topic(name)
  if (topic === undefined)
    return { errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION, message: 'This server does not host this topic-partition.' }
  const present = topic.partitions.length
  if (count === present)
    return { errorCode: ERROR.INVALID_PARTITIONS, message: `Topic already has ${present} partition(s).` }
  if (count < present)
    return {
      errorCode: ERROR.INVALID_PARTITIONS,
      message: `The topic ${name} currently has ${present} partition(s); ${count} would not be an increase.`,
    }
  if (replicas === undefined) return undefined
  const areKnown = replicas.every((ids) => ids.length > 0 && ids.every((id) => cluster.node(id) !== undefined))
  if (replicas.length === count - present && areKnown) return undefined
  const message = `Attempted to add ${count - present} additional partition(s), but the assignment has ${replicas.length}, or names brokers that there are not.`
  return { errorCode: ERROR.INVALID_REPLICA_ASSIGNMENT, message }
}
