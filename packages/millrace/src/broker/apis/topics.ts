/** What several APIs do with the topics and nodes of a request. */
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Topic } from '../cluster/topic.ts'

/** Says that authorized operations were not asked for. */
export const NOT_ASKED = -2147483648
/** All operations that there are for a topic, a group, and the cluster, as bits: nothing is forbidden. */
export const TOPIC_OPERATIONS = 0b1101_1111_1000
export const GROUP_OPERATIONS = 0b1101_0100_1000
export const CLUSTER_OPERATIONS = 0b1_1111_1010_0000

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
