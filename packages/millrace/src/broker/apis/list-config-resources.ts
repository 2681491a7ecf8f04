/** ListConfigResources (74): what has settings (KIP-1142). In version 0, only client metrics, of which there are none. */
import {
  listConfigResourcesApi,
  type ListConfigResourcesRequest,
  type ListConfigResourcesResponse,
} from '../../protocol/messages/list-config-resources.ts'
import { BROKER, GROUP, TOPIC } from './config-resources.ts'
import type { Handler } from './handler.ts'

export const listConfigResources: Handler<ListConfigResourcesRequest, ListConfigResourcesResponse> = {
  api: listConfigResourcesApi,
  handle({ resourceTypes }, { broker: { cluster, groups }, version }) {
    const wants = (type: number): boolean => version > 0 && (resourceTypes.length === 0 || resourceTypes.includes(type))
    const topics = wants(TOPIC) ? cluster.topics().map(({ name }) => ({ resourceName: name, resourceType: TOPIC })) : []
    const nodes = wants(BROKER)
      ? cluster.running.map(({ id }) => ({ resourceName: String(id), resourceType: BROKER }))
      : []
    const configured = wants(GROUP)
      ? groups.configured().map((name) => ({ resourceName: name, resourceType: GROUP }))
      : []
    return { throttleTimeMs: 0, errorCode: 0, configResources: [...topics, ...nodes, ...configured] }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode, configResources: [] }),
}
