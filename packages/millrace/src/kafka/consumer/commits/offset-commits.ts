/**
 * Commits to its group what a consumer's batches have acknowledged, one commit after the other (I1, I2).
 */
import type { CommittablePart } from '../../../records/cut-off.ts'
import type { CommitMode, Warn } from '../options.ts'
import { BrokerError, ConfigError, isMillraceError } from '../../../errors/index.ts'
import type { CommitResult, OffsetToCommit } from '../../group/contract.ts'
import type { GroupSession } from '../../group/session.ts'
import type { OffsetLedger } from './offset-ledger.ts'
import { keyOf, type PartitionOffset, type TopicPartition } from '../../topic-partition.ts'
import type { ConsumerNews } from '../watching/consumer-news.ts'

/** What Kafka says where an offset is refused, and what that means for the caller. */
const REFUSALS = {
  'not owned': {
    kafkaCode: 25,
    kafkaName: 'UNKNOWN_MEMBER_ID',
    why: 'the group has given the partition to another member, which reads those records again: do not commit them, and read on',
  },
  rebalance: {
    kafkaCode: 27,
    kafkaName: 'REBALANCE_IN_PROGRESS',
    why: 'the group is rebalancing: commit again when it has settled',
  },
  'topic unknown': {
    kafkaCode: 3,
    kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION',
    why: 'the topic does not exist any more, or was created again since',
  },
} as const

export class OffsetCommits {
  /** How many commits went through. */
  count = 0
  /** How many failed, or were refused in part. */
  failures = 0
  /** What was committed last, also of partitions that have gone to another member. */
  readonly #last = new Map<string, PartitionOffset>()
  /** Called with what went wrong in the background and is no error of a broker: a bug, which no later commit mends. */
  onUnexpected: (error: unknown) => void = () => {}
  readonly #ledger: OffsetLedger
  readonly #session: GroupSession | undefined
  readonly #mode: CommitMode
  readonly #warn: Warn
  readonly #beforeCommit: () => void
  readonly #news: Pick<ConsumerNews, 'committed' | 'commitFailed'> | undefined
  #timer: NodeJS.Timeout | undefined
  #committing: Promise<CommitResult['refused']> = Promise.resolve([])
  #isDue = false

  /**
   * @param beforeCommit called when offsets are about to be committed, and may acknowledge more
   * @param news learns what was committed
   */
  constructor(
    ledger: OffsetLedger,
    session: GroupSession | undefined,
    mode: CommitMode,
    warn: Warn,
    beforeCommit: () => void,
    news?: Pick<ConsumerNews, 'committed' | 'commitFailed'>,
  ) {
    this.#ledger = ledger
    this.#session = session
    this.#mode = mode
    this.#warn = warn
    this.#beforeCommit = beforeCommit
    this.#news = news
    if (mode === 'each') ledger.onAdvance = () => this.#commitSoon()
  }

  get counts(): { readonly commits: number; readonly commitFailures: number } {
    return { commits: this.count, commitFailures: this.failures }
  }

