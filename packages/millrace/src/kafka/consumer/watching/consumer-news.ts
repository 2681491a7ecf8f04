/**
 * Events of a consumer that are frequent: batches that were read, offsets that were committed, partitions that came and went. They are
 * counted always, and put together only while something listens.
 */
import { counted } from '../../../options/units.ts'
import { TO_CHANNELS } from '../../../metrics/channels.ts'
import type { Happenings } from '../../../metrics/events.ts'
import type { KafkaSourceMetrics } from '../../../metrics/kafka-source-metrics.ts'
import type { Batch } from '../../../records/batch.ts'
import { placesOf, type PartitionOffset, type TopicPartition } from '../../topic-partition.ts'
import type { ConsumerOptions } from '../options.ts'

export class ConsumerNews {
  readonly #clientId: string
  readonly #group: string | undefined
  readonly #happenings: Happenings
  readonly #counters: KafkaSourceMetrics | undefined

  constructor({ cluster, settings, happenings = TO_CHANNELS, counters }: ConsumerOptions) {
    this.#clientId = cluster.clientId
    this.#group = settings.groupId
    this.#happenings = happenings
    this.#counters = counters
  }

  /** A wait for records has ended without any. */
  waited(): void {
    this.#counters?.recordBatch(0, 0)
  }

  readonly fetched = (batch: Batch, bytes: number): void => {
    this.#counters?.recordBatch(batch.length, bytes)
    if (!this.#happenings.hears('records.fetched')) return
    const { topic, partition, length: records } = batch
    const offset = batch.firstOffset
    const facts = {
      event: 'records.fetched',
      clientId: this.#clientId,
      topic,
      partition,
      offset,
      records,
      bytes,
    } as const
    this.#happenings.report(`Read ${counted(records, 'record')} of partition ${partition} of topic "${topic}"`, facts)
  }

  /** Reading has ended with an error. */
  failed(): void {
    this.#counters?.recordError()
  }

  committed(offsets: readonly PartitionOffset[]): void {
    this.#counters?.recordCommit()
    if (!this.#happenings.hears('offsets.committed')) return
    const text = `Committed offsets of ${counted(offsets.length, 'partition')}`
    this.#happenings.report(text, {
      event: 'offsets.committed',
      clientId: this.#clientId,
      offsets: offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset: BigInt(offset) })),
    })
  }

  commitFailed(): void {
    this.#counters?.recordCommitFailure()
  }

  /** The group has settled. */
  settled(): void {
    this.#counters?.recordRebalance()
  }

  /** The group has changed what this member reads; one without a group reads everything all the time. */
  rebalanced(type: 'assigned' | 'revoked' | 'lost', partitions: readonly TopicPartition[]): void {
    if (this.#group === undefined || partitions.length === 0) return
    if (!this.#happenings.hears('group.rebalanced')) return
    const facts = { event: 'group.rebalanced', clientId: this.#clientId, group: this.#group, type } as const
    this.#happenings.report(`Group "${this.#group}": ${counted(partitions.length, 'partition')} ${type}`, {
      ...facts,
      partitions: placesOf(partitions),
    })
  }
}
