/**
 * What a broker with a `directory` remembers beside its logs: changes, one after the other, and the state that they lead to.
 * The state is also kept while the broker runs, so that the journal can be written again when most of it is history.
 */
import type { CommittedOffset } from '../groups/committed-offset.ts'
import type { ProducerIdentity } from '../transactions/producer-identity.ts'
import type { TransactionState } from '../transactions/states.ts'

export interface StoredPartition {
  readonly replicas: readonly number[]
  readonly leader: number
  readonly epoch: number
  /** Records before it have been deleted. */
  readonly start: number
}

/** A change of one partition; a topic is named by its id. */
export interface PartitionChange extends StoredPartition {
  readonly is: 'partition'
  readonly topic: string
  readonly index: number
}

export interface OffsetChange {
  readonly is: 'offset'
  readonly topic: string
  readonly partition: number
  /** Null when it was deleted. */
  readonly committed: CommittedOffset | null
  /** Of the open transaction that holds it back. */
  readonly producerId?: number
}

/** The transaction of a producer has ended; what it held back is committed, or dropped. */
export interface OffsetsEnded {
  readonly is: 'offsets-ended'
  readonly producerId: number
  readonly commit: boolean
}

export interface StoredTransaction {
  readonly id: string
  readonly state: TransactionState
  readonly producer: ProducerIdentity
  readonly previous: ProducerIdentity
  readonly timeoutMs: number
  readonly startTimeMs: number
  readonly partitions: readonly (readonly [topic: string, partition: number])[]
  readonly groups: readonly string[]
}

export type Change =
  /** A broker has opened the folder. */
  | { readonly is: 'opened'; readonly cluster: string }
  | {
      readonly is: 'topic'
      readonly id: string
      readonly name: string
      readonly configs: readonly (readonly [name: string, value: string])[]
      /** Of a new topic. */
      readonly partitions?: readonly StoredPartition[]
    }
  | { readonly is: 'topic-deleted'; readonly id: string }
  | PartitionChange
  /** Ids below it may have been given to producers. */
  | { readonly is: 'producer-ids'; readonly next: number }
  | ((OffsetChange | OffsetsEnded) & { readonly group: string })
  | { readonly is: 'group-deleted'; readonly group: string }
  | ({ readonly is: 'transaction' } & StoredTransaction)
  /** A setting of another part of the broker, by its kind and key; null when it was removed. */
  | { readonly is: 'entry'; readonly kind: string; readonly key: string; readonly value: unknown }

export interface StoredTopic {
  readonly id: string
  readonly name: string
  configs: readonly (readonly [name: string, value: string])[]
  readonly partitions: StoredPartition[]
}

/** By group. */
export interface StoredOffsets {
  readonly committed: Map<string, OffsetChange>
  readonly held: OffsetChange[]
}

export class StoredState {
  cluster: string | undefined
  nextProducerId = 0
  readonly topics = new Map<string, StoredTopic>()
  readonly groups = new Map<string, StoredOffsets>()
  readonly transactions = new Map<string, StoredTransaction>()
  readonly entries = new Map<string, Extract<Change, { is: 'entry' }>>()

  apply(change: Change): void {
    switch (change.is) {
      case 'opened':
        this.cluster = change.cluster
        // Every leader begins a new epoch, as after the restart of a cluster.
        for (const { partitions } of this.topics.values())
          for (const [index, partition] of partitions.entries())
            partitions[index] = { ...partition, epoch: partition.epoch + 1 }
        return
      case 'topic': {
        const known = this.topics.get(change.id)
        if (known !== undefined) known.configs = change.configs
        else this.topics.set(change.id, { ...change, partitions: [...(change.partitions ?? [])] })
        return
      }
      case 'topic-deleted':
        return this.#deleteTopic(change.id)
      case 'partition': {
        const { replicas, leader, epoch, start } = change
        const topic = this.topics.get(change.topic)
        if (topic !== undefined) topic.partitions[change.index] = { replicas, leader, epoch, start }
        return
      }
      case 'producer-ids':
        this.nextProducerId = change.next
        return
      case 'offset':
        return this.#offset(change)
      case 'offsets-ended':
        return this.#endOffsets(change)
      case 'group-deleted':
        this.groups.delete(change.group)
        return
      case 'transaction': {
        const { is: _, ...transaction } = change
        this.transactions.set(change.id, transaction)
        return
      }
      case 'entry':
        if (change.value === null) this.entries.delete(`${change.kind} ${change.key}`)
        else this.entries.set(`${change.kind} ${change.key}`, change)
    }
  }

  #deleteTopic(id: string): void {
    const name = this.topics.get(id)?.name
    this.topics.delete(id)
    for (const { committed } of this.groups.values())
      for (const [key, { topic }] of committed) if (topic === name) committed.delete(key)
  }

  #offsets(group: string): StoredOffsets {
    let offsets = this.groups.get(group)
    if (offsets === undefined) this.groups.set(group, (offsets = { committed: new Map(), held: [] }))
    return offsets
  }

  #offset({ group, ...change }: OffsetChange & { readonly group: string }): void {
    const { committed, held } = this.#offsets(group)
    const key = `${change.topic}/${change.partition}`
    if (change.producerId !== undefined) held.push(change)
    else if (change.committed === null) committed.delete(key)
    else committed.set(key, change)
  }

  #endOffsets({ group, producerId, commit }: OffsetsEnded & { readonly group: string }): void {
    const offsets = this.#offsets(group)
    const ended = offsets.held.filter((offset) => offset.producerId === producerId)
    const open = offsets.held.filter((offset) => offset.producerId !== producerId)
    offsets.held.splice(0, offsets.held.length, ...open)
    if (!commit) return
    for (const { is, topic, partition, committed } of ended)
      offsets.committed.set(`${topic}/${partition}`, { is, topic, partition, committed })
  }

  /** The fewest changes that lead to this state. The epochs are those before the next opening. */
  *changes(): Generator<Change> {
    if (this.cluster !== undefined) yield { is: 'opened', cluster: this.cluster }
    yield { is: 'producer-ids', next: this.nextProducerId }
    for (const { id, name, configs, partitions } of this.topics.values())
      yield { is: 'topic', id, name, configs, partitions }
    for (const [group, { committed, held }] of this.groups)
      for (const change of [...committed.values(), ...held]) yield { ...change, group }
    for (const transaction of this.transactions.values()) yield { is: 'transaction', ...transaction }
    yield* this.entries.values()
  }
}
