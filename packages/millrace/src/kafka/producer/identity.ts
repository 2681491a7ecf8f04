/**
 * What makes a producer idempotent: each record batch carries the id and epoch of its producer and the number of its
 * first record in the partition, and the leader refuses what is not next. So a batch can be sent again without harm.
 *
 * An epoch belongs to a partition here, not to the whole producer: a leader knows a producer per partition, and without
 * transactions nobody compares partitions. After a batch was lost for good, its partition goes on in the next epoch
 * from sequence 0, and a late copy of an old batch is refused because of its epoch (KIP-360).
 */
import type { MillraceError } from '../../errors/index.ts'
import { inBackground } from '../../resilience/background.ts'
import { retry } from '../../resilience/retry.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { INIT_PRODUCER_ID } from '../protocol/init-producer-id.ts'
import { brokerError } from '../protocol/kafka-errors.ts'
import type { Destination } from './reports.ts'

/** What an idempotent producer needs. */
const PRODUCER_GRANT = 'WRITE on the topic, or before Kafka 2.8 IDEMPOTENT_WRITE on the cluster,'

/** Id and epoch under which a partition is written. */
export interface ProducerIdentity {
  readonly id: number
  readonly epoch: number
}

/** Without idempotence. */
export const NO_IDENTITY: ProducerIdentity = { id: -1, epoch: -1 }

const MAX_EPOCH = 0x7fff

/** The sequence after `count` records; 2^31 - 1 is followed by 0. */
export function nextSequence(sequence: number, count: number): number {
  return (sequence + count) & 0x7fffffff
}

/** Sequence numbers of one partition. */
export class PartitionSequence {
  /** undefined until the first batch is sent, and when the epochs of an id are used up. */
  identity: ProducerIdentity | undefined
  next = 0
  /**
   * Whether the leader has accepted a batch of this epoch. Until then one batch may be under way at a time: a leader
   * that knows nothing of a producer takes any sequence for the first, so if the first batch failed and the second did
   * not, the first could never be written (KAFKA-14359).
   */
  established = false
  /** Whether a sequence that was assigned will never be written. The next batch starts a new epoch. */
  broken = false

  /** Sequence of the next `count` records. */
  take(count: number): number {
    const sequence = this.next
    this.next = nextSequence(sequence, count)
    return sequence
  }

  /** Starts over under another identity. A leader that knows the producer in an older epoch takes sequence 0 for the first and no other. */
  begin(identity: ProducerIdentity): void {
    this.established &&= !this.broken && identity.id === this.identity?.id
    this.identity = identity
    this.next = 0
    this.broken = false
  }
}

/** Where identities come from: `IdempotentIdentity`, or the coordinator of a transactional producer (`transactions.ts`). */
export interface IdentityOwner {
  /** Whether an identity is still the one to write with; that of a transactional producer changes for all partitions at once. */
  isCurrent(identity: ProducerIdentity): boolean
  /** Whether a batch of this transaction may be sent now. */
  admits(destination: Destination, transaction: number): boolean
  /** A batch of this transaction was given up. */
  onLost(error: MillraceError, transaction: number): void
  /**
   * Identity for a partition that has none or whose sequence broke. undefined while a new one is asked for;
   * `onChange` tells when to try again.
   */
  identityAfter(previous: ProducerIdentity | undefined): ProducerIdentity | undefined
  /** Gets the first identity. @throws {BrokerError} for instance CLUSTER_AUTHORIZATION_FAILED; {ConnectionError} */
  acquire(signal?: AbortSignal): Promise<void>
}

/** Identities of a producer without a transactional id: any broker gives a new id, epochs are counted here. */
export class IdempotentIdentity implements IdentityOwner {
  readonly #cluster: Cluster
  readonly #onChange: (error?: unknown) => void
  #current: ProducerIdentity | undefined
  #asking: Promise<void> | undefined

  /** @param onChange called when an identity was obtained, or with the error that prevents it */
  constructor(cluster: Cluster, onChange: (error?: unknown) => void) {
    this.#cluster = cluster
    this.#onChange = onChange
  }

  isCurrent(): boolean {
    return true
  }

  admits(): boolean {
    return true
  }

  onLost(): void {}

  identityAfter(previous: ProducerIdentity | undefined): ProducerIdentity | undefined {
    if (previous !== undefined) {
      if (previous.epoch < MAX_EPOCH) return { id: previous.id, epoch: previous.epoch + 1 }
      if (previous.id === this.#current?.id) this.#current = undefined
    }
    if (this.#current === undefined)
      inBackground(
        this.acquire().then(() => this.#onChange()),
        (error) => this.#onChange(error),
      )
    return this.#current
  }

  acquire(signal?: AbortSignal): Promise<void> {
    if (this.#current !== undefined) return Promise.resolve()
    this.#asking ??= this.#ask(signal).finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #ask(signal: AbortSignal | undefined): Promise<void> {
    const cluster = this.#cluster
    await retry(
      async () => {
        const answer = await cluster.request(
          'any',
          INIT_PRODUCER_ID,
          () => ({ transactionalId: null, transactionTimeoutMs: 0x7fffffff }),
          { signal },
        )
        if (answer.errorCode !== 0)
          throw brokerError(answer.errorCode, 'Cannot get a producer id', { grant: PRODUCER_GRANT })
        this.#current = { id: answer.producerId, epoch: answer.producerEpoch }
      },
      { timeoutMs: cluster.apiTimeoutMs, backoff: cluster.backoff, signal },
    )
  }
}
