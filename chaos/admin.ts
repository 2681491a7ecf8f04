/** What scenarios change of a cluster beyond what Millrace offers administrators. */
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { alterPartitionReassignmentsV0, alterUserScramCredentialsV0 } from '@platformatic/kafka'
import type { Cluster } from '../packages/millrace/src/kafka/cluster/cluster.ts'
import type { ApiCall, ApiVersion } from '../packages/millrace/src/kafka/protocol/api-call.ts'

const REASSIGN: ApiCall = {
  name: 'AlterPartitionReassignments',
  key: 45,
  versions: { 0: alterPartitionReassignmentsV0.api as ApiVersion },
}
const SCRAM: ApiCall = {
  name: 'AlterUserScramCredentials',
  key: 51,
  versions: { 0: alterUserScramCredentialsV0.api as ApiVersion },
}
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
  await cluster.request('controller', REASSIGN, () => [10_000, true, [{ name: topic, partitions }]])
}

/** Sets the password of a user for SCRAM-SHA-256, and creates the user with the first one. */
export async function setPassword(cluster: Cluster, name: string, password: string): Promise<void> {
  const salt = randomBytes(16)
  const saltedPassword = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256')
  const user = { name, mechanism: SCRAM_SHA_256, iterations: ITERATIONS, salt, saltedPassword }
  await cluster.request('controller', SCRAM, () => [[], [user]])
}