  get last(): readonly PartitionOffset[] {
    return [...this.#last.values()]
  }

  /** Commits every so often, where that is the mode. */
  start(intervalMs: number): void {
    if (this.#mode !== 'interval') return
    this.#timer = setInterval(() => this.#commitSoon(), intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Commits without anybody waiting for it, where this consumer decides when. */
  soon(): void {
    if (this.#mode === 'interval' || this.#mode === 'each') this.#commitSoon()
  }

  /**
   * Commits what has been acknowledged contiguously (I2); without a group, and in a transaction, there is nothing to commit.
   * @throws {BrokerError} `COMMIT_REFUSED` when some of it was not committed; {ConnectionError} when the coordinator could not be
   *   reached in time
   */
  async commit(partitions?: readonly TopicPartition[]): Promise<void> {
    throwRefused(await this.attempt(partitions))
  }

  /**
   * Commits offsets that the caller names, whatever was acknowledged.
   * @throws {ConfigError} without a group, or where this consumer commits by itself, which would set them back; otherwise as `commit`
   */
  async commitOffsets(offsets: readonly OffsetToCommit[]): Promise<void> {
    const session = this.#session
    if (session === undefined) throw new ConfigError('Cannot commit offsets without a groupId: set groupId')
    if (this.#mode !== 'manual')
      throw new ConfigError(
        "Cannot commit offsets by hand as they are committed automatically: set commit to {strategy: 'manual'}",
      )
    const commit = async (): Promise<CommitResult['refused']> => {
      const known = offsets.filter((each) => !this.#isOfOldTopic(each))
      const described = known.map((each) => ({
        ...each,
        metadata: each.metadata ?? this.#ledger.metadataOf(each.topic),
      }))
      const { committed, refused } = await session.commit(described)
      this.committed(committed)
      const old = offsets.filter((each) => !known.includes(each))
      return [...refused, ...old.map((each) => ({ ...each, reason: 'topic unknown' as const }))]
    }
    this.#committing = this.#committing.then(commit, commit)
    throwRefused(await this.#committing)
  }

  /** Whether an offset that does not say its topic lies beyond what was read of one that was created again: then it is of the one before. */
  #isOfOldTopic({ topic, partition, offset, topicId }: OffsetToCommit): boolean {
    const followed = topicId === undefined ? this.#ledger.followed(topic, partition) : undefined
    return followed !== undefined && followed.isRecreated && offset > followed.end
  }

  /** Acknowledges a part of what was read and commits it. @returns whether that counted; not when its partition has gone */
  async commitBefore({ topic, partition, acknowledgement, nextOffset }: CommittablePart): Promise<boolean> {
    const followed = acknowledgement.isVoid === true ? undefined : this.#ledger.followed(topic, partition)
    if (followed === undefined) return false
    acknowledgement.ack()
    for (;;) {
      const refused = await this.attempt([{ topic, partition }])
      if (followed.committed >= nextOffset) return true
      // No later attempt succeeds, and none may wait for anything.
      if (refused.some(({ reason }) => reason === 'topic unknown')) return false
      // Acknowledged in vain: the partition was gone in between, even if it has come back since.
      if (acknowledgement.isVoid === true || this.#ledger.committable([{ topic, partition }]).length === 0) return false
    }
  }

  /** As `commit`, for a caller that goes on in either way. @returns what was not committed */
  attempt(partitions?: readonly TopicPartition[]): Promise<CommitResult['refused']> {
    // One after the other: a commit that overtakes an earlier one could set offsets back.
    this.#committing = this.#committing.then(
      () => this.#commit(partitions),
      () => this.#commit(partitions),
    )
    return this.#committing
  }

  /** Takes note of offsets that were committed, by a transaction for instance. */
  committed(offsets: readonly PartitionOffset[]): void {
    this.#ledger.committed(offsets)
    for (const { topic, partition, offset } of offsets)
      this.#last.set(keyOf(topic, partition), { topic, partition, offset })
    if (offsets.length === 0) return
    this.count++
    this.#news?.committed(offsets)
  }

  /** A commit that nothing waits for has failed. */
  failed(error: unknown): void {
    if (!isMillraceError(error)) return this.onUnexpected(error)
    const text = error instanceof Error ? error.message : String(error)
    this.#warn(`Cannot commit offsets; they will be committed later, or their records read again: ${text}`, {
      event: 'offsets.failed',
      error: text,
    })
  }

  /** Commits; whoever asks while another commit is under way shares the next one. */
  #commitSoon(): void {
    if (this.#isDue) return
    this.#isDue = true
    const commit = (): Promise<unknown> => {
      this.#isDue = false
      return this.attempt()
    }
    this.#committing.then(commit, commit).catch((error: unknown) => this.failed(error))
  }

  async #commit(partitions: readonly TopicPartition[] | undefined): Promise<CommitResult['refused']> {
    if (this.#session === undefined || this.#mode === 'transaction') return []
    this.#beforeCommit()
    const offsets = this.#ledger.committable(partitions)
    if (offsets.length === 0) return []
    let isWhole = false
    try {
      const { committed, refused } = await this.#session.commit(offsets)
      this.committed(committed)
      isWhole = refused.length === 0
      return refused
    } finally {
      if (!isWhole) {
        this.failures++
        this.#news?.commitFailed()
      }
    }
  }
}

/** @throws {BrokerError} `COMMIT_REFUSED` when there is any */
function throwRefused(refused: CommitResult['refused']): void {
  const [first] = refused
  if (first === undefined) return
  const { topic, partition, offset, reason } = first
  const { kafkaCode, kafkaName, why } = REFUSALS[reason]
  throw new BrokerError(
    `Cannot commit offset ${offset} of partition ${partition} of topic "${topic}"${refused.length === 1 ? '' : `, and ${refused.length - 1} more,`} as ${why}`,
    { code: 'COMMIT_REFUSED', kafkaCode, kafkaName, retriable: reason === 'rebalance', topic, partition },
  )
}
