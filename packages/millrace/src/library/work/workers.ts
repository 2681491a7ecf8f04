/**
 * `source.process(handler)`: takes batches, hands their records to handlers through lanes, and acknowledges what is done without a gap.
 *
 * A partition that is revoked, and every partition when the call ends, starts nothing behind what was started last, finishes what lies
 * before that, and is given back (`partition-work.ts`). Nothing more is taken of a partition while enough records of it wait.
 */
import { setImmediate } from 'node:timers/promises'
import { RecordError, UnexpectedError } from '../../errors/index.ts'
import type { Consumer } from '../../kafka/consumer/consumer.ts'
import { keyOf } from '../../kafka/topic-partition.ts'
import type { Batch } from '../../records/batch.ts'
import { LONGEST_MS } from '../../resilience/abort.ts'
import { guarded } from '../../resilience/background.ts'
import type { ConsumerRecord } from '../../records/record.ts'
import { type BatchSpan, type Processor, processSpan } from '../../telemetry/batch-span.ts'
import { DecodedRecord, type Decoders } from '../decoded-record.ts'
import type { Loop } from '../loops.ts'
import type { ReadTimes } from '../watching/read-times.ts'
import { type FailurePolicy, type RetryState, retryStateOf } from './failure-policy.ts'
import { Lanes, type Task } from './lanes.ts'
import type { ProcessOptions, RecordHandler } from './options.ts'
import { PartitionWork } from './partition-work.ts'

const DEFAULT_DRAIN_MS = 30_000
/** Most records of a batch, so that partitions take turns. */
const BATCH_ROWS = 500
/**
 * Records that wait or run, at least; and for each handler that may run. Each partition has its share, so that one whose handlers take
 * long, or wait for something, never keeps the others from being read.
 */
const MOST_OPEN = 2000
const OPEN_PER_HANDLER = 64
/** Least share of a partition, for each handler that may run: it may be the only one with records. */
const SHARE_PER_HANDLER = 2
/** And their bytes, as they were fetched. */
const MOST_OPEN_BYTES = 32 * 1024 * 1024

export interface WorkersOptions<K, V> extends Pick<ProcessOptions<K, V>, 'concurrency' | 'orderBy' | 'drainTimeoutMs'> {
  readonly consumer: Consumer
  readonly reads: ReadTimes
  readonly handler: RecordHandler<K, V>
  readonly decode: Decoders<K, V> | undefined
  readonly failures: FailurePolicy<K, V>
  /** Delay of a retry topic, whose headers say of earlier attempts and when a record is due; undefined for other topics. */
  readonly retryDelayMs: number | undefined
  /** Ends the call. */
  readonly stop: AbortSignal
  readonly maxBatchRecords: number | undefined
  /** For spans. */
  readonly processor: Processor
}

