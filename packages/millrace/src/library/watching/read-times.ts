/**
 * What a `KafkaSource` and the program that reads it spend their time on. Called per batch.
 *
 * What the source does at once when the next batch is asked for is its own work. Between two batches the program works; where handlers
 * run beside the loop that reads, it works while any of them does.
 */
import { Activity, type ActivityOfReader } from '../../engine/watching/activity.ts'
import type { Consumer } from '../../kafka/consumer/consumer.ts'
import type { Batch } from '../../records/batch.ts'

export class ReadTimes {
  /** Busy while the source or the program works, idle while the program waits for records. Nothing counts while no loop reads. */
  readonly activity: Activity
  /** The work of the source. */
  readonly reading: { readonly seconds: number }
  /** The work of the program. */
  readonly program: { readonly seconds: number }
  readonly #loop: ActivityOfReader
  readonly #handlers: ActivityOfReader
  readonly #now: () => number
  #readingMs = 0
  #working = 0

  /** @param now milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.activity = new Activity(now)
    this.#loop = this.activity.reader()
    this.#handlers = this.activity.reader()
    this.#loop.ended()
    this.#handlers.ended()
    const secondsOfReading = (): number => this.#readingMs / 1000
    const secondsOfBoth = (): number => this.activity.seconds('busy')
    this.reading = {
      get seconds() {
        return secondsOfReading()
      },
    }
    this.program = {
      get seconds() {
        return Math.max(0, secondsOfBoth() - secondsOfReading())
      },
    }
  }

  /** As `Consumer.next`. */
  async next(consumer: Pick<Consumer, 'next'>, stop: AbortSignal, maxRecords?: number): Promise<Batch | undefined> {
    this.#loop.busy()
    const askedAt = this.#now()
    const next = consumer.next(stop, maxRecords)
    this.#readingMs += this.#now() - askedAt
    this.#loop.idle()
    try {
      return await next
    } finally {
      this.#loop.busy()
    }
  }

  /** As `Consumer.batches`. */
  async *batches(consumer: Pick<Consumer, 'next'>, stop: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    try {
      for (let batch = await this.next(consumer, stop); batch !== undefined; batch = await this.next(consumer, stop))
        yield batch
    } finally {
      this.#loop.ended()
    }
  }

  /** The loop that read has ended. */
  ended(): void {
    this.#loop.ended()
  }

  /** Handlers begin to work beside the loop. */
  workBegan(): void {
    if (this.#working++ === 0) this.#handlers.busy()
  }

  workEnded(): void {
    if (--this.#working === 0) this.#handlers.ended()
  }
}
