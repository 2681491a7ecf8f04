/**
 * Reads topics batch by batch: group session, fetcher and offset ledger put together.
 *
 * A batch that was handed out counts as *outstanding* until it is acknowledged. Offsets are committed every
 * `autoCommitIntervalMs`, when partitions are revoked and on close, and never beyond an outstanding batch (I1, I2); other
 * ways are `CommitMode`.
 */
import { Batch, type Acknowledgement, type BatchOrigin } from '../batch.ts'
import type { GroupOffsets, ReleaseListener, SourceOffsets } from '../component.ts'
import { AbortedError, BrokerError, type MillraceError } from '../errors/index.ts'
import type { Cluster } from './cluster.ts'
import { Fetcher, type TakenSlice } from './fetcher.ts'
import { fetchCommitted } from './group/committed-offsets.ts'
import { GroupCoordinator } from './group/coordinator.ts'
import { GroupSession } from './group/session.ts'
import type { AssignedPartition, GroupListener } from './group/types.ts'
import { OffsetLedger } from './offset-ledger.ts'
import { listOffsets } from './offsets.ts'
import { brokerError } from './protocol/kafka-errors.ts'
import { keyOf, type TopicPartition } from './topic-partition.ts'
import type { ConsumerSettings } from './properties.ts'

const OFFSET_OUT_OF_RANGE = 1
const NOT_TRACKED: Acknowledgement = { ack() {} }

/**
 * Who commits: this consumer, every `autoCommitIntervalMs` (`interval`) or after each acknowledgement (`each`), and when it
 * lets go of partitions; whoever calls `commit` and nobody else (`manual`); or a transaction, through `SourceOffsets`.
 */
export type CommitMode = 'interval' | 'each' | 'manual' | 'transaction'

export interface ConsumerOptions {
  readonly cluster: Cluster
  readonly topics: readonly string[]
  readonly settings: ConsumerSettings
  /** Stop at the offsets that were the end when a partition was first seen. */
  readonly untilEnd: boolean
  /** Stop when this many records have been handed out; no limit when omitted. */
  readonly maxRecords?: number | undefined
  /** Begin where the group would, but neither join it nor commit anything. */
  readonly onlyLook?: boolean
  /** `interval` when omitted. */
  readonly commits?: CommitMode
  /** Name of the component, for errors and metrics. */
  readonly component: string
  readonly warn: (message: string, facts?: { readonly [name: string]: unknown }) => void
}

export interface ConsumerProgress {
  readonly records: number
  readonly bytes: number
  /** Records between what was handed out and the end; undefined until every partition has answered. */
  readonly lag: number | undefined
  readonly commits: number
  readonly rebalances: number
}

interface Assigned extends TopicPartition {
  readonly origin: { readonly CreateTime: BatchOrigin; readonly LogAppendTime: BatchOrigin }
  /** Where reading began: the place to go back to while nothing is committed. */
  start: number
  /** The offset after the last record handed out. */
  delivered: number
  /** Where a bounded run stops; undefined in an endless one. */
  readonly end: number | undefined
  /** Where their number is bounded: batches handed out that a transaction may give back, as the offset behind each and its records. */
  uncommitted: { readonly nextOffset: number; readonly records: number }[]
}

export class Consumer implements GroupListener, SourceOffsets {
  readonly #cluster: Cluster
  readonly #options: ConsumerOptions
  readonly #ledger = new OffsetLedger()
  readonly #fetcher: Fetcher
  readonly #session: GroupSession | undefined
  readonly #assigned = new Map<string, Assigned>()
  /** Ends of a bounded run; kept over rebalances, so that a partition that comes back has the same end. */
  readonly #ends = new Map<string, number>()
  readonly #stop = new AbortController()
  readonly #mode: CommitMode
  #release: ReleaseListener | undefined
  #failure: MillraceError | undefined
  #commitTimer: NodeJS.Timeout | undefined
  #committing: Promise<void> = Promise.resolve()
  #isCommitDue = false
  #closing: Promise<void> | undefined
  #records = 0
  /** Of these, those that an aborted transaction gave back; they are handed out again. */
  #rewound = 0
  #bytes = 0
  #commits = 0

