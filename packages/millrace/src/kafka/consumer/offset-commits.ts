/**
 * Commits to its group what a consumer's batches have acknowledged, one commit after the other (I1, I2).
 */
import type { CommitMode, Warn } from './options.ts'
import type { GroupSession } from '../group/session.ts'
import type { OffsetLedger } from './offset-ledger.ts'
import { keyOf, type PartitionOffset, type TopicPartition } from '../topic-partition.ts'

export class OffsetCommits {
  /** How many commits went through. */
  count = 0
  /** What was committed last, also of partitions that have gone to another member. */
  readonly #last = new Map<string, PartitionOffset>()
  readonly #ledger: OffsetLedger
  readonly #session: GroupSession | undefined
  readonly #mode: CommitMode
  readonly #warn: Warn
  readonly #beforeCommit: () => void
  #timer: NodeJS.Timeout | undefined
  #committing: Promise<void> = Promise.resolve()
  #isDue = false

  /** @param beforeCommit called when offsets are about to be committed, and may acknowledge more */
  constructor(
    ledger: OffsetLedger,
    session: GroupSession | undefined,
    mode: CommitMode,
    warn: Warn,
    beforeCommit: () => void,
  ) {
    this.#ledger = ledger
    this.#session = session
    this.#mode = mode
    this.#warn = warn
    this.#beforeCommit = beforeCommit
    if (mode === 'each') ledger.onAdvance = () => this.#commitSoon()
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

  /** Takes note of offsets that were committed, by a transaction for instance. */
  committed(offsets: readonly PartitionOffset[]): void {
    this.#ledger.committed(offsets)
    for (const { topic, partition, offset } of offsets)
      this.#last.set(keyOf(topic, partition), { topic, partition, offset })
    if (offsets.length > 0) this.count++
  }

  warn(error: unknown): void {
    this.#warn(
      `Cannot commit offsets; they will be committed later, or their records read again: ${error instanceof Error ? error.message : String(error)}`,
    )
  }

  /** Commits; whoever asks while another commit is under way shares the next one. */
  #commitSoon(): void {
    if (this.#isDue) return
    this.#isDue = true
    const commit = (): Promise<void> => {
      this.#isDue = false
      return this.commit()
    }
    this.#committing.then(commit, commit).catch((error: unknown) => this.warn(error))
  }

  async #commit(partitions: readonly TopicPartition[] | undefined): Promise<void> {
    if (this.#session === undefined || this.#mode === 'transaction') return
    this.#beforeCommit()
    const offsets = this.#ledger.committable(partitions)
    if (offsets.length === 0) return
    const { committed } = await this.#session.commit(offsets)
    this.committed(committed)
  }
}
