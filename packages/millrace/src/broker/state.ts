/** Everything that handlers work on. */
import type { Cluster } from './cluster/cluster.ts'
import type { FetchSessions } from './cluster/fetch-sessions.ts'
import type { GroupCoordinator } from './groups/coordinator.ts'
import type { Cleaner } from './log/cleaner.ts'
import type { Security } from './security/security.ts'
import type { TransactionCoordinator } from './transactions/coordinator.ts'

/** A feature of the cluster, as ApiVersions reports it (KIP-584). */
export interface Feature {
  readonly name: string
  readonly min: number
  readonly max: number
  /** The level that is in force. */
  readonly level: number
}

export interface BrokerState {
  readonly cluster: Cluster
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly security: Security
  readonly cleaner: Cleaner
  readonly features: readonly Feature[]
  /** Of each node. */
  fetchSessions(node: number): FetchSessions
}
