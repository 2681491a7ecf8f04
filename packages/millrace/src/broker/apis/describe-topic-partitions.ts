/** DescribeTopicPartitions (75): partitions in pages, by the name of their topic (KIP-966). */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  describeTopicPartitionsApi,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
  type DescribeTopicPartitionsResponseTopic,
} from '../../protocol/messages/describe-topic-partitions.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import { nameProblem } from '../cluster/topic.ts'
import type { Handler } from './handler.ts'
import { describedPartition } from './metadata.ts'
import { authorizedOperations } from './topics.ts'

/** `max.request.partition.size.limit` */
const MAX_PARTITIONS = 2000

export const describeTopicPartitions: Handler<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse> = {
  api: describeTopicPartitionsApi,

  handle({ topics, cursor, responsePartitionLimit }, call) {
    const { broker } = call
    const { cluster } = broker
    const isAllowed = (name: string): boolean => call.permits('Describe', 'Topic', name)
    const asked = topics.length === 0 ? cluster.topics().map(({ name }) => name) : topics.map(({ name }) => name)
    const names = [...new Set(asked)]
      .filter((name) => isAllowed(name) && (cursor === null || name >= cursor.topicName))
      .toSorted()
    let left = Math.max(1, Math.min(responsePartitionLimit, MAX_PARTITIONS))
    // Topics that were named are refused, the others are left out.
    const described: DescribeTopicPartitionsResponseTopic[] = topics
      .filter(({ name }) => !isAllowed(name))
      .map(({ name }) => failed(name, ERROR.TOPIC_AUTHORIZATION_FAILED))
    for (const name of names) {
      const topic = cluster.topic(name)
      if (topic === undefined) {
        described.push(
          failed(
            name,
            nameProblem(name) === undefined ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.INVALID_TOPIC_EXCEPTION,
          ),
        )
        continue
      }
      const first = cursor?.topicName === name ? Math.max(0, cursor.partitionIndex) : 0
      if (left === 0)
        return { throttleTimeMs: 0, topics: described, nextCursor: { topicName: name, partitionIndex: first } }
      const page = topic.partitions.slice(first, first + left)
      left -= page.length
      const partitions = page.map((partition) => ({
        ...describedPartition(partition, broker),
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
      }))
      const { id, isInternal } = topic
      described.push({
        errorCode: 0,
        name,
        topicId: id,
        isInternal,
        partitions,
        topicAuthorizedOperations: authorizedOperations(true, 'Topic', name, call),
      })
      const next = first + page.length
      if (next < topic.partitions.length)
        return { throttleTimeMs: 0, topics: described, nextCursor: { topicName: name, partitionIndex: next } }
    }
    return { throttleTimeMs: 0, topics: described }
  },

  refuse: ({ topics }, errorCode) => ({ throttleTimeMs: 0, topics: topics.map(({ name }) => failed(name, errorCode)) }),
  subjects: ({ topics }) => ({ topics: topics.map(({ name }) => ({ name, partitions: [] })) }),
}

function failed(name: string, errorCode: number): DescribeTopicPartitionsResponseTopic {
  return { errorCode, name, topicId: ZERO_UUID, partitions: [] }
}
