/**
 * Where a consumer begins to read a partition, where it goes on when its position is gone, and where a bounded run stops.
 */
import { BrokerError } from '../../../errors/index.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { Warn } from '../options.ts'
import type { AssignedPartition } from '../../group/contract.ts'
import { listOffsets } from '../../cluster/log-offsets.ts'
import { ERROR } from '../../../protocol/error-codes.ts'
import { brokerError } from '../../protocol/kafka-errors.ts'
import type { ConsumerSettings } from '../../properties/settings.ts'
import { byTopic, keyOf, type TopicPartition } from '../../topic-partition.ts'
import { PartitionCounts } from './partition-counts.ts'

const OFFSET_OUT_OF_RANGE = 1

/** Asks for the offsets that the group has committed. */
export type CommittedOf = (partitions: readonly TopicPartition[]) => Promise<readonly AssignedPartition[]>

export class OffsetBounds {
  readonly #cluster: Cluster
  readonly #settings: ConsumerSettings
  readonly #warn: Warn
  readonly #signal: AbortSignal
  /** Ends of a bounded run; kept over rebalances, so that a partition that comes back has the same end. */
  readonly #ends = new Map<string, number>()
  /** Partitions of each topic when the group began, or this consumer subscribed. */
  readonly #counts = new PartitionCounts()

  /** @param signal ends what is asked of brokers */
  constructor(cluster: Cluster, settings: ConsumerSettings, warn: Warn, signal: AbortSignal) {
    this.#cluster = cluster
    this.#settings = settings
    this.#warn = warn
    this.#signal = signal
  }

  /** Whether the reset policy would give another place later on, so that the one it gave has to be committed. */
  get isResetElsewhere(): boolean {
    return this.#settings.autoOffsetReset !== 'earliest'
  }

  /** Records which partitions there are as the consumer subscribes; those that appear later are read from their beginning. */
  subscribed(topics: readonly string[]): void {
    for (const topic of topics) this.#counts.set(topic, this.#cluster.cachedTopic(topic)?.partitions.length ?? 0)
  }

  /** Metadata for commits of a topic, from which later members learn which partitions are new; undefined where they need not. */
  metadataOf(topic: string): string | undefined {
    return this.isResetElsewhere ? this.#counts.metadataOf(topic) : undefined
  }

  /** Topics that were found later, with all their partitions. */
  added(topics: readonly string[]): void {
    for (const topic of topics) this.#counts.set(topic, 0)
  }

