/**
 * `exactlyOnce`: joins a `KafkaSource` and a `KafkaSink` in a program.
 *
 * ```ts
 * const source = new KafkaSource({ bootstrapServers, topics: 'orders', groupId: 'billing' })
 * const sink = new KafkaSink({ bootstrapServers, topic: 'invoices', transactionalId: 'billing-1' })
 * await exactlyOnce(source, sink, (batch, transaction) => {
 *   for (let row = 0; row < batch.length; row++) transaction.write([{ key: batch.key(row), value: invoiceFor(batch.value(row)) }])
 * })
 * ```
 */
import { counted } from '../options/units.ts'
import { setImmediate } from 'node:timers/promises'
import type { GroupOffsets } from '../contracts/offsets.ts'
import type { Batch } from '../records/batch.ts'
import { TransactionalRun } from '../engine/transactional-run.ts'
import { StageChain } from '../engine/stage-chain.ts'
import { BatchError, TransactionError } from '../errors/index.ts'
import type { DeliveryReports } from '../kafka/producer/reports.ts'
import { FOR_TRANSACTIONS } from './for-transactions.ts'
import { FOR_WATCHING } from './for-watching.ts'
import type { KafkaSink } from './kafka-sink.ts'
import type { KafkaSource } from './kafka-source.ts'
import type { SinkRecord } from './sink/message.ts'
import { Pace, timeWork } from '../resilience/pace.ts'
import { processSpan } from '../telemetry/batch-span.ts'

/** Bytes of batches that may be worked on at the same time. */
const IN_FLIGHT_BYTES = 32 * 1024 * 1024

/** How long the transaction that is open at the end may take to be aborted; nearly always it is empty, and takes none. */
const LAST_ABORT_MS = 1000

/** The transaction of which the outputs of a batch become part. */
export interface Transaction<T = Uint8Array | string> {
  /**
   * Writes records to the sink. Its result need not be awaited: the offsets of the batch become part of the transaction when all of
   * them are acknowledged, and a record that is not fails the batch. It must be called before the callback has returned or its promise is
   * settled; a later call would write outside the transaction of the batch.
   *
   * @throws {TransactionError} when the callback has returned, or the transaction was aborted meanwhile
   */
  write(records: readonly SinkRecord<T>[]): Promise<DeliveryReports>
}

/** Options of `exactlyOnce`. */
export interface ExactlyOnceOptions {
  /** Stops reading, and commits what was read. */
  readonly signal?: AbortSignal
  /** Time between commits, 100 ms. Readers see records that late. */
  readonly commitIntervalMs?: number
  /** Called with the reason when a transaction was aborted, after which its records are read again. */
  readonly onWarning?: (message: string, facts?: { readonly [name: string]: unknown }) => void
}

/**
 * Reads, processes and writes so that each record of the source counts exactly once in what readers of committed records see:
 * what is written for a batch and its offsets are committed by the same transaction (I5).
 *
 * Batches are processed one after the other. Where a transaction is aborted, for instance because partitions went to another
 * member, its batches are processed again, so `process` must have no other effects. The source must not have been read
 * from before, commits nothing by itself, and reads committed records unless `isolation` says otherwise. Closes neither.
 *
 * @param process given each batch; what it throws ends everything, and nothing of its transaction becomes visible
 * @throws {TransactionError} with `fatal` when another sink with the same transactional id has taken over
 */
export async function exactlyOnce<T>(
  source: KafkaSource<unknown, unknown>,
  sink: KafkaSink<T>,
  process: (batch: Batch, transaction: Transaction<T>) => unknown,
  options: ExactlyOnceOptions = {},
): Promise<void> {
  const never = new AbortController().signal
  const { signal = never, commitIntervalMs, onWarning = () => {} } = options
  const { producer, write } = await sink[FOR_TRANSACTIONS](signal)
  const consumer = await source[FOR_TRANSACTIONS](signal)
  const pace = new Pace(source.maxBatchRecords)
  const [{ reads }, { writes }] = [source[FOR_WATCHING], sink[FOR_WATCHING]]
  const writeUntil: typeof write = (records, over) => writes.during(write(records, over))
  let last: Promise<unknown> = Promise.resolve()
  const work = (batch: Batch, over: AbortSignal): Promise<void> => {
    const span = processSpan(batch, { clientId: consumer.clientId })
    const act = (): Promise<void> => processed(batch, over, process, writeUntil, pace)
    return span === undefined ? act() : span.follow(act)
  }

  const transactions = {
    renewable: false,
    timeoutMs: producer.transactionTimeoutMs,
    commit: (offsets: () => Promise<GroupOffsets>, stop: AbortSignal) => producer.commitAndBegin(offsets, stop),
    abort: (stop: AbortSignal) => producer.abortAndBegin(stop),
  }
  producer.beginTransaction()
  const begin = (batch: Batch, over: AbortSignal) => (): Promise<void> => {
    reads.workBegan()
    const done = last.then(() => work(batch, over)).finally(() => reads.workEnded())
    last = done.catch(() => {})
    return done
  }
  const pipeline = {
    source: { batches: (stop: AbortSignal) => reads.batches(consumer, stop), offsets: consumer },
    sink: { transactions },
    stages: new StageChain([]),
  }
  const run = new TransactionalRun(
    { name: 'exactlyOnce', commitIntervalMs },
    { signal, abort: never, warn: onWarning },
    pipeline,
    { begin, inSteps: true, waits: true, pace: rowsOf(pace) },
    IN_FLIGHT_BYTES,
  )
  try {
    await run.run()
  } finally {
    // The run has begun another one, in which the program could not begin its own.
    if (producer.hasTransaction) await producer.abortTransaction(AbortSignal.timeout(LAST_ABORT_MS)).catch(() => {})
  }
}

/** Gives a batch to the callback, and waits until everything that it wrote is acknowledged. @param over ends the attempt */
async function processed<T>(
  batch: Batch,
  over: AbortSignal,
  process: (batch: Batch, transaction: Transaction<T>) => unknown,
  writeUntil: (records: readonly SinkRecord<T>[], over: AbortSignal) => Promise<DeliveryReports>,
  pace: Pace,
): Promise<void> {
  over.throwIfAborted()
  const written: Promise<DeliveryReports>[] = []
  let isOver = false
  const write = (records: readonly SinkRecord<T>[]): Promise<DeliveryReports> => {
    if (isOver) return Promise.reject(lateWrite())
    // I5: what is late would become part of the next transaction, for which the batch is read again.
    const reports = writeUntil(records, over)
    written.push(reports)
    // If the callback does not wait for it, the end of the batch reports the error.
    reports.catch(() => {})
    return reports
  }
  const worked = timeWork()
  let workedMs = 0
  try {
    await process(batch, { write })
  } finally {
    isOver = true
    workedMs = worked()
  }
  if (pace.worked(batch.length, workedMs)) await setImmediate()
  for (const { failures, length } of await Promise.all(written)) {
    if (failures.size > 0)
      throw new BatchError(
        `Cannot write ${failures.size} of ${counted(length, 'record')} in a transaction: ${failures.values().next().value!.message}`,
        failures,
      )
  }
}

/** What a pace says, for those whose own work takes no time: the callback's is measured here. */
function rowsOf(pace: Pace): Pick<Pace, 'rows' | 'worked'> {
  return {
    get rows() {
      return pace.rows
    },
    worked: () => false,
  }
}

function lateWrite(): TransactionError {
  return new TransactionError(
    'Cannot write in the transaction of a batch whose callback has returned: await what writes before it returns',
    { fatal: false },
  )
}
