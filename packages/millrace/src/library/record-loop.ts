/**
 * `for await (const record of source)`: record by record.
 *
 * A record is finished when the next one is asked for. What is finished is acknowledged before each commit, every 20 ms, and when
 * the loop ends. The record at which the loop was left (`break`, `return`, an error in the body) is not finished, and neither is what
 * comes after it in its batch: all of that goes back, to be returned by the next loop, here or in the next owner of the
 * partition (I1).
 */
import { setImmediate } from 'node:timers/promises'
import type { Consumer } from '../kafka/consumer/consumer.ts'
import type { Batch } from '../records/batch.ts'
import type { ConsumerRecord } from '../records/record.ts'
import { Pace } from '../resilience/pace.ts'
import { type BatchSpan, type Processor, processSpan } from '../telemetry/batch-span.ts'
import { DecodedRecord, type Decoders } from './decoded-record.ts'
import type { DecodePolicy } from './decode-policy.ts'
import type { Loop, Loops, RecordId } from './loops.ts'
import type { ReadTimes } from './watching/read-times.ts'

/** How many records at most are returned between two looks at the clock. */
const CLOCK_ROWS = 16

export interface RecordLoopOptions<K, V> {
  readonly loops: Loops
  readonly reads: ReadTimes
  /** Fires when the loop is to end after the record that it is at. */
  readonly stop: AbortSignal
  /** Connects; undefined when the loop was to end meanwhile. */
  readonly open: () => Promise<Consumer | undefined>
  readonly decode: Decoders<K, V> | undefined
  /** For records that cannot be decoded; undefined where reading their key or value is to throw. */
  readonly policy: DecodePolicy | undefined
  /** Most records that are taken at once. */
  readonly maxRows: number | undefined
  /** For spans. */
  readonly processor: Processor
}