  /**
   * Where to begin, by `keyOf`: the committed offset, the beginning of a partition that is new, or what the reset policy says.
   * @param committedOf asks for committed offsets
   * @throws {BrokerError} `NO_COMMITTED_OFFSET`
   */
  async starts(partitions: readonly AssignedPartition[], committedOf: CommittedOf): Promise<Map<string, number>> {
    const starts = new Map<string, number>()
    const missing: TopicPartition[] = []
    for (const { topic, partition, committed } of partitions) {
      if (committed === undefined) missing.push({ topic, partition })
      else starts.set(keyOf(topic, partition), committed)
    }
    this.#counts.learn(partitions)
    const isNew = await this.#newPartitions(missing, committedOf)
    const begun = await listOffsets(
      this.#cluster,
      missing.filter(isNew).map(({ topic, partition }) => ({ topic, partition, at: 'earliest' as const })),
      { signal: this.#signal },
    )
    for (const { topic, partition, offset } of begun) starts.set(keyOf(topic, partition), offset)
    for (const [id, offset] of await this.#reset(missing.filter((each) => !isNew(each)))) starts.set(id, offset)
    return starts
  }

  /**
   * Which partitions without a committed offset have appeared since this consumer subscribed, or since its group began. The commits of
   * the group say so; those of other clients do not: then a partition is new when all before it have a committed offset, and none after.
   */
  async #newPartitions(
    missing: readonly TopicPartition[],
    committedOf: CommittedOf,
  ): Promise<(each: TopicPartition) => boolean> {
    if (!this.isResetElsewhere) return () => false
    const isCommitted = this.#settings.groupId !== undefined // or else chosen by the program
    const guessed = new Map<string, number>()
    for (const [topic, list] of byTopic(missing)) {
      const count = this.#cluster.cachedTopic(topic)?.partitions.length ?? 0
      if (!isCommitted || list.length >= count) continue
      const found = await committedOf(Array.from({ length: count }, (_, partition) => ({ topic, partition })))
      if (this.#counts.learn(found).has(topic)) continue
      const first = Math.min(...list.map(({ partition }) => partition))
      if (found.every(({ partition, committed }) => (committed === undefined) === partition >= first))
        guessed.set(topic, first)
    }
    return ({ topic, partition }) => partition >= Math.min(this.#counts.of(topic), guessed.get(topic) ?? Infinity)
  }

  /** Where a bounded run stops, by `keyOf`: the end of the log when a partition was first seen. Records of open transactions count. */
  async ends(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    const unknown = partitions.filter(({ topic, partition }) => !this.#ends.has(keyOf(topic, partition)))
    for (const [id, end] of await this.#logEnds(unknown)) this.#ends.set(id, end)
    return this.#ends
  }

  /** Where a bounded run begins where a committed offset lies beyond the end of the log, by `keyOf`. @throws {BrokerError} `OFFSET_OUT_OF_RANGE` unless it may be reset */
  async startsWithin(
    partitions: readonly AssignedPartition[],
    ends: ReadonlyMap<string, number>,
  ): Promise<Map<string, number>> {
    const starts = new Map<string, number>()
    const beyond = partitions.filter(
      ({ topic, partition, committed }) => committed !== undefined && committed > ends.get(keyOf(topic, partition))!,
    )
    // The end of the run may lie before what another member has read since.
    const logEnds = await this.#logEnds(beyond)
    for (const { topic, partition, committed } of beyond) {
      const id = keyOf(topic, partition)
      if (committed! > logEnds.get(id)!) starts.set(id, await this.afterOutOfRange(topic, partition, committed!))
    }
    return starts
  }

  async #logEnds(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    if (partitions.length === 0) return new Map()
    const found = await listOffsets(
      this.#cluster,
      partitions.map(({ topic, partition }) => ({ topic, partition, at: 'latest' as const })),
      { signal: this.#signal },
    )
    return new Map(found.map(({ topic, partition, offset }) => [keyOf(topic, partition), offset]))
  }

  /**
   * Where to go on when a position is lost; undefined where the partition does not exist any more, as its topic was created again
   * with fewer partitions.
   * @param divergesAt as of `afterTruncation`; undefined where the position is not in the log
   * @throws {BrokerError} `OFFSET_OUT_OF_RANGE` unless it may be reset
   */
  async afterLoss(
    topic: string,
    partition: number,
    position: number,
    divergesAt?: number,
  ): Promise<number | undefined> {
    if (divergesAt !== undefined) return this.afterTruncation(topic, partition, position, divergesAt)
    try {
      return await this.afterOutOfRange(topic, partition, position)
    } catch (error) {
      if (!isPartitionGone(error)) throw error
      this.#gone(topic, partition)
      return undefined
    }
  }

  #gone(topic: string, partition: number): void {
    // If the topic gets it again, it is a new one.
    this.#counts.lower(topic, partition)
    const what = `Partition ${partition} of topic "${topic}" does not exist any more, so it is no longer read: the topic was recreated with fewer partitions`
    this.#warn(what, { event: 'topics.gone', topic, partition })
  }

  /** Whether an error says that a partition is gone that was assigned: then it is not read. Not of one that a broker does not know yet. */
  isDropped(error: unknown, { topic, partition, topicId }: AssignedPartition): boolean {
    if (!isPartitionGone(error) || error.topic !== topic || error.partition !== partition) return false
    const known = this.#cluster.cachedTopic(topic)?.id
    const isOther = topicId !== undefined && known !== undefined && known !== topicId
    const wasThere = partition < this.#counts.of(topic) && this.#counts.of(topic) !== Infinity
    if (!isOther && !wasThere) return false
    this.#gone(topic, partition)
    return true
  }

  /**
   * Where to go on when a position is not in the log.
   * @throws {BrokerError} `OFFSET_OUT_OF_RANGE` unless it may be reset
   */
  async afterOutOfRange(topic: string, partition: number, position: number): Promise<number> {
    const { offsetOutOfRange, autoOffsetReset } = this.#settings
    const where = `Offset ${position} of partition ${partition} of topic "${topic}" is not in the log`
    if (offsetOutOfRange === 'fail' || autoOffsetReset === 'none') {
      const asked = listOffsets(this.#cluster, [{ topic, partition, at: 'earliest' }], { signal: this.#signal })
      const [earliest] = await asked.catch((error: unknown) => {
        if (isPartitionGone(error)) return []
        throw error
      })
      const logStartOffset = earliest?.offset ?? -1
      const why =
        position < logStartOffset
          ? `, which begins at ${logStartOffset}: retention deleted the records in between before they were read`
          : ': the topic was recreated, or lost its last records'
      throw brokerError(
        OFFSET_OUT_OF_RANGE,
        `${where}${why}. To go on, reset the offsets of the group, or set offsetOutOfRange to "reset"`,
        { code: 'OFFSET_OUT_OF_RANGE', topic, partition, retriable: false },
      )
    }
    const offset = (await this.#reset([{ topic, partition }])).get(keyOf(topic, partition))!
    this.#warn(`${where}; reading continues at ${offset}`, {
      event: 'partitions.moved',
      topic,
      partition,
      position,
      offset,
    })
    return offset
  }

  /**
   * Where to go on when the log is another one from an offset on, because a broker became leader without having everything.
   * @throws {BrokerError} `OFFSET_OUT_OF_RANGE` unless it may be reset
   */
  async afterTruncation(topic: string, partition: number, position: number, divergesAt: number): Promise<number> {
    const what = `The records of partition ${partition} of topic "${topic}" from offset ${divergesAt} on are not those that were read up to ${position}: they were lost when a broker that did not have them became leader`
    if (this.#settings.offsetOutOfRange === 'fail' || this.#settings.autoOffsetReset === 'none')
      throw brokerError(
        OFFSET_OUT_OF_RANGE,
        `${what}. To continue with those that took their place, reset the offsets of the group, or set offsetOutOfRange to "reset"`,
        { code: 'OFFSET_OUT_OF_RANGE', topic, partition, retriable: false },
      )
    this.#warn(`${what}; reading continues at ${divergesAt}`, {
      event: 'partitions.moved',
      topic,
      partition,
      position,
      offset: divergesAt,
    })
    return divergesAt
  }

  async #reset(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    const { autoOffsetReset, isolation, groupId } = this.#settings
    const first = partitions[0]
    if (first === undefined) return new Map()
    if (autoOffsetReset === 'none') {
      throw new BrokerError(
        `Group "${groupId}" has no committed offset for partition ${first.partition} of topic "${first.topic}", and auto.offset.reset is "none": choose "earliest" or "latest", or commit an offset first`,
        {
          code: 'NO_COMMITTED_OFFSET',
          kafkaCode: -1,
          kafkaName: 'NO_COMMITTED_OFFSET',
          retriable: false,
          topic: first.topic,
          partition: first.partition,
        },
      )
    }
    const at = typeof autoOffsetReset === 'object' ? autoOffsetReset.timestampMs : autoOffsetReset
    const found = await listOffsets(
      this.#cluster,
      partitions.map(({ topic, partition }) => ({ topic, partition, at })),
      { isolation, signal: this.#signal },
    )
    return new Map(found.map(({ topic, partition, offset }) => [keyOf(topic, partition), offset]))
  }
}

function isPartitionGone(error: unknown): error is BrokerError {
  return (
    error instanceof BrokerError &&
    error.kafkaCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION &&
    error.partition !== undefined
  )
}

/** A group may assign a partition that is newer than the metadata. */
export async function refreshGrown(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<void> {
  const grown = partitions.filter(
    ({ topic, partition }) => partition >= (cluster.cachedTopic(topic)?.partitions.length ?? 0),
  )
  if (grown.length > 0) await cluster.refresh([...byTopic(grown).keys()], signal)
}
