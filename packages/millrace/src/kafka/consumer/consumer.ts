/**
 * Reads topics batch by batch: group session, fetcher and offset ledger put together.
 * A batch that was delivered counts as *outstanding* until it is acknowledged. Offsets are committed every
 * `autoCommitIntervalMs`, when partitions are revoked and on close, and never beyond an outstanding batch (I1, I2); other
 * ways are `CommitMode`.
 */
import type { GroupOffsets, ReleaseListener, SourceOffsets } from '../../contracts/offsets.ts'
import type { SourceStatus } from '../../contracts/source.ts'
import type { Batch } from '../../records/batch.ts'
import type { CommittablePart } from '../../records/cut-off.ts'
import { untilAborted } from '../../resilience/abort.ts'
import { isMillraceError, type MillraceError, UnexpectedError } from '../../errors/index.ts'
import { ConsumedPartitions } from './partitions/consumed-partitions.ts'
import { type ConsumerOptions, groupOptions, withOwnedReports } from './options.ts'
import { ConsumerNews } from './watching/consumer-news.ts'
import { sourceStatus } from './watching/source-status.ts'
import type { ConsumerProgress, PartitionLag } from './progress.ts'
import { Fetcher } from './fetching/fetcher.ts'
import { GroupSession } from '../group/session.ts'
import type { AssignedPartition, GroupListener, OffsetToCommit } from '../group/contract.ts'
import { rangesOf } from './assignment/placement.ts'
import { TopicWatch } from './assignment/topic-watch.ts'
import { offsetOf, type Position } from './assignment/positions.ts'
import { takenOffsets } from './commits/taken-offsets.ts'
import { controlsOf, ListenerCalls } from './assignment/listener-calls.ts'
import { GroupNews } from './group-news.ts'
import { type CommittedOf, OffsetBounds } from './assignment/offset-bounds.ts'
import { drainRevoked } from './commits/drain-revoked.ts'
import { OffsetCommits } from './commits/offset-commits.ts'
import { OffsetLedger } from './commits/offset-ledger.ts'
import { RunEnd } from './run-end.ts'
import { placesOf, type PartitionOffset, type TopicPartition } from '../topic-partition.ts'

export class Consumer implements GroupListener, SourceOffsets {
  /** Called before offsets are committed and partitions are given back: the reader acknowledges what it is through with. */
  onSettle: () => void = () => {}
  readonly #options: ConsumerOptions
  readonly #ledger = new OffsetLedger((topic) => this.#bounds.metadataOf(topic))
  readonly #fetcher: Fetcher
  readonly #session: GroupSession | undefined
  readonly #bounds: OffsetBounds
  readonly #commits: OffsetCommits
  readonly #partitions: ConsumedPartitions
  readonly #stop = new AbortController()
  #release: ReleaseListener | undefined
  #failure: MillraceError | undefined
  #closing: Promise<void> | undefined
  readonly #end: RunEnd | undefined
  readonly #watch: TopicWatch
  readonly #news: GroupNews | undefined
  readonly #reports: ConsumerNews
  readonly #listener: ListenerCalls
  #lastLag: number | undefined