/** A promise per record is what `for await` needs; it is resolved already, so it costs one microtask. */
export class RecordLoop<K, V> implements AsyncIterator<ConsumerRecord<K, V>>, Loop {
  readonly #options: RecordLoopOptions<K, V>
  readonly #pace: Pace
  #consumer: Consumer | undefined
  #batch: Batch | undefined
  #span: BatchSpan | undefined
  /** Rows of the batch that were returned. */
  #row = 0
  /** Rows that may be returned before the next look at the clock. */
  #until = 0
  #clockRows = 1
  /** Whether the event loop is to get a turn. */
  #isDue = false
  /** Row and time of the last look. */
  #seenRow = 0
  #seenMs = 0
  /** Rows that `finish` has named. */
  #finished = 0
  #state: 'new' | 'reading' | 'ended' = 'new'
  #advancing: Promise<IteratorResult<ConsumerRecord<K, V>>> | undefined
  #admitting: Promise<unknown> = Promise.resolve()
  readonly #onStop = (): void => {
    this.#until = 0
  }

  constructor(options: RecordLoopOptions<K, V>) {
    this.#options = options
    this.#pace = new Pace(options.maxRows)
  }

  next(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    return this.#options.policy === undefined ? this.#next() : this.#nextAdmitted(this.#options.policy)
  }

  /** The next record that can be decoded. Calls that did not wait for the one before come one after the other. */
  #nextAdmitted(policy: DecodePolicy): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    const step = async (): Promise<IteratorResult<ConsumerRecord<K, V>>> => {
      for (;;) {
        const result = await this.#next()
        if (result.done === true) return result
        try {
          if (await policy.admits(result.value, this.#batch!.record(this.#row - 1))) return result
        } catch (error) {
          // The record that ends the loop is not finished.
          this.#leave(Math.max(this.#finished, this.#row - 1))
          throw error
        }
      }
    }
    return (this.#admitting = this.#admitting.then(step, step))
  }

  #next(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    if (this.#row < this.#until || this.#mayGoOn()) return Promise.resolve({ done: false, value: this.#record() })
    return this.#nextBatch()
  }

  /** Apart from `next`, because a closure there would cost an allocation per record. Calls that did not wait for the one before come one after the other. */
  #nextBatch(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    const before = this.#advancing
    if (before !== undefined) return before.then(() => this.#next())
    const advancing = this.#advance()
    this.#advancing = advancing
    const over = (): void => {
      this.#advancing = undefined
    }
    advancing.then(over, over)
    return advancing
  }

  async return(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    await this.#advancing?.catch(() => {})
    // The record that was returned last is not finished.
    this.#leave(Math.max(this.#finished, this.#row - 1, 0))
    return { done: true, value: undefined }
  }

  get ahead(): number {
    return this.#batch === undefined ? 0 : this.#batch.length - this.#row
  }

  finish({ topic, partition, offset }: RecordId): void {
    const batch = this.#batch
    if (batch === undefined || this.#row === 0 || batch.topic !== topic || batch.partition !== partition) return
    if (batch.offset(this.#row - 1) === offset) this.#finished = this.#row
  }

  settle(): void {
    if (this.#batch === undefined) return
    this.#batch.ackBefore(Math.max(this.#finished, this.#row - 1))
    // The next step asks for the batch again: the partition may have gone to another member.
    this.#until = 0
    this.#isDue = true
  }

  /** Looks at the clock. @returns whether the batch may go on as it is */
  #mayGoOn(): boolean {
    const batch = this.#batch
    if (batch === undefined || this.#advancing !== undefined || this.#options.stop.aborted) return false
    this.#isDue ||= this.#look()
    if (this.#isDue || this.#row === batch.length) return false
    this.#until = Math.min(batch.length, this.#row + this.#clockRows)
    return true
  }

  async #advance(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    this.#until = 0
    if (this.#state === 'ended') return { done: true, value: undefined }
    const { stop, loops } = this.#options
    if (this.#state === 'new') {
      loops.begin(this)
      this.#state = 'reading'
      stop.addEventListener('abort', this.#onStop)
    }
    try {
      this.#putBack(this.#row)
      if (this.#isDue) await setImmediate()
      this.#isDue = false
      if (!stop.aborted) this.#batch = await this.#take()
    } catch (error) {
      this.#end()
      throw error
    }
    if (this.#batch === undefined) {
      this.#end()
      return { done: true, value: undefined }
    }
    this.#until = stop.aborted ? 0 : Math.min(this.#batch.length, this.#clockRows)
    return { done: false, value: this.#record() }
  }

  /** Takes the time of the records since the last look. @returns whether a turn of the event loop is due */
  #look(): boolean {
    const now = performance.now()
    const isDue = this.#pace.worked(this.#row - this.#seenRow, now - this.#seenMs)
    this.#clockRows = isDue ? 1 : Math.min(CLOCK_ROWS, this.#clockRows * 2)
    this.#seenRow = this.#row
    this.#seenMs = now
    return isDue
  }

  async #take(): Promise<Batch | undefined> {
    if (this.#consumer === undefined) {
      this.#consumer = await this.#options.open()
      if (this.#consumer !== undefined) this.#consumer.onSettle = () => this.settle()
    }
    const { stop, reads } = this.#options
    const batch = this.#consumer && (await reads.next(this.#consumer, stop, this.#pace.rows))
    this.#row = this.#seenRow = this.#finished = this.#until = 0
    this.#seenMs = performance.now()
    if (batch !== undefined) this.#span = processSpan(batch, this.#options.processor)
    return batch
  }

  /** Acknowledges the rows before one, and gives the others back, as nothing waits for them here. */
  #putBack(row: number): void {
    const batch = this.#batch
    this.#batch = undefined
    if (batch !== undefined) this.#consumer!.giveBack(batch, row)
    this.#span?.end()
    this.#span = undefined
  }

  /** Ends the loop: rows from one on come again. */
  #leave(row: number): void {
    this.#putBack(row)
    this.#end()
  }

  #end(): void {
    this.#state = 'ended'
    this.#until = this.#row = 0
    if (this.#consumer !== undefined) this.#consumer.onSettle = () => {}
    this.#options.stop.removeEventListener('abort', this.#onStop)
    this.#options.loops.end(this)
  }

  #record(): ConsumerRecord<K, V> {
    const record = this.#batch!.record(this.#row++)
    const { decode } = this.#options
    // Without decoders K and V are Buffer.
    return decode === undefined ? (record as unknown as ConsumerRecord<K, V>) : new DecodedRecord(record, decode)
  }
}
