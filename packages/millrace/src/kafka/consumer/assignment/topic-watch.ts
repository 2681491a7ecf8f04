/** Follows the topics of a consumer: looks for partitions that are new and leaders that have moved, and adds topics. */
import { BrokerError, isMillraceError, type MillraceError } from '../../../errors/index.ts'
import { asMillraceError } from '../../../errors/unexpected.ts'
import { inBackground } from '../../../resilience/background.ts'
import type { AssignedPartition } from '../../group/contract.ts'
import { GroupCoordinator } from '../../group/coordinator.ts'
import { committedBy } from '../../group/committed-offsets.ts'
import type { GroupSession } from '../../group/session.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { ConsumerOptions } from '../options.ts'
import type { OffsetBounds } from './offset-bounds.ts'
import { checkFixed, chosenStart, unreadPartitions } from './placement.ts'

export interface TopicWatchEvents {
  /** Partitions that are read at the moment. */
  readonly read: () => readonly TopicPartition[]
  /** These are to be read as well; only without a group, which says itself what is new. */
  readonly onAssigned: (partitions: readonly AssignedPartition[]) => Promise<void>
  /** A topic is gone, and reading goes on without it: nothing more is fetched of it. */
  readonly onGone: (topic: string) => void
  readonly onFailed: (error: MillraceError) => void
}

export class TopicWatch {
  readonly #options: ConsumerOptions
  readonly #session: GroupSession | undefined
  readonly #bounds: OffsetBounds
  readonly #events: TopicWatchEvents
  readonly #stop: AbortSignal
  #timer: NodeJS.Timeout | undefined

  /** @param stop ends what is asked of brokers */
  constructor(
    options: ConsumerOptions,
    session: GroupSession | undefined,
    bounds: OffsetBounds,
    events: TopicWatchEvents,
    stop: AbortSignal,
  ) {
    this.#options = options
    this.#session = session
    this.#bounds = bounds
    this.#events = events
    this.#stop = stop
  }

  /** Looks every `metadata.max.age.ms` until `end`. */
  begin(): void {
    const fail = (error: unknown): void =>
      this.#events.onFailed(asMillraceError(error, 'Looking for new partitions failed'))
    this.#timer = setInterval(() => inBackground(this.#look(), fail), this.#options.cluster.metadataMaxAgeMs)
    this.#timer.unref()
  }

  end(): void {
    clearInterval(this.#timer)
  }

  /** Asks for the topics again, so that leaders that have moved and partitions that are new are found. */
  async #look(): Promise<void> {
    const { cluster, topics, untilEnd } = this.#options
    try {
      await cluster.refresh(topics, this.#stop)
    } catch (error) {
      if (error instanceof BrokerError && error.code === 'TOPIC_NOT_FOUND' && error.topic !== undefined)
        this.gone(error.topic)
      // What reading needs is asked for again where it is needed, and fails there.
      if (!this.#stop.aborted && !isMillraceError(error)) throw error
      return
    }
    // A group says itself what is new. A bounded run ends where the topic ended when it began.
    if (this.#session !== undefined || untilEnd) return
    try {
      await this.assignNew(this.#stop)
    } catch (error) {
      // A broker that did not answer is asked again at the next look.
      if (!this.#stop.aborted && !(isMillraceError(error) && error.retriable)) throw error
    }
  }

  /** Takes all partitions of a consumer without a group. @throws {BrokerError} UNKNOWN_TOPIC_OR_PARTITION for one that it names and that does not exist */
  async assignFirst(signal: AbortSignal): Promise<void> {
    checkFixed(this.#options)
    await this.assignNew(signal)
  }

  /** Without a group every partition is read; takes those that are not. */
  async assignNew(signal: AbortSignal): Promise<void> {
    const added = unreadPartitions(this.#options, this.#events.read())
    if (added.length > 0) await this.#events.onAssigned(await this.committedOf(added, signal))
  }

  /** Reads more topics, from their beginning. @param add adds them to those of the options, as soon as they are known */
  async add(topics: readonly string[], add: () => void): Promise<void> {
    await this.#options.cluster.refresh(topics, this.#stop)
    this.#bounds.added(topics)
    add()
    if (this.#session === undefined) await this.assignNew(this.#stop)
    else this.#session.resubscribe()
  }

  /** A topic does not exist any more. @returns whether reading goes on without it */
  gone(topic: string): boolean {
    const { dropTopic, topics, warn } = this.#options
    const wasRead = topics.includes(topic)
    if (dropTopic?.(topic) !== true) return false
    this.#events.onGone(topic)
    if (!wasRead) return true
    warn(`Topic "${topic}" does not exist any more, so it is no longer read`, { event: 'topics.gone', topic })
    this.#session?.resubscribe()
    return true
  }

  /** What the group has committed, or, without one, where each partition is to be read from. */
  async committedOf(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<AssignedPartition[]> {
    if (this.#session !== undefined) return this.#session.committed(partitions, signal)
    const { cluster, settings, warn } = this.#options
    const { groupId } = settings
    if (groupId === undefined)
      return partitions.map((each) => ({ ...each, committed: chosenStart(this.#options, each) }))
    const coordinator = new GroupCoordinator(cluster, groupId, warn)
    return committedBy(coordinator, partitions, () => undefined, signal)
  }
}
