/** Creates the topics that do not exist, where an option asks for it. */
import type { NewTopic } from './contract.ts'
import { TopicAdmin } from './topics.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { exist } from './requests.ts'

/**
 * Creates those of some topics that do not exist; others stay as they are, whatever their partitions. Asks first, so that a
 * principal that may not create topics can use those that are there.
 *
 * @throws {BrokerError} for instance TOPIC_AUTHORIZATION_FAILED, INVALID_REPLICATION_FACTOR
 */
export async function createMissingTopics(
  cluster: Cluster,
  topics: readonly string[],
  {
    partitions,
    replicationFactor,
  }: { readonly partitions?: number | undefined; readonly replicationFactor?: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  const options: Omit<NewTopic, 'name'> = {
    ...(partitions === undefined ? {} : { partitions }),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
  }
  await cluster.connect(signal)
  const admin = new TopicAdmin(cluster)
  for (const name of topics)
    if (!(await exist(cluster, [name], signal))) await admin.createTopic({ name, ...options }, signal)
}
