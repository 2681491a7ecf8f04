/** AlterConfigs (33): replaces all settings of a topic. */
import {
  alterConfigsApi,
  type AlterConfigsRequest,
  type AlterConfigsResponse,
} from '../../protocol/messages/alter-configs.ts'
import { isRefusal } from '../log/check-batch.ts'
import { configsProblem, configuredTopic, TOPIC } from './configs.ts'
import type { Handler } from './handler.ts'

export const alterConfigs: Handler<AlterConfigsRequest, AlterConfigsResponse> = {
  api: alterConfigsApi,
  handle: ({ resources, validateOnly }, { broker: { cluster } }) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName, configs }) => {
      const topic = configuredTopic(cluster, resourceType, resourceName)
      const set = new Map(configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const])))
      const problem = isRefusal(topic) ? topic : configsProblem(set)
      if (problem !== undefined)
        return { errorCode: problem.errorCode, errorMessage: problem.message, resourceType, resourceName }
      if (!isRefusal(topic) && !validateOnly) cluster.configure(topic, set)
      return { errorCode: 0, errorMessage: null, resourceType, resourceName }
    }),
  }),
  refuse: ({ resources }, errorCode) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage: null,
      resourceType,
      resourceName,
    })),
  }),
  subjects: ({ resources }) => ({
    topics: resources
      .filter(({ resourceType }) => resourceType === TOPIC)
      .map(({ resourceName }) => ({ name: resourceName, partitions: [] })),
  }),
}
