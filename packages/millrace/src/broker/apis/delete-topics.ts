/** DeleteTopics (20): by name, from version 6 on also by id. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  deleteTopicsApi,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from '../../protocol/messages/delete-topics.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { Handler } from './handler.ts'
import { topicOf } from './topics.ts'

export const deleteTopics: Handler<DeleteTopicsRequest, DeleteTopicsResponse> = {
  api: deleteTopicsApi,
  handle(request, { broker: { cluster, groups } }) {
    const responses = namedBy(request).map(({ name, topicId }) => {
      const topic = topicOf(cluster, { name, topicId })
      if (topic === undefined) {
        const errorCode = topicId === ZERO_UUID ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.UNKNOWN_TOPIC_ID
        const errorMessage =
          topicId === ZERO_UUID
            ? 'This server does not host this topic-partition.'
            : 'This server does not host this topic ID.'
        return { name, topicId, errorCode, errorMessage }
      }
      cluster.deleteTopic(topic)
      groups.forgetTopic(topic.name)
      return { name: topic.name, topicId: topic.id, errorCode: 0 }
    })
    return { throttleTimeMs: 0, responses }
  },
  refuse: (request, errorCode) => ({
    throttleTimeMs: 0,
    responses: namedBy(request).map((topic) => ({ ...topic, errorCode })),
  }),
  subjects: (request) => ({ topics: namedBy(request).map(({ name }) => ({ name: name ?? '', partitions: [] })) }),
}

function namedBy({ topics, topicNames }: Decoded<DeleteTopicsRequest>): { name: string | null; topicId: string }[] {
  return [...topics, ...topicNames.map((name) => ({ name, topicId: ZERO_UUID }))]
}
