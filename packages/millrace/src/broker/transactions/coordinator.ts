/**
 * The transaction coordinators of all nodes: who may write under a transactional id, and which partitions and groups its
 * transaction has touched. What ends how in which state is in `states.ts`. It knows no sockets.
 *
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-98
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { CoordinatorPlaces, GroupCoordinator } from '../groups/coordinator.ts'
import type { StoredState } from '../storage/changes.ts'
import type { Timers } from '../timers.ts'
import { ENDINGS_TV1, ENDINGS_TV2, ENDINGS_TV2_REPEATED, type Ending } from './states.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import { LAST_EPOCH, NO_PRODUCER, Transaction } from './transaction.ts'

/** `transaction.max.timeout.ms` */
const MAX_TIMEOUT_MS = 900_000
/** Of the markers; the coordinator never loses its place. */
const COORDINATOR_EPOCH = 0

/** A producer, or why there is none. */
export type Identified = ProducerIdentity | number

export interface Ended {
  readonly errorCode: number
  /** With which the next transaction begins. */
  readonly producer: ProducerIdentity
}

export class TransactionCoordinator {
  readonly #cluster: Cluster
  readonly #groups: GroupCoordinator
  readonly #places: CoordinatorPlaces
  readonly #timers: Timers
  readonly #transactions = new Map<string, Transaction>()

  constructor(cluster: Cluster, groups: GroupCoordinator, timers: Timers) {
    this.#cluster = cluster
    this.#groups = groups
    this.#places = groups.places
    this.#timers = timers
  }

  /** Why a node may not answer for a transactional id; 0 when it may. */
  refusal(id: string, node: number): number {
    if (id === '') return ERROR.INVALID_REQUEST
    return this.#places.of('transaction', id) === node ? ERROR.NONE : ERROR.NOT_COORDINATOR
  }

  find(id: string): Transaction | undefined {
    return this.#transactions.get(id)
  }

  /** All transactional ids, or those that a node coordinates. */
  all(node?: number): Transaction[] {
    const all = [...this.#transactions.values()]
    return node === undefined ? all : all.filter(({ id }) => this.#places.of('transaction', id) === node)
  }

  /** An id for a producer without transactions. */
  newProducer(): ProducerIdentity {
    return { producerId: this.#cluster.allocateProducerId(), epoch: 0 }
  }

  /**
   * Gives a producer the transactional id, and fences the producer that had it. An open transaction is aborted, and the producer has to
   * ask again.
   *
   * @param expected what the producer has had so far (KIP-360); `NO_PRODUCER` when it is new
   * @returns an error code when it may not have it
   */
  initialize(id: string, timeoutMs: number, expected: ProducerIdentity): Identified {
    if (timeoutMs <= 0 || timeoutMs > MAX_TIMEOUT_MS) return ERROR.INVALID_TRANSACTION_TIMEOUT
    const known = this.#transactions.get(id)
    if (known === undefined) {
      const created = new Transaction(id, this.newProducer(), timeoutMs)
      this.#save(created)
      this.#transactions.set(id, created)
      return created.producer
    }
    if (expected.producerId !== NO_PRODUCER.producerId && !known.isCurrent(expected)) {
      // It has asked before, and did not get the answer.
      if (known.isPrevious(expected) && known.state !== 'Ongoing') return known.producer
      return ERROR.PRODUCER_FENCED
    }
    if (known.state === 'Ongoing') {
      this.#fence(known)
      return ERROR.CONCURRENT_TRANSACTIONS
    }
    known.timeoutMs = timeoutMs
    known.state = 'Empty'
    known.previous = expected.producerId === NO_PRODUCER.producerId ? NO_PRODUCER : known.producer
    known.producer = this.#next(known.producer)
    this.#save(known)
    return known.producer
  }

  #save(transaction: Transaction): void {
    this.#cluster.options.store.record({ is: 'transaction', ...transaction.stored() })
  }

  /**
   * Takes over what was kept. A transaction whose end was recorded is ended where that had not been done, and one that was open
   * stays so for the rest of its time.
   */
  restore({ transactions }: StoredState): void {
    for (const stored of transactions.values()) {
      const transaction = Transaction.of(stored)
      this.#transactions.set(stored.id, transaction)
      if (transaction.state === 'Ongoing') this.#startTimer(transaction)
      else if (transaction.partitions.size > 0 || transaction.groups.size > 0) this.#finish(transaction, true)
    }
  }

  /** The same producer in the next epoch; another id when there is none. */
  #next({ producerId, epoch }: ProducerIdentity): ProducerIdentity {
    return epoch >= LAST_EPOCH ? this.newProducer() : { producerId, epoch: epoch + 1 }
  }

  /** @returns an error code when the producer does not own the transactional id */
  #owned(id: string, producer: ProducerIdentity): Transaction | number {
    const transaction = this.#transactions.get(id)
    if (transaction?.producer.producerId !== producer.producerId) return ERROR.INVALID_PRODUCER_ID_MAPPING
    return transaction.producer.epoch === producer.epoch ? transaction : ERROR.PRODUCER_FENCED
  }

  /** Adds partitions to the transaction, and begins it if need be. @returns an error code */
  addPartitions(
    id: string,
    producer: ProducerIdentity,
    partitions: Iterable<readonly [topic: string, partition: number]>,
  ): number {
    const transaction = this.#owned(id, producer)
    if (typeof transaction === 'number') return transaction
    const added = [...partitions].filter(([topic, partition]) => !transaction.has(topic, partition))
    if (added.length === 0 && transaction.state === 'Ongoing') return ERROR.NONE
    this.#begin(transaction)
    for (const [topic, partition] of added) transaction.addPartition(topic, partition)
    this.#save(transaction)
    return ERROR.NONE
  }

