/** DescribeConfigs (32): all settings of topics with their defaults, and those of the broker that differ from Kafka's. */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  describeConfigsApi,
  type DescribeConfigsRequest,
  type DescribeConfigsResourceResult,
  type DescribeConfigsResponse,
} from '../../protocol/messages/describe-configs.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { brokerConfigs } from '../cluster/broker-configs.ts'
import { CONFIG_TYPE_IDS, TOPIC_CONFIGS } from '../cluster/topic-configs.ts'
import type { Topic } from '../cluster/topic.ts'
import { BROKER, DEFAULT_SOURCE, STATIC_SOURCE, TOPIC, TOPIC_SOURCE } from './configs.ts'
import type { Handler } from './handler.ts'

export const describeConfigs: Handler<DescribeConfigsRequest, DescribeConfigsResponse> = {
  api: describeConfigsApi,
  handle: ({ resources }, { broker: { cluster } }) => ({
    throttleTimeMs: 0,
    results: resources.map(({ resourceType, resourceName, configurationKeys }) => {
      const found = configsOf(resourceType, resourceName, cluster)
      if (typeof found === 'string') {
        const errorCode = resourceType === TOPIC ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.INVALID_REQUEST
        return { errorCode, errorMessage: found, resourceType, resourceName, configs: [] }
      }
      const configs = found.filter(({ name }) => configurationKeys?.includes(name) ?? true)
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

/** @returns a text that says why there are none */
function configsOf(type: number, name: string, cluster: Cluster): DescribeConfigsResourceResult[] | string {
  if (type === TOPIC) {
    const topic = cluster.topic(name)
    return topic === undefined ? 'This server does not host this topic-partition.' : topicConfigs(topic)
  }
  if (type !== BROKER) return `Resources of type ${type} have no settings`
  // An empty name asks for what all brokers share, which is nothing.
  if (name === '') return []
  if (cluster.node(Number(name)) === undefined)
    return `Unexpected broker id, expected one of ${cluster.nodes.map(({ id }) => id).join(', ')}, but received ${name}`
  return brokerConfigs(cluster, Number(name)).map(({ name: config, value, type: configType }) => ({
    name: config,
    value,
    readOnly: true,
    configSource: STATIC_SOURCE,
    isSensitive: false,
    synonyms: [],
    configType: CONFIG_TYPE_IDS[configType],
  }))
}

function topicConfigs({ configs }: Topic): DescribeConfigsResourceResult[] {
  return Object.entries(TOPIC_CONFIGS).map(([name, definition]) => ({
    name,
    value: configs.get(name) ?? definition.default,
    readOnly: false,
    configSource: configs.has(name) ? TOPIC_SOURCE : DEFAULT_SOURCE,
    isSensitive: false,
    synonyms: [],
    configType: CONFIG_TYPE_IDS[definition.type],
  }))
}
