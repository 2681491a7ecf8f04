import type { StoredTransaction } from '../storage/changes.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import type { TransactionState } from './states.ts'

/** An epoch from which on the producer gets another id instead of the next epoch. */
export const LAST_EPOCH = 0x7ffe

export const NO_PRODUCER: ProducerIdentity = { producerId: -1, epoch: -1 }

/** A transactional id and its current or last transaction. */
export class Transaction {
  readonly id: string
  state: TransactionState = 'Empty'
  producer: ProducerIdentity
  /** Before the epoch last grew, or the id changed; for requests whose answer was lost. */
  previous: ProducerIdentity = NO_PRODUCER
  timeoutMs: number
  /** When the transaction that is open began; -1 when there is none. */
  startTimeMs = -1
  /** Partitions with records of it. */
  readonly partitions = new Map<string, Set<number>>()
  /** Groups with offsets of it. */
  readonly groups = new Set<string>()
  /** Ends the timer of the open transaction. */
  stopTimer: () => void = () => {}

  constructor(id: string, producer: ProducerIdentity, timeoutMs: number) {
    this.id = id
    this.producer = producer
    this.timeoutMs = timeoutMs
  }

  static of({ id, producer, timeoutMs, ...stored }: StoredTransaction): Transaction {
    const transaction = new Transaction(id, producer, timeoutMs)
    transaction.state = stored.state
    transaction.previous = stored.previous
    transaction.startTimeMs = stored.startTimeMs
    for (const [topic, partition] of stored.partitions) transaction.addPartition(topic, partition)
    for (const group of stored.groups) transaction.groups.add(group)
    return transaction
  }

  /** As it is kept. */
  stored(): StoredTransaction {
    const { id, state, producer, previous, timeoutMs, startTimeMs } = this
    const partitions = [...this.partitions].flatMap(([topic, list]) =>
      [...list].map((partition) => [topic, partition] as const),
    )
    return { id, state, producer, previous, timeoutMs, startTimeMs, partitions, groups: [...this.groups] }
  }

  has(topic: string, partition: number): boolean {
    return this.state === 'Ongoing' && this.partitions.get(topic)?.has(partition) === true
  }

  addPartition(topic: string, partition: number): void {
    const known = this.partitions.get(topic)
    if (known === undefined) this.partitions.set(topic, new Set([partition]))
    else known.add(partition)
  }

  isCurrent({ producerId, epoch }: ProducerIdentity): boolean {
    return this.producer.producerId === producerId && this.producer.epoch === epoch
  }

  isPrevious({ producerId, epoch }: ProducerIdentity): boolean {
    return producerId >= 0 && this.previous.producerId === producerId && this.previous.epoch === epoch
  }
}