  /** Adds the offsets of a group to the transaction. @returns an error code */
  addGroup(id: string, producer: ProducerIdentity, groupId: string): number {
    const transaction = this.#owned(id, producer)
    if (typeof transaction === 'number') return transaction
    if (transaction.state === 'Ongoing' && transaction.groups.has(groupId)) return ERROR.NONE
    this.#begin(transaction)
    transaction.groups.add(groupId)
    this.#save(transaction)
    return ERROR.NONE
  }

  /** Whether partitions are in the transaction. @returns an error code */
  verifyPartition(id: string, producer: ProducerIdentity, topic: string, partition: number): number {
    const transaction = this.#owned(id, producer)
    if (typeof transaction === 'number') return transaction
    return transaction.has(topic, partition) ? ERROR.NONE : ERROR.TRANSACTION_ABORTABLE
  }

  /** Whether the offsets of a group are in the transaction. @returns an error code */
  verifyGroup(id: string, producer: ProducerIdentity, groupId: string): number {
    const transaction = this.#owned(id, producer)
    if (typeof transaction === 'number') return transaction
    return transaction.state === 'Ongoing' && transaction.groups.has(groupId) ? ERROR.NONE : ERROR.TRANSACTION_ABORTABLE
  }

  #begin(transaction: Transaction): void {
    if (transaction.state === 'Ongoing') return
    transaction.state = 'Ongoing'
    transaction.startTimeMs = this.#cluster.now()
    this.#startTimer(transaction)
  }

  #startTimer(transaction: Transaction): void {
    const leftMs = transaction.startTimeMs + transaction.timeoutMs - this.#cluster.now()
    transaction.stopTimer = this.#timers.after(Math.max(0, leftMs), () => this.#fence(transaction))
  }

  /**
   * Ends a transaction.
   *
   * @param bumps whether the client knows that its epoch grows (TV2)
   */
  end(id: string, producer: ProducerIdentity, commit: boolean, bumps: boolean): Ended {
    const transaction = this.#transactions.get(id)
    const refused = (errorCode: number): Ended => ({ errorCode, producer: NO_PRODUCER })
    if (transaction === undefined) return refused(ERROR.INVALID_PRODUCER_ID_MAPPING)
    const isRepeated = bumps && !transaction.isCurrent(producer) && transaction.isPrevious(producer)
    if (!isRepeated) {
      const owned = this.#owned(id, producer)
      if (typeof owned === 'number') return refused(owned)
    }
    const endings = bumps ? (isRepeated ? ENDINGS_TV2_REPEATED : ENDINGS_TV2) : ENDINGS_TV1
    const ending: Ending = endings[transaction.state][commit ? 'commit' : 'abort']
    if (ending === 'invalid') return refused(ERROR.INVALID_TXN_STATE)
    if (ending !== 'done') {
      if (bumps) this.#grow(transaction)
      this.#complete(transaction, commit)
    }
    return { errorCode: ERROR.NONE, producer: transaction.producer }
  }

  #grow(transaction: Transaction): void {
    transaction.previous = transaction.producer
    transaction.producer = this.#next(transaction.producer)
  }

  /** Aborts the open transaction in the next epoch, so that its producer cannot write any more. */
  #fence(transaction: Transaction): void {
    const { producerId, epoch } = transaction.producer
    transaction.previous = NO_PRODUCER
    transaction.producer = { producerId, epoch: epoch + 1 }
    this.#complete(transaction, false)
  }

  #complete(transaction: Transaction, commit: boolean): void {
    transaction.stopTimer()
    transaction.state = commit ? 'CompleteCommit' : 'CompleteAbort'
    transaction.startTimeMs = -1
    // From here on it is decided, even if the broker is killed before all markers are written.
    this.#save(transaction)
    this.#finish(transaction, false)
  }

  /**
   * Writes the markers, and shows or drops the offsets.
   *
   * @param isRestored whether some of it may have been done before a restart
   */
  #finish(transaction: Transaction, isRestored: boolean): void {
    const commit = transaction.state === 'CompleteCommit'
    const written = this.#writerOf(transaction)
    for (const [topic, partitions] of transaction.partitions)
      for (const index of partitions) {
        const partition = this.#cluster.partition(topic, index)
        const isOpen = partition?.log.producers.find(written.producerId)?.transactionStart !== undefined
        if (isRestored && !isOpen) continue
        partition?.log.appendMarker(
          written.producerId,
          written.epoch,
          commit,
          COORDINATOR_EPOCH,
          partition.leaderEpoch,
          this.#cluster.now(),
        )
      }
    this.#groups.endTransaction(transaction.groups, written.producerId, commit)
    if (transaction.partitions.size === 0 && transaction.groups.size === 0) return
    transaction.partitions.clear()
    transaction.groups.clear()
    this.#save(transaction)
  }

  /** Who the records of the transaction are from: not a producer that has just got another id. */
  #writerOf({ producer, previous }: Transaction): ProducerIdentity {
    const isReplaced = previous.producerId !== NO_PRODUCER.producerId && previous.producerId !== producer.producerId
    return isReplaced ? { producerId: previous.producerId, epoch: LAST_EPOCH + 1 } : producer
  }

  stop(): void {
    for (const { stopTimer } of this.#transactions.values()) stopTimer()
  }
}
