import type { TransactionState } from './transactions/states.ts'
import type { Transaction } from './transactions/transaction.ts'

/** What a test can see of a transactional id. */
export interface TransactionView {
  /** `transactional.id` of the producer. */
  readonly transactionalId: string
  /** Such as `Ongoing` or `CompleteCommit`. */
  readonly state: TransactionState
  /** Id that the coordinator gave the producer. */
  readonly producerId: bigint
  /** How often the producer has been initialised. */
  readonly producerEpoch: number
  /** Partitions of the open transaction. */
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
  /** Groups whose offsets are part of the open transaction. */
  readonly groups: readonly string[]
}

export function viewTransaction({ id, state, producer, partitions, groups }: Transaction): TransactionView {
  return {
    transactionalId: id,
    state,
    producerId: BigInt(producer.producerId),
    producerEpoch: producer.epoch,
    partitions: [...partitions].flatMap(([topic, indexes]) => [...indexes].map((partition) => ({ topic, partition }))),
    groups: [...groups],
  }
}
