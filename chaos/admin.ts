/** What scenarios change of a cluster beyond what Millrace offers administrators. */
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Cluster } from '../packages/millrace/src/kafka/cluster/cluster.ts'
import { apiCall } from '../packages/millrace/src/kafka/protocol/api-call.ts'
import { alterPartitionReassignmentsApi } from '../packages/millrace/src/protocol/messages/alter-partition-reassignments.ts'
import { alterUserScramCredentialsApi } from '../packages/millrace/src/protocol/messages/alter-user-scram-credentials.ts'

const REASSIGN = apiCall(alterPartitionReassignmentsApi, 0, 0)
const SCRAM = apiCall(alterUserScramCredentialsApi, 0, 0)
const SCRAM_SHA_256 = 1
const ITERATIONS = 4096

/**
 * Changes which brokers hold the partitions of a topic, and which of them shall lead, the first one.
 * @param replicas ids of brokers by partition
 */
export async function reassign(
  cluster: Cluster,
  topic: string,
  replicas: readonly (readonly number[])[],
): Promise<void> {
  const partitions = replicas.map((ids, partitionIndex) => ({ partitionIndex, replicas: ids }))
  await cluster.request('controller', REASSIGN, () => ({ timeoutMs: 10_000, topics: [{ name: topic, partitions }] }))
}

/** Sets the password of a user for SCRAM-SHA-256, and creates the user with the first one. */
export async function setPassword(cluster: Cluster, name: string, password: string): Promise<void> {
  const salt = randomBytes(16)
  const saltedPassword = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256')
  const user = { name, mechanism: SCRAM_SHA_256, iterations: ITERATIONS, salt, saltedPassword }
  await cluster.request('controller', SCRAM, () => ({ deletions: [], upsertions: [user] }))
}
