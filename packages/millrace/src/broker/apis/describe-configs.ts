/**
 * DescribeConfigs (32): all settings of topics and groups with their defaults, and those of brokers that clients ask for. The
 * synonyms of a setting are its values by where they come from, the one in force first (KIP-226).
 */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  describeConfigsApi,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from '../../protocol/messages/describe-configs.ts'
import { isRefusal } from '../log/check-batch.ts'
import { configResource, TOPIC } from './config-resources.ts'
import type { Handler } from './handler.ts'

export const describeConfigs: Handler<DescribeConfigsRequest, DescribeConfigsResponse> = {
  api: describeConfigsApi,
  handle: ({ resources, includeSynonyms }, { broker }) => ({
    throttleTimeMs: 0,
    results: resources.map(({ resourceType, resourceName, configurationKeys }) => {
      const resource = configResource(broker, resourceType, resourceName)
      if (isRefusal(resource)) {
        const isUnknown = resource.errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION
        const errorMessage = isUnknown ? 'This server does not host this topic-partition.' : resource.message
        return { errorCode: resource.errorCode, errorMessage, resourceType, resourceName, configs: [] }
      }
      const configs = resource
        .describe()
        .filter(({ name }) => configurationKeys?.includes(name) ?? true)
        .map((config) => (includeSynonyms === true ? config : { ...config, synonyms: [] }))
      return { errorCode: 0, errorMessage: null, resourceType, resourceName, configs }
    }),
  }),
  refuse: ({ resources }, errorCode) => ({
    throttleTimeMs: 0,
    results: resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage: null,
      resourceType,
      resourceName,
      configs: [],
    })),
  }),
  subjects: ({ resources }) => ({
    topics: resources
      .filter(({ resourceType }) => resourceType === TOPIC)
      .map(({ resourceName }) => ({ name: resourceName, partitions: [] })),
  }),
}