  constructor(given: ConsumerOptions) {
    const options = (this.#options = withOwnedReports(given, (error) => this.onFailed(error)))
    const { cluster, settings, component, maxRecords, warn, commits: mode = 'interval' } = options
    this.#reports = new ConsumerNews(options)
    this.#fetcher = new Fetcher(
      cluster,
      { ...settings, bufferBytes: settings.fetchBufferBytes, requestTimeoutMs: cluster.requestTimeoutMs },
      {
        onPositionLost: (...place) => this.#bounds.afterLoss(...place),
        onPartitionGone: (...place) => this.#onGone(...place),
        onTopicGone: (topic) => this.#watch.gone(topic),
        warn,
        onMoved: (...place) => this.#partitions.moved(...place),
      },
    )
    this.#listener = new ListenerCalls(options.listener, controlsOf(this), warn)
    const group = groupOptions(options)
    if (group !== undefined) {
      this.#session = new GroupSession(cluster, group, this)
      this.#news = new GroupNews(options, group.groupId)
    }
    this.#bounds = new OffsetBounds(cluster, settings, warn, this.#stop.signal)
    this.#commits = new OffsetCommits(this.#ledger, this.#session, mode, warn, () => this.onSettle(), this.#reports)
    this.#commits.onUnexpected = (cause) => this.onFailed(new UnexpectedError('Committing offsets failed', { cause }))
    this.#partitions = new ConsumedPartitions(this.#fetcher, this.#ledger, {
      component,
      maxRecords,
      isRewindable: mode === 'transaction',
      onFetched: this.#reports.fetched,
    })
    this.#watch = new TopicWatch(
      options,
      this.#session,
      this.#bounds,
      {
        read: () => this.#partitions.all,
        onAssigned: (partitions) => this.onAssigned(partitions),
        onGone: (topic) => this.#onGone(topic),
        onFailed: (error) => this.onFailed(error),
      },
      this.#stop.signal,
    )
    if (options.untilEnd)
      this.#end = new RunEnd(this.#partitions, { cluster, topics: options.topics, member: this.#session, warn })
  }

  /**
   * Connects, checks that the topics exist and, with a group, joins it. When that fails, it is closed.
   * @throws {ConnectionError} {BrokerError} `TOPIC_NOT_FOUND`, `NO_COMMITTED_OFFSET`, `GROUP_FAILED`
   */
  async open(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#stop.abort()
    signal.addEventListener('abort', onAbort)
    try {
      await this.#open(signal)
    } catch (error) {
      await this.close().catch(() => {}) // What went wrong first is what counts.
      throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { cluster, topics, settings, warn } = this.#options
    await cluster.connect(signal, undefined, warn)
    await cluster.refresh(topics, signal)
    this.#bounds.subscribed(topics)
    if (this.#session !== undefined) {
      this.#news?.joining()
      await this.#session.start(signal)
      this.#commits.start(settings.autoCommitIntervalMs)
    } else {
      await this.#watch.assignFirst(signal)
    }
    this.#watch.begin()
  }

  /** Reads more topics, from their beginning. @param add adds them to those of the options, as soon as they are known */
  topicsAdded(added: readonly string[], add: () => void): Promise<void> {
    return this.#watch.add(added, add)
  }

  /**
   * The batches, in order per partition; ends when the signal fires, or at the end of a bounded run.
   * @throws the error that ended the group session or the fetcher; {CorruptRecordError}
   */
  async *batches(signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    for (;;) {
      const batch = await this.next(signal)
      if (batch === undefined) return
      yield batch
    }
  }

  /**
   * The next batch, as soon as there is one; undefined where `batches` ends. Must not be called again before it has resolved.
   * @param maxRecords most records of it; the others come with the next call
   * @throws as `batches`
   */
  async next(signal: AbortSignal, maxRecords = Infinity): Promise<Batch | undefined> {
    signal.addEventListener('abort', this.#fetcher.interrupt)
    try {
      while (!signal.aborted && this.#closing === undefined && this.#partitions.left > 0) {
        if (this.#failure !== undefined) throw this.#failure
        const found = this.#partitions.next(maxRecords)
        if (found !== undefined) {
          if (found.batch !== undefined) return found.batch
        } else if (await this.#end?.isOver(this.#fetcher.interrupt, AbortSignal.any([signal, this.#stop.signal]))) {
          break
        } else {
          await this.#fetcher.wait()
        }
      }
      this.#reports.waited()
      return undefined
    } catch (error) {
      // What cannot be read is never passed over (I2).
      if (isMillraceError(error)) this.#failure ??= error
      this.#reports.failed()
      throw error
    } finally {
      signal.removeEventListener('abort', this.#fetcher.interrupt)
    }
  }

  /** Takes back the rows of a batch from one on, which come again with the next batch; those before count as acknowledged. Only of the batch that came last. */
  giveBack(batch: Batch, row: number): void {
    this.#partitions.giveBack(batch, row)
  }

  /** Stops delivering a partition; heartbeats go on and what was fetched waits. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#partitions.pause(each)
    // A loop over records gives the rest of its batch back.
    this.onSettle()
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#partitions.resume(each)
  }

  /** Stops delivering a partition until `letGo`, for a reader that has enough of it and goes on with others. */
  hold(partition: TopicPartition): void {
    this.#partitions.hold(partition)
  }

  letGo(partition: TopicPartition): void {
    this.#partitions.letGo(partition)
  }

  get partitionCount(): number {
    return this.#partitions.size
  }

  get assignment(): readonly TopicPartition[] {
    return placesOf(this.#partitions.all)
  }

  /** Reads a partition from another position on, which counts as acknowledged; what was delivered of it does not any more. @throws {ConfigError} when it is not assigned; {BrokerError} {ConnectionError} */
  async seek(place: TopicPartition, position: Position): Promise<void> {
    const offset = await offsetOf(this.#options.cluster, place, position, this.#stop.signal)
    this.onSettle()
    this.#partitions.seek(place, offset)
    this.onSettle()
    this.#fetcher.interrupt()
  }

  get lags(): readonly PartitionLag[] {
    return this.#partitions.lags(Date.now())
  }

  /** Commits offsets that the caller names. @throws {ConfigError} without a group, or where this consumer commits by itself; otherwise as `commit` */
  commitOffsets(offsets: readonly OffsetToCommit[]): Promise<void> {
    return this.#commits.commitOffsets(offsets)
  }

  /**
   * Commits what has been acknowledged contiguously (I2); without a group there is nothing to commit.
   * @throws {BrokerError} {ConnectionError} when the coordinator could not be reached in time
   */
  commit(partitions?: readonly TopicPartition[]): Promise<void> {
    return this.#commits.commit(partitions)
  }

  /** Resolves when everything handed out is acknowledged. @throws {AbortedError} */
  drained(signal: AbortSignal): Promise<void> {
    return this.#ledger.drained(undefined, AbortSignal.any([signal, this.#stop.signal]))
  }

  get clientId(): string {
    return this.#options.cluster.clientId
  }

  get member(): string | undefined {
    return this.#options.settings.instanceId
  }

  taken(): GroupOffsets {
    return takenOffsets(this.#session!, this.#ledger, this.#options)
  }

  committed({ offsets }: GroupOffsets): void {
    this.#commits.committed(offsets)
    this.#partitions.committed(offsets)
  }

  onRelease(listener: ReleaseListener): void {
    this.#release = listener
  }

  async rewind(signal: AbortSignal): Promise<void> {
    await this.#partitions.rewind((partitions) =>
      this.#session!.committed(partitions, AbortSignal.any([signal, this.#stop.signal])),
    )
  }

  commitBefore(part: CommittablePart): Promise<boolean> {
    return this.#commits.commitBefore(part)
  }

  /** What this member has committed last, per partition. */
  get lastCommitted(): readonly PartitionOffset[] {
    return this.#commits.last
  }

  progress(): ConsumerProgress {
    const { records, bytes } = this.#partitions
    const problem = this.#fetcher.problem ?? this.#news?.problem
    const rebalances = this.#session?.rebalances ?? 0
    return { records, bytes, lag: this.#lag, problem, ...this.#commits.counts, rebalances }
  }

  /** Partitions that come and go say nothing about what lies ahead. */
  get #lag(): number | undefined {
    if (this.#closing !== undefined) return this.#lastLag
    return this.#news?.isJoining === true ? undefined : this.#partitions.lag
  }

  readonly status = (): SourceStatus =>
    sourceStatus(this.#partitions, this.#fetcher, this.#ledger, this.#session, this.#news?.isJoining)

  /** Commits what is acknowledged, leaves the group and stops fetching (I4). Does not close the cluster. May be called twice. */
  close(): Promise<void> {
    this.#lastLag = this.#lag
    this.#news?.ended()
    this.#closing ??= (async () => {
      this.#commits.stop()
      this.#watch.end()
      this.#stop.abort()
      this.#fetcher.interrupt()
      try {
        await this.#session?.close()
      } finally {
        this.#fetcher.close()
        await this.#fetcher.endSessions()
      }
    })()
    return this.#closing
  }

  /** Called by the group session. */
  async onAssigned(partitions: readonly AssignedPartition[]): Promise<void> {
    const { cluster, untilEnd } = this.#options
    const { signal } = this.#stop
    const bounds = this.#bounds
    // Before anything is waited for: what is lost meanwhile is not read (I3).
    const assigned = this.#partitions.assign(partitions)
    const committedOf: CommittedOf = (each) => this.#watch.committedOf(each, signal)
    const isDropped = (topic: string): boolean => this.#watch.gone(topic)
    try {
      const ranges = await rangesOf(partitions, { cluster, bounds, untilEnd, committedOf, isDropped, signal })
      this.#reports.rebalanced('assigned', partitions)
      await untilAborted(this.#listener.assigned(partitions, ranges), 'onAssigned', signal)
      this.#partitions.readAll(assigned, ranges)
    } catch (error) {
      this.#partitions.remove(partitions, 'lost') // without a group they are looked for again
      throw error
    }
    if (this.#bounds.isResetElsewhere) this.#commits.soon()
    this.#fetcher.interrupt()
  }

  #onGone(topic: string, partition?: number): void {
    this.#partitions.giveUpTopic(topic, this.#session === undefined, partition)
    this.onSettle()
    this.#fetcher.interrupt()
  }

  #rebalancing(): void {
    this.#end?.changing()
    if (this.#closing === undefined) this.#news?.joining()
  }

  /** Called by the group session: stop fetching, wait for what is outstanding, commit, let go (I3). */
  async onRevoked(partitions: readonly TopicPartition[], deadlineMs: number): Promise<void> {
    this.#rebalancing()
    this.#partitions.remove(partitions, 'revoked')
    this.onSettle()
    // When the commit takes too long, the partitions are given back meanwhile, and may be here again before it ends.
    const letGo = this.#ledger.revocation(partitions)
    const { commits, warn } = this.#options
    const deadline = AbortSignal.any([AbortSignal.timeout(deadlineMs), this.#stop.signal])
    await drainRevoked(this.#ledger, partitions, deadlineMs, deadline, this.#stop.signal, warn)
    this.#reports.rebalanced('revoked', partitions)
    await this.#listener.revoked(partitions, deadlineMs)
    try {
      if (commits === 'transaction') await this.#release?.commit(deadline)
      else if (commits !== 'manual') await this.#commits.attempt(partitions)
    } catch (error) {
      this.#commits.failed(error)
    }
    letGo()
    this.onSettle()
  }

  /** Called by the group session. */
  onSettled(): void {
    this.#end?.settled()
    this.#reports.settled()
    this.#news?.assigned(this.assignment)
    this.#fetcher.interrupt()
  }

  /** Called by the group session: somebody else may own the partitions already, so nothing is committed (I3). */
  onLost(partitions: readonly TopicPartition[]): void {
    this.#rebalancing()
    this.#partitions.remove(partitions, 'lost')
    this.#ledger.revoke(partitions)
    this.onSettle()
    this.#release?.lost()
    this.#reports.rebalanced('lost', partitions)
    this.#listener.lost(partitions)
    this.#options.warn(
      'Partitions were lost because the group removed this member. Uncommitted records will be read again',
      { event: 'partitions.lost', partitions: partitions.length },
    )
  }

  /** Called by the group session when it cannot go on. */
  onFailed(error: MillraceError): void {
    this.#news?.ended()
    this.#failure ??= error
    this.#fetcher.interrupt()
  }
}
