/**
 * The records of one partition that were taken and are not done: which of them are, in whatever order that comes, and up to where they
 * may be committed (I2).
 */
import type { Consumer } from '../../kafka/consumer/consumer.ts'
import type { Batch } from '../../records/batch.ts'

interface OpenBatch {
  readonly batch: Batch
  /** Number of its first row among all rows of the partition. */
  readonly start: number
  readonly done: Uint8Array
  /** Rows before this one are done. */
  low: number
}

export class PartitionWork {
  readonly topic: string
  readonly partition: number
  /** Fires when results no longer count. */
  readonly over = new AbortController()
  /** Bytes of the rows that are neither done nor dropped. */
  openBytes = 0
  readonly #consumer: Consumer
  readonly #open: OpenBatch[] = []
  #rows = 0
  /** Number of the last row that was started, of all. */
  #lastStarted = -1
  /** Rows that are neither done nor dropped. */
  #left = 0
  /** Rows behind this one are not started any more; undefined while it goes on. */
  #limit: number | undefined
  #isReleased = false
  #isHeld = false

  constructor(consumer: Consumer, topic: string, partition: number) {
    this.#consumer = consumer
    this.topic = topic
    this.partition = partition
  }

  /** Rows that are neither done nor dropped. */
  get open(): number {
    return this.#left
  }

  /** Whether the partition is paused until some of its records are done. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  hold(): void {
    this.#isHeld = true
    this.#consumer.hold(this)
  }

  letGo(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#consumer.letGo(this)
  }

  get isEnding(): boolean {
    return this.#limit !== undefined
  }

  /** Whether what is acknowledged has no effect any more, as another member may own the partition, or it is read at another place. */
  get isVoid(): boolean {
    return this.#open[0]?.batch.acknowledgement.isVoid === true
  }

  get isReleased(): boolean {
    return this.#isReleased
  }

  /** @returns the number of its first row */
  add(batch: Batch): number {
    const start = this.#rows
    this.#open.push({ batch, start, done: new Uint8Array(batch.length), low: 0 })
    this.#rows += batch.length
    this.#left += batch.length
    return start
  }

  /** Whether a row is not to be started any more. */
  isDropped(row: number): boolean {
    return this.#isReleased || (this.#limit !== undefined && row > this.#limit)
  }

  started(row: number): void {
    if (row > this.#lastStarted) this.#lastStarted = row
  }

  /** A row is done, and counts. */
  done(row: number): void {
    const index = this.#open.findLastIndex(({ start }) => start <= row)
    const open = this.#open[index]
    if (this.#isReleased || open === undefined) return
    const { batch, start, done } = open
    done[row - start] = 1
    while (open.low < done.length && done[open.low] === 1) open.low++
    if (open.low === done.length) {
      batch.ack()
      this.#open.splice(index, 1)
    }
    this.left()
  }

  /** A row has left without being done. */
  left(): void {
    this.#left--
    if (this.#limit !== undefined && this.#left === 0) this.release()
  }

  /** Acknowledges what is done, so that it can be committed. */
  settle(): void {
    for (const { batch, low } of this.#open) batch.ackBefore(low)
  }

  /**
   * Starts nothing more, and is released when what was started is over. What lies before the last row that was started may still be: so none of
   * the records that are done is read again.
   */
  end(): void {
    this.letGo()
    this.#limit ??= this.#lastStarted
    if (this.#left === 0) this.release()
  }

  /** Starts nothing more at all. */
  stop(): void {
    this.letGo()
    this.#limit = -1
    if (this.#left === 0) this.release()
  }

  /** Acknowledges what is done without a gap, and gives everything else back; results that come later do not count (I1, I3). */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    // The last one first: what is given back is put before what was given back earlier.
    for (const { batch, low } of this.#open.toReversed()) this.#consumer.giveBack(batch, low)
    this.#open.length = 0
    this.over.abort()
  }
}
