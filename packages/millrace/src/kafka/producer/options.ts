/**
 * What the producer takes: the settings that properties make, complete and within their limits, and what properties do not
 * know.
 */
import type { MillraceError } from '../../errors/index.ts'
import type { ProducerSettings } from '../properties/settings.ts'
import type { BackoffOptions } from '../../resilience/retry.ts'
import type { PartitionFunction } from './partitioners.ts'

/** Settings of which something else makes use: the owner of the transaction, and codecs. */
type NotOfProducer = 'transactionalId' | 'transactionTimeoutMs' | 'keySerializer' | 'valueSerializer'

export interface ProducerOptions extends Omit<ProducerSettings, 'partitioner' | NotOfProducer> {
  /** A named partitioner, or a function that chooses the partition of a record. */
  readonly partitioner: ProducerSettings['partitioner'] | PartitionFunction
  /** Most records of a record batch; no limit when undefined. */
  readonly batchRecords?: number | undefined
  /** How often a batch is sent again after it was refused, or not answered; until `deliveryTimeoutMs` when undefined. */
  readonly maxRetries?: number | undefined
  /** Waits before a batch is sent again; those of the cluster when undefined. */
  readonly retryBackoff?: BackoffOptions | undefined
  /** Whether what follows a failed batch in its partition fails with it, unless it is written already; also what comes later, with `for good`. */
  readonly failsFollowing?: boolean | 'for good' | undefined
  /**
   * Takes note of records that may have been written. With it they are not sent again without idempotence, and do not fail: writing
   * them again could repeat them.
   */
  readonly onUncertain?: ((records: number, reason: MillraceError) => void) | undefined
}
