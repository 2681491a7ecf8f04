/** Where a component reads or writes, in a form in which two of them can be compared. */
export interface Endpoints {
  /** Topics that it reads or writes; none where it does not work on a Kafka cluster. */
  readonly topics: readonly string[]
  /** Some brokers of the cluster, as `host:port`; none where it does not work on one. */
  readonly brokers: readonly string[]
  /** Whether what it writes, or the offsets of what it read, can be part of a transaction of the cluster. */
  readonly joinsTransactions: boolean
}

/** Of a component that works on no Kafka cluster. */
export const NO_ENDPOINTS: Endpoints = { topics: [], brokers: [], joinsTransactions: false }
