/** AlterConfigs (33): replaces all settings of a topic, a broker or a group. */
import {
  alterConfigsApi,
  type AlterConfigsRequest,
  type AlterConfigsResponse,
} from '../../protocol/messages/alter-configs.ts'
import { isRefusal } from '../log/check-batch.ts'
import { configResource, configsProblem, TOPIC } from './config-resources.ts'
import type { Handler } from './handler.ts'

export const alterConfigs: Handler<AlterConfigsRequest, AlterConfigsResponse> = {
  api: alterConfigsApi,
  handle: ({ resources, validateOnly }, { broker }) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName, configs }) => {
      const resource = configResource(broker, resourceType, resourceName)
      const set = new Map(configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const])))
      const problem = isRefusal(resource) ? resource : configsProblem(resourceType, set)
      if (problem !== undefined)
        return { errorCode: problem.errorCode, errorMessage: problem.message, resourceType, resourceName }
      if (!isRefusal(resource) && !validateOnly) resource.replace(set)
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