  /** Records that may still be handed out. */
  get #left(): number {
    return (this.#options.maxRecords ?? Infinity) - this.#records + this.#rewound
  }

  constructor(options: ConsumerOptions) {
    this.#cluster = options.cluster
    this.#options = options
    this.#mode = options.commits ?? 'interval'
    const { settings } = options
    this.#fetcher = new Fetcher(
      options.cluster,
      { ...settings, bufferBytes: settings.fetchBufferBytes, requestTimeoutMs: options.cluster.requestTimeoutMs },
      {
        onOutOfRange: (topic, partition, position) => this.#onOutOfRange(topic, partition, position),
      },
    )
    if (settings.groupId !== undefined && options.onlyLook !== true) {
      this.#session = new GroupSession(
        options.cluster,
        {
          groupId: settings.groupId,
          topics: options.topics,
          sessionTimeoutMs: settings.sessionTimeoutMs,
          heartbeatIntervalMs: settings.heartbeatIntervalMs,
          rebalanceTimeoutMs: settings.maxPollIntervalMs,
          protocol: settings.groupProtocol,
          assignors: settings.assignors,
          ...(settings.instanceId === undefined ? {} : { instanceId: settings.instanceId }),
          ...(settings.serverAssignor === undefined ? {} : { serverAssignor: settings.serverAssignor }),
          ...(settings.rackId === undefined ? {} : { rackId: settings.rackId }),
        },
        this,
      )
    }
  }

  /**
   * Connects, checks that the topics exist and, with a group, joins it.
   * @throws {ConnectionError} {BrokerError} `TOPIC_NOT_FOUND`, `NO_COMMITTED_OFFSET`, `GROUP_FAILED`
   */
  async open(signal: AbortSignal): Promise<void> {
    await this.#cluster.connect(signal, undefined, this.#options.warn)
    await this.#cluster.refresh(this.#options.topics, signal)
    if (this.#session !== undefined) {
      await this.#session.start(signal)
      const interval = this.#options.settings.autoCommitIntervalMs
      if (this.#mode !== 'interval') return
      this.#commitTimer = setInterval(
        () => void this.commit().catch((error: unknown) => this.#warnCommit(error)),
        interval,
      )
      this.#commitTimer.unref()
      return
    }
    const all = this.#options.topics.flatMap((topic) =>
      this.#cluster.cachedTopic(topic)!.partitions.map(({ partition }) => ({ topic, partition })),
    )
    const { groupId } = this.#options.settings
    const committed =
      groupId === undefined
        ? []
        : await fetchCommitted(new GroupCoordinator(this.#cluster, groupId), all, () => undefined, signal)
    const offsets = new Map(committed.map(({ topic, partition, offset }) => [keyOf(topic, partition), offset]))
    await this.onAssigned(all.map((each) => ({ ...each, committed: offsets.get(keyOf(each.topic, each.partition)) })))
  }

  /**
   * The batches, in order per partition; ends when the signal fires, or at the end of a bounded run.
   * @throws the error that ended the group session or the fetcher; {CorruptRecordError}
   */
  async *batches(signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    const interrupt = (): void => this.#fetcher.interrupt()
    signal.addEventListener('abort', interrupt)
    try {
      while (!signal.aborted && this.#closing === undefined && this.#left > 0) {
        if (this.#failure !== undefined) throw this.#failure
        const slice = this.#fetcher.take()
        if (slice !== undefined) {
          const batch = this.#toBatch(slice)
          if (batch !== undefined) yield batch
        } else if (this.#isAtEnd()) {
          return
        } else {
          await this.#fetcher.wait()
        }
      }
    } finally {
      signal.removeEventListener('abort', interrupt)
    }
  }

  /** Stops handing out a partition; heartbeats go on and what was fetched waits. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#fetcher.pause(topic, partition)
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#fetcher.resume(topic, partition)
  }

  get assignment(): readonly TopicPartition[] {
    return [...this.#assigned.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * Commits what has been acknowledged contiguously (I2); without a group there is nothing to commit.
   * @throws {BrokerError} {ConnectionError} when the coordinator could not be reached in time
   */
  commit(partitions?: readonly TopicPartition[]): Promise<void> {
    // One after the other: a commit that overtakes an earlier one could set offsets back.
    this.#committing = this.#committing.then(
      () => this.#commit(partitions),
      () => this.#commit(partitions),
    )
    return this.#committing
  }

  /** Resolves when everything handed out is acknowledged. @throws {AbortedError} */
  drained(signal: AbortSignal): Promise<void> {
    return this.#ledger.drained(undefined, AbortSignal.any([signal, this.#stop.signal]))
  }

  get member(): string | undefined {
    return this.#options.settings.instanceId
  }

  taken(): GroupOffsets {
    const session = this.#session!
    const offsets = this.#ledger.committable()
    const tenures = offsets.map((each) => session.tenure(each))
    const instanceId = this.member
    return {
      groupId: this.#options.settings.groupId!,
      offsets,
      member: () => {
        const isOwned = offsets.every((each, i) => tenures[i] !== undefined && session.tenure(each) === tenures[i])
        return isOwned ? { memberId: session.memberId, generation: session.generation, instanceId } : undefined
      },
      awaitGeneration: (generation) => session.awaitGeneration(generation),
    }
  }

  committed({ offsets }: GroupOffsets): void {
    this.#ledger.committed(offsets)
    if (offsets.length > 0) this.#commits++
    for (const { topic, partition, offset } of offsets) {
      const assigned = this.#assigned.get(keyOf(topic, partition))
      if (assigned !== undefined)
        assigned.uncommitted = assigned.uncommitted.filter(({ nextOffset }) => nextOffset > offset)
    }
  }

  onRelease(listener: ReleaseListener): void {
    this.#release = listener
  }

  async rewind(signal: AbortSignal): Promise<void> {
    const assigned = [...this.#assigned.values()]
    for (const { topic, partition } of assigned) this.#fetcher.remove(topic, partition)
    this.#ledger.revoke(assigned)
    const committed = await this.#session!.committed(assigned, AbortSignal.any([signal, this.#stop.signal]))
    const offsets = new Map(committed.map(({ topic, partition, committed }) => [keyOf(topic, partition), committed]))
    for (const each of assigned) {
      const { topic, partition, end } = each
      const id = keyOf(topic, partition)
      // Given back, or given back and assigned anew, while the answer was on its way.
      if (this.#assigned.get(id) !== each) continue
      const position = offsets.get(id) ?? each.start
      each.delivered = position
      for (const { nextOffset, records } of each.uncommitted) if (nextOffset > position) this.#rewound += records
      each.uncommitted = []
      this.#ledger.assign(topic, partition, position)
      if (end === undefined || position < end) this.#fetcher.add(topic, partition, position)
    }
    this.#fetcher.interrupt()
  }

  async commitBefore(batch: Batch): Promise<boolean> {
    batch.ack()
    const { topic, partition } = batch
    for (;;) {
      await this.commit([{ topic, partition }])
      const offset = this.#ledger.committedOffset(topic, partition)
      if (offset === undefined || offset > batch.lastOffset) return offset !== undefined
      // Acknowledged in vain: the partition was gone in between.
      if (this.#ledger.committable([{ topic, partition }]).length === 0) return false
    }
  }

  progress(): ConsumerProgress {
    let lag: number | undefined = 0
    for (const { topic, partition, delivered, end } of this.#assigned.values()) {
      const logEnd = end ?? this.#fetcher.logEnd(topic, partition)
      lag = logEnd === undefined || lag === undefined ? undefined : lag + Math.max(0, logEnd - delivered)
    }
    return {
      records: this.#records,
      bytes: this.#bytes,
      lag,
      commits: this.#commits,
      rebalances: this.#session?.rebalances ?? 0,
    }
  }

  /** Commits what is acknowledged, leaves the group and stops fetching (I4). Does not close the cluster. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      clearInterval(this.#commitTimer)
      this.#stop.abort()
      this.#fetcher.interrupt()
      try {
        await this.#session?.close()
      } finally {
        this.#fetcher.close()
      }
    })()
    return this.#closing
  }

  /** Called by the group session. */
  async onAssigned(partitions: readonly AssignedPartition[]): Promise<void> {
    const start = await this.#startPositions(partitions)
    if (this.#options.untilEnd) await this.#noteEnds(partitions)
    for (const { topic, partition } of partitions) {
      const id = keyOf(topic, partition)
      const position = start.get(id)!
      const end = this.#options.untilEnd ? this.#ends.get(id)! : undefined
      const origin = {
        component: this.#options.component,
        topic,
        partition,
        partitionCount: this.#cluster.cachedTopic(topic)?.partitions.length ?? 0,
      }
      this.#assigned.set(id, {
        topic,
        partition,
        start: position,
        delivered: position,
        end,
        uncommitted: [],
        origin: {
          CreateTime: { ...origin, timestampType: 'CreateTime' },
          LogAppendTime: { ...origin, timestampType: 'LogAppendTime' },
        },
      })
      this.#ledger.assign(topic, partition, position)
      if (end === undefined || position < end) this.#fetcher.add(topic, partition, position)
    }
    this.#fetcher.interrupt()
  }

  /** Called by the group session: stop fetching, wait for what is outstanding, commit, let go (I3). */
  async onRevoked(partitions: readonly TopicPartition[], deadlineMs: number): Promise<void> {
    this.#forget(partitions)
    const deadline = AbortSignal.any([AbortSignal.timeout(deadlineMs), this.#stop.signal])
    try {
      // On close nobody works on the batches any more, so there is nothing to wait for.
      if (this.#closing === undefined) await this.#ledger.drained(partitions, deadline)
    } catch (error) {
      if (!(error instanceof AbortedError)) throw error
      if (this.#closing === undefined) {
        this.#options.warn(
          `Partitions are given back before everything read from them was delivered; those records will be read again`,
          { partitions: partitions.length, deadlineMs },
        )
      }
    }
    try {
      if (this.#mode === 'transaction') await this.#release?.commit(deadline)
      else if (this.#mode !== 'manual') await this.commit(partitions)
    } catch (error) {
      this.#warnCommit(error)
    }
    this.#ledger.revoke(partitions)
  }

  /** Called by the group session: somebody else may own the partitions already, so nothing is committed (I3). */
  onLost(partitions: readonly TopicPartition[]): void {
    this.#forget(partitions)
    this.#ledger.revoke(partitions)
    this.#release?.lost()
    this.#options.warn(
      'Partitions were lost: the group went on without this member. Records that were not committed will be read again',
      { partitions: partitions.length },
    )
  }

  /** Called by the group session when it cannot go on. */
  onFailed(error: MillraceError): void {
    this.#failure ??= error
    this.#fetcher.interrupt()
  }

  #acknowledgement(topic: string, partition: number, firstOffset: number, lastOffset: number): Acknowledgement {
    const tracked = this.#ledger.track(topic, partition, firstOffset, lastOffset)
    if (this.#mode !== 'each') return tracked
    return {
      ack: () => {
        tracked.ack()
        this.#commitSoon()
      },
    }
  }

  /** Commits; acknowledgements that come while another commit is under way share the next one. */
  #commitSoon(): void {
    if (this.#isCommitDue) return
    this.#isCommitDue = true
    const commit = (): Promise<void> => {
      this.#isCommitDue = false
      return this.commit()
    }
    this.#committing.then(commit, commit).catch((error: unknown) => this.#warnCommit(error))
  }

  #forget(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      this.#fetcher.remove(topic, partition)
      this.#assigned.delete(keyOf(topic, partition))
    }
    this.#fetcher.interrupt()
  }

  async #commit(partitions: readonly TopicPartition[] | undefined): Promise<void> {
    if (this.#session === undefined || this.#mode === 'transaction') return
    const offsets = this.#ledger.committable(partitions)
    if (offsets.length === 0) return
    const { committed } = await this.#session.commit(offsets)
    this.#ledger.committed(committed)
    if (committed.length > 0) this.#commits++
  }

  #warnCommit(error: unknown): void {
    this.#options.warn(
      `Cannot commit offsets; they will be committed later or read again: ${error instanceof Error ? error.message : String(error)}`,
    )
  }

  /** Where to begin: the committed offset, or what the reset policy says. */
  async #startPositions(partitions: readonly AssignedPartition[]): Promise<Map<string, number>> {
    const start = new Map<string, number>()
    const missing: TopicPartition[] = []
    for (const { topic, partition, committed } of partitions) {
      if (committed === undefined) missing.push({ topic, partition })
      else start.set(keyOf(topic, partition), committed)
    }
    for (const [id, offset] of await this.#resetPositions(missing)) start.set(id, offset)
    return start
  }

  async #resetPositions(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    const { autoOffsetReset, isolation, groupId } = this.#options.settings
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
      { isolation, signal: this.#stop.signal },
    )
    return new Map(found.map(({ topic, partition, offset }) => [keyOf(topic, partition), offset]))
  }

  async #noteEnds(partitions: readonly TopicPartition[]): Promise<void> {
    const unknown = partitions.filter(({ topic, partition }) => !this.#ends.has(keyOf(topic, partition)))
    if (unknown.length === 0) return
    const ends = await listOffsets(
      this.#cluster,
      unknown.map(({ topic, partition }) => ({ topic, partition, at: 'latest' as const })),
      { isolation: this.#options.settings.isolation, signal: this.#stop.signal },
    )
    for (const { topic, partition, offset } of ends) this.#ends.set(keyOf(topic, partition), offset)
  }

  async #onOutOfRange(topic: string, partition: number, position: number): Promise<number> {
    const { offsetOutOfRange, autoOffsetReset } = this.#options.settings
    const where = `Offset ${position} of partition ${partition} of topic "${topic}" is not in the log`
    if (offsetOutOfRange === 'fail' || autoOffsetReset === 'none') {
      const [earliest] = await listOffsets(this.#cluster, [{ topic, partition, at: 'earliest' }], {
        signal: this.#stop.signal,
      })
      const logStartOffset = earliest!.offset
      const why =
        position < logStartOffset
          ? `, which begins at ${logStartOffset}: the records between were deleted by retention before they were read`
          : ': the topic was created anew or lost its end'
      throw brokerError(
        OFFSET_OUT_OF_RANGE,
        `${where}${why}. To go on, reset the offsets of the group, or set offsetOutOfRange to "reset"`,
        { code: 'OFFSET_OUT_OF_RANGE', topic, partition, retriable: false },
      )
    }
    const offset = (await this.#resetPositions([{ topic, partition }])).get(keyOf(topic, partition))!
    this.#options.warn(`${where}; reading goes on at ${offset}`, { topic, partition, position, offset })
    this.#ledger.assign(topic, partition, offset)
    const assigned = this.#assigned.get(keyOf(topic, partition))
    if (assigned !== undefined) assigned.start = assigned.delivered = offset
    return offset
  }

  #isAtEnd(): boolean {
    if (!this.#options.untilEnd) return false
    for (const { delivered, end } of this.#assigned.values()) if (delivered < end!) return false
    return true
  }

  #toBatch(slice: TakenSlice): Batch | undefined {
    const { topic, partition, records } = slice
    const assigned = this.#assigned.get(keyOf(topic, partition))
    if (assigned === undefined) return undefined
    const whole =
      records === undefined ? undefined : new Batch(assigned.origin[slice.timestampType], records, NOT_TRACKED)
    let end = assigned.end ?? Infinity
    // Where a bounded number of records ends in the midst of what was fetched, the commit ends too (I2).
    if (whole !== undefined && whole.length > this.#left) end = Math.min(end, whole.records.offsets[this.#left]!)
    const nextOffset = Math.min(slice.nextOffset, end)
    if (slice.nextOffset >= end) this.#fetcher.remove(topic, partition)
    assigned.delivered = nextOffset
    if (records === undefined || whole === undefined || records.firstOffset >= end) {
      this.#ledger.skip(topic, partition, nextOffset)
      return undefined
    }
    const rows = records.lastOffset < end ? undefined : rowsBefore(whole.records.offsets, end)
    const batch = whole.derive({ rows }, this.#acknowledgement(topic, partition, records.firstOffset, nextOffset - 1))
    this.#records += batch.length
    this.#bytes += batch.byteLength
    if (this.#mode === 'transaction' && this.#options.maxRecords !== undefined)
      assigned.uncommitted.push({ nextOffset, records: batch.length })
    return batch
  }
}

/** Rows whose offset lies before the end of a bounded run. */
function rowsBefore(offsets: Float64Array, end: number): Int32Array {
  let count = 0
  while (count < offsets.length && offsets[count]! < end) count++
  return Int32Array.from({ length: count }, (_, i) => i)
}
