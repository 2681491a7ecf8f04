/** What several APIs do with the topics and nodes of a request. */
import { OPERATIONS, OPERATIONS_OF, type ResourceType } from '../security/authorizer.ts'
import type { Call } from './handler.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Topic } from '../cluster/topic.ts'

/** Says that authorized operations were not asked for. */
const NOT_ASKED = -2147483648

/** The operations that the client may use on a resource, as bits; `NOT_ASKED` if it does not want to know. */
export function authorizedOperations(isAsked: boolean, type: ResourceType, name: string, call: Call): number {
  if (!isAsked) return NOT_ASKED
  const allowed = (OPERATIONS_OF[type] ?? []).filter((operation) => call.permits(operation, type, name))
  return allowed.reduce((bits, operation) => bits | (1 << OPERATIONS.indexOf(operation)), 0)
}

/** The topic that a request names, by its id if it has one. */
export function topicOf(
  cluster: Cluster,
  { name, topicId }: { name: string | null; topicId: string },
): Topic | undefined {
  return topicId === ZERO_UUID ? cluster.topic(name ?? '') : cluster.topicById(topicId)
}

/** Where the nodes of a cluster listen, as Produce, Fetch and the like report it (KIP-951). */
export function endpointsOf(cluster: Cluster): { nodeId: number; host: string; port: number }[] {
  return cluster.running.map(({ id, host, port }) => ({ nodeId: id, host, port }))
}
