/** The loops that read a `KafkaSource`: one at a time, so that each record has one reader and its acknowledgement one meaning. */
import { setTimeout } from 'node:timers/promises'
import { ConfigError } from '../errors/index.ts'
import type { ConsumerRecord } from '../records/record.ts'
import type { ReadTimes } from './watching/read-times.ts'

/** A loop that reads at the moment. */
export interface Loop {
  /** Counts a record as finished although the next one was not asked for, if it is the one that was returned last. Only of loops over records. */
  finish?(record: RecordId): void
  /** Counts everything as finished that it has returned. Only of polling. */
  finishAll?(): void
  /** How long it may take to end; it has acknowledged then what it is through with. */
  readonly drainMs?: number
  /** Records that it has taken and not returned yet. */
  readonly ahead?: number
}

export type RecordId = Pick<ConsumerRecord<unknown, unknown>, 'topic' | 'partition' | 'offset'>

/** How long `close` waits for the body of a loop over records. */
const BODY_MS = 5000

export class Loops {
  readonly #reads: Pick<ReadTimes, 'ended'>
  #active: Loop | undefined
  #ended = Promise.withResolvers<void>()

  constructor(reads: Pick<ReadTimes, 'ended'>) {
    this.#reads = reads
  }

  /** Whether a loop over records reads: its body cannot ask for the next one while it waits for something. */
  get isOverRecords(): boolean {
    return this.#active?.finish !== undefined
  }

  /** Whether handlers run, or a loop over records: what asks may be the body of one, which is not done while it waits. */
  get runBodies(): boolean {
    return this.isOverRecords || this.#active?.drainMs !== undefined
  }

  /** Records that were taken for a loop, and that it has not seen yet. */
  get ahead(): number {
    return this.#active?.ahead ?? 0
  }

  /** Counts everything as finished that polling has returned. */
  finishAll(): void {
    this.#active?.finishAll?.()
  }

  /** Counts a record as finished that a loop is at. */
  finish(record: RecordId): void {
    this.#active?.finish?.(record)
  }

  /** @throws {ConfigError} while another loop reads */
  begin(loop: Loop): void {
    if (this.#active !== undefined)
      throw new ConfigError(
        'Cannot read a KafkaSource in two loops at a time: end the first one, or create a source for each',
      )
    this.#active = loop
    this.#ended = Promise.withResolvers()
  }

  end(loop: Loop): void {
    if (this.#active !== loop) return
    this.#active = undefined
    this.#reads.ended()
    this.#ended.resolve()
  }

  /**
   * Waits until the body of a loop over records is through with its record, but not for long: it may be the body that waits. A loop with a
   * time of its own has that.
   */
  async ended(): Promise<void> {
    const timeoutMs = this.isOverRecords ? BODY_MS : this.#active?.drainMs
    if (timeoutMs === undefined) return
    const timeUp = new AbortController()
    await Promise.race([
      this.#ended.promise,
      setTimeout(timeoutMs, undefined, { ref: false, signal: timeUp.signal }).catch(() => {}),
    ])
    timeUp.abort()
  }
}