export class Workers<K, V> implements Loop {
  readonly drainMs: number
  readonly #options: WorkersOptions<K, V>
  readonly #lanes: Lanes
  readonly #partitions = new Map<string, PartitionWork>()
  /** Those that were taken away, and are not released. */
  readonly #ending = new Set<PartitionWork>()
  readonly #failed = new AbortController()
  #failure: { readonly error: unknown } | undefined
  #open = 0
  #onChange: (() => void) | undefined
  /** Owns what runs in the background. */
  readonly #onUnexpected = (cause: unknown): void => {
    this.#fail(new UnexpectedError('Processing records failed', { cause }))
    this.#changed()
  }

  constructor(options: WorkersOptions<K, V>) {
    this.#options = options
    this.drainMs = Math.min(options.drainTimeoutMs ?? DEFAULT_DRAIN_MS, LONGEST_MS)
    this.#lanes = new Lanes(options.concurrency ?? 1, this.#onUnexpected)
  }

  get ahead(): number {
    return this.#open
  }

  /** @throws what a handler threw, where the policy is to fail; the error that ended the consumer */
  async run(): Promise<void> {
    const { consumer, reads, stop, maxBatchRecords = Infinity } = this.#options
    const over = AbortSignal.any([stop, this.#failed.signal])
    consumer.onSettle = () => this.#settle()
    over.addEventListener('abort', () => this.#changed())
    try {
      for (;;) {
        const batch = await reads.next(consumer, over, Math.min(BATCH_ROWS, maxBatchRecords, this.#shareOf(1).rows))
        if (batch === undefined) break
        this.#take(batch)
        // So that handlers, and what they wait for, go on beside a source that always has more.
        await setImmediate()
      }
      await this.#drain(over)
    } catch (error) {
      // What lies before a record that cannot be read is handled, so that the next one begins with that record.
      if (error instanceof RecordError) await this.#drain(over)
      this.#fail(error)
      await this.#drain(over)
    } finally {
      consumer.onSettle = () => {}
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #take(batch: Batch): void {
    const { topic, partition } = batch
    const id = keyOf(topic, partition)
    let work = this.#partitions.get(id)
    if (work === undefined)
      this.#partitions.set(id, (work = new PartitionWork(this.#options.consumer, topic, partition)))
    const start = work.add(batch)
    const bytes = batch.byteLength / Math.max(1, batch.records.count)
    this.#opened(batch.length)
    work.openBytes += bytes * batch.length
    const share = this.#shareOf(1)
    if (work.open >= share.rows || work.openBytes >= share.bytes) work.hold()
    const span = processSpan(batch, this.#options.processor)
    span?.consistsOf(batch.length)
    for (let row = 0; row < batch.length; row++)
      this.#lanes.add(new RecordTask(this, work, batch, row, start + row, bytes, span))
  }

  /** Records of a retry topic mostly wait for their time, so that they say nothing about the work of handlers. */
  #opened(records: number): void {
    if (this.#open === 0 && records > 0 && this.#options.retryDelayMs === undefined) this.#options.reads.workBegan()
    this.#open += records
  }

  #closed(): void {
    this.#open--
    if (this.#open === 0 && this.#options.retryDelayMs === undefined) this.#options.reads.workEnded()
  }

  /** What a part of the share of one partition comes to. */
  #shareOf(part: number): { readonly rows: number; readonly bytes: number } {
    const { consumer, concurrency = 1 } = this.#options
    const partitions = Math.max(1, consumer.partitionCount)
    const mostOpen = Math.max(MOST_OPEN, concurrency * OPEN_PER_HANDLER)
    const rows = Math.max(Math.ceil(mostOpen / partitions), concurrency * SHARE_PER_HANDLER)
    return { rows: rows * part, bytes: (MOST_OPEN_BYTES / partitions) * part }
  }

  /** Everything that was taken is worked on, unless it is to end before; then what was started may finish, within a time. */
  async #drain(over: AbortSignal): Promise<void> {
    while (this.#open > 0 && !over.aborted) await this.#change()
    for (const work of this.#partitions.values()) this.#end(work)
    this.#partitions.clear()
    const release = (): void => {
      for (const work of this.#ending) work.release()
      this.#changed()
    }
    const failed = (cause: unknown): void => {
      this.#ending.clear() // Nothing of them would come to an end any more.
      this.#onUnexpected(cause)
    }
    const timeUp = setTimeout(guarded(release, failed), this.drainMs)
    while (this.#forget() > 0) await this.#change()
    clearTimeout(timeUp)
  }

  /** Forgets partitions that are released. @returns how many are not */
  #forget(): number {
    for (const work of this.#ending) if (work.isReleased) this.#ending.delete(work)
    return this.#ending.size
  }

  #end(work: PartitionWork): void {
    this.#ending.add(work)
    if (this.#failure === undefined) work.end()
    else work.stop()
    this.#lanes.sweep()
  }

  /** Before commits, and when partitions have gone. */
  #settle(): void {
    const { consumer } = this.#options
    const owned = new Set(consumer.assignment.map(({ topic, partition }) => keyOf(topic, partition)))
    for (const [id, work] of this.#partitions) {
      work.settle()
      if (owned.has(id) && !work.isVoid) continue
      this.#partitions.delete(id)
      this.#end(work)
    }
    for (const work of this.#ending) {
      work.settle()
      if (work.isVoid) work.release()
    }
    this.#forget()
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    for (const work of this.#partitions.values()) work.stop()
    for (const work of this.#ending) work.stop()
    this.#failed.abort()
    this.#lanes.sweep()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#onChange = resolve))
  }

  #changed(): void {
    this.#onChange?.()
    this.#onChange = undefined
  }

  stateOf(record: ConsumerRecord): RetryState {
    const { retryDelayMs } = this.#options
    if (retryDelayMs !== undefined) return retryStateOf(record, retryDelayMs)
    const { topic, partition, offset } = record
    return { origin: { topic, partition, offset }, attempts: 0, dueMs: 0 }
  }

  /** Which records are handled one after the other. */
  laneOf(batch: Batch, row: number): string | undefined {
    const { orderBy = 'partition' } = this.#options
    if (orderBy === 'none') return undefined
    const place = `${batch.topic} ${batch.partition}`
    if (orderBy === 'partition') return place
    const key = batch.key(row)
    return key === null ? undefined : `${place} ${key.toString('latin1')}`
  }

  /** A task is over, in whatever way. */
  left(work: PartitionWork, bytes: number, span: BatchSpan | undefined): void {
    span?.partEnded()
    this.#closed()
    work.openBytes = work.open === 0 ? 0 : work.openBytes - bytes
    if (work.isHeld) {
      const half = this.#shareOf(1 / 2)
      if (work.open <= half.rows && work.openBytes <= half.bytes) work.letGo()
    }
    this.#changed()
  }

  /** Handles one record. Never rejects. */
  async work(
    raw: ConsumerRecord,
    state: RetryState,
    work: PartitionWork,
    row: number,
    span: BatchSpan | undefined,
  ): Promise<void> {
    const { handler, decode, failures } = this.#options
    // Without decoders K and V are Buffer.
    const record = decode === undefined ? (raw as unknown as ConsumerRecord<K, V>) : new DecodedRecord(raw, decode)
    const { signal } = work.over
    try {
      for (let tries = 1; ; tries++) {
        try {
          const context = { signal, attempt: state.attempts + tries, origin: state.origin }
          await (span === undefined ? handler(record, context) : span.run(() => handler(record, context)))
          break
        } catch (error) {
          span?.failed(error)
          if (signal.aborted) return
          if (!(await failures.again(error, record, raw, state, tries, signal))) break
        }
      }
      work.done(row)
    } catch (error) {
      // After its partition has gone it is the next owner's, who will meet the same.
      if (!signal.aborted) {
        this.#fail(error)
        work.left()
      }
    }
  }
}

/** One record, on its way to a handler. */
class RecordTask<K, V> implements Task {
  readonly lane: string | undefined
  readonly notBefore: number
  readonly #workers: Workers<K, V>
  readonly #work: PartitionWork
  readonly #record: ConsumerRecord
  readonly #state: RetryState
  /** Among all rows of the partition. */
  readonly #row: number
  readonly #bytes: number
  readonly #span: BatchSpan | undefined

  constructor(
    workers: Workers<K, V>,
    work: PartitionWork,
    batch: Batch,
    row: number,
    number: number,
    bytes: number,
    span: BatchSpan | undefined,
  ) {
    this.#span = span
    this.#workers = workers
    this.#work = work
    this.#row = number
    this.#bytes = bytes
    this.#record = batch.record(row)
    this.#state = workers.stateOf(this.#record)
    this.lane = workers.laneOf(batch, row)
    this.notBefore = this.#state.dueMs
  }

  get isDropped(): boolean {
    const isEarly = this.notBefore > 0 && this.notBefore > Date.now()
    return this.#work.isDropped(this.#row) || (this.#work.isEnding && isEarly)
  }

  run(): Promise<void> | undefined {
    const isDropped = this.isDropped
    if (!isDropped) return this.#handled()
    this.#work.left()
    this.#workers.left(this.#work, this.#bytes, this.#span)
    return undefined
  }

  async #handled(): Promise<void> {
    this.#work.started(this.#row)
    await this.#workers.work(this.#record, this.#state, this.#work, this.#row, this.#span)
    this.#workers.left(this.#work, this.#bytes, this.#span)
  }
}
