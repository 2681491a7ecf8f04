/**
 * `source.poll()`: a number of records at a time, whenever the program asks.
 *
 * Polling reads the source as a loop does, until `close`. What a call returned is done when the next one begins, or `commit` is called.
 */
import { ConfigError } from '../errors/index.ts'
import type { Consumer } from '../kafka/consumer/consumer.ts'
import type { Batch } from '../records/batch.ts'
import type { ConsumerRecord } from '../records/record.ts'
import { type BatchSpan, type Processor, processSpan } from '../telemetry/batch-span.ts'
import { DecodedRecord, type Decoders } from './decoded-record.ts'
import type { Loop } from './loops.ts'

export class PollLoop<K, V> implements Loop {
  readonly #decode: Decoders<K, V> | undefined
  readonly #processor: Processor
  #batch: Batch | undefined
  #span: BatchSpan | undefined
  #isPolling = false

  constructor(decode: Decoders<K, V> | undefined, processor: Processor) {
    this.#decode = decode
    this.#processor = processor
  }

  /** What was returned last is done. */
  finishAll(): void {
    this.#batch?.ack()
    this.#batch = undefined
    this.#span?.end()
    this.#span = undefined
  }

  /**
   * @param stop ends the wait
   * @returns the next records of one partition, in order; none when there were none in time
   * @throws {ConfigError} while another call waits; otherwise as `Consumer.next`
   */
  async poll(consumer: Consumer, stop: AbortSignal, maxRecords: number): Promise<ConsumerRecord<K, V>[]> {
    if (this.#isPolling) throw new ConfigError('Cannot poll a KafkaSource in two calls at a time: await the first one')
    this.#isPolling = true
    try {
      this.finishAll()
      const batch = await consumer.next(stop, maxRecords)
      this.#batch = batch
      this.#span = batch && processSpan(batch, this.#processor)
      const decode = this.#decode
      return Array.from({ length: batch?.length ?? 0 }, (_, row) => {
        const record = batch!.record(row)
        // Without decoders K and V are Buffer.
        return decode === undefined ? (record as unknown as ConsumerRecord<K, V>) : new DecodedRecord(record, decode)
      })
    } finally {
      this.#isPolling = false
    }
  }
}
