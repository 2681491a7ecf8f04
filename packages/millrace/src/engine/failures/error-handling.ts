/**
 * The error policy of a run: what becomes of records that fail, and how many of them did (I7).
 *
 * A record fails in a step (its value cannot be decoded, a stage throws, its document cannot be encoded), which is final,
 * or in its delivery, which `engine/delivery.ts` may try again. What fails for good is collected per batch and disposed of before
 * the batch is acknowledged (I1): skipped, or written as a dead letter. Where the policy is `fail`, nothing is collected
 * and the first failure ends the run.
 */
import type { GroupOffsets } from '../../contracts/offsets.ts'
import type { ErrorCode, MillraceError } from '../../errors/index.ts'
import { Counters, CountersByCode, type Meter } from '../../metrics/counters.ts'
import type { DeadLetters } from './dead-letters.ts'
import { type Failure, Failures } from './failures.ts'
import { RefusedRows } from './refused-rows.ts'
import type { ErrorPolicy, ErrorProgress } from '../plan.ts'
import { isFaultOfRecord } from '../../errors/meaning.ts'
import type { Batch, RowSource } from '../../records/batch.ts'
import { sourcesOf } from '../../records/sources.ts'
import type { FailureLog, FailurePlace } from '../watching/failure-log.ts'

/** Carries out the policy of one run. */
export class ErrorHandling {
  readonly #fate: ErrorPolicy['fate']
  readonly #deadLetters: DeadLetters | undefined
  readonly #disposed: ((failure: Failure) => void) | undefined
  readonly #skipped: CountersByCode<ErrorCode>
  readonly #deadLettered: CountersByCode<ErrorCode>
  readonly #retried: CountersByCode<ErrorCode>
  readonly #log: FailureLog | undefined
  /** In transactions: what was disposed of since the last commit began. It counts when that is committed (I7). */
  #open: Failure[] | undefined
  /** In transactions: what is left out of the next attempt, as it was refused in an earlier one. */
  readonly refused = new RefusedRows()

  /**
   * @param disposed called with each record that is disposed of
   * @param inTransactions whether what is disposed of counts only when it is committed
   * @param log keeps the latest failures
   */
  constructor(
    { fate }: Pick<ErrorPolicy, 'fate'>,
    deadLetters: DeadLetters | undefined,
    meter: Meter = new Counters().meter({}),
    disposed?: (failure: Failure) => void,
    inTransactions = false,
    log?: FailureLog,
  ) {
    if (inTransactions) this.#open = []
    this.#fate = fate
    this.#deadLetters = deadLetters
    this.#disposed = disposed
    this.#log = log
    this.#skipped = new CountersByCode(meter, 'millrace_skipped_records_total')
    this.#deadLettered = new CountersByCode(meter, 'millrace_dead_lettered_records_total')
    this.#retried = new CountersByCode(meter, 'millrace_retried_records_total')
  }

  /** Where to collect the failures of a batch; undefined when the first one is to be thrown. */
  collect(): Failures | undefined {
    return this.#fate === 'fail' ? undefined : new Failures()
  }

  /**
   * Disposes of failures. Their batch may be acknowledged when this has resolved (I1).
   * @throws {DeliveryError} `DEAD_LETTER_FAILED` when a dead letter cannot be written: then nothing is disposed of
   */
  async dispose({ list }: Failures, signal: AbortSignal): Promise<void> {
    if (list.length === 0) return
    // Steps and deliveries found them one after the other; letters are in the order of the records.
    const inOrder = inOrderOfRecords(list)
    await this.#deadLetters?.write(inOrder, signal)
    if (this.#open === undefined) this.#count(inOrder)
    else this.#open.push(...inOrder)
  }

  /** A commit begins. @returns to be called when it has happened, with the offsets as far as they are known */
  committing(): (offsets?: Pick<GroupOffsets, 'offsets'>) => void {
    const disposed = this.#open ?? []
    this.#open = []
    return (offsets) => {
      this.#count(disposed)
      if (offsets !== undefined) this.refused.forget(offsets)
    }
  }

  /** A transaction is aborted: what was disposed of in it will be read again. @returns whether rows were refused that the next attempt leaves out */
  aborted(): boolean {
    this.#open = []
    return this.refused.takeNews()
  }

  #count(failures: readonly Failure[]): void {
    const counters = this.#deadLetters === undefined ? this.#skipped : this.#deadLettered
    const fate = this.#deadLetters === undefined ? 'skipped' : 'dead-lettered'
    for (const failure of failures) {
      const { batch, row, error } = failure
      counters.add(error.code, 1)
      this.#log?.add(fate, error, placeOf(failure), () => batch.record(row))
      this.#disposed?.(failure)
    }
  }

  /** Counts records whose delivery is about to be tried again. @param rows of the batch, and why each of them failed */
  retrying(batch: Batch, rows: Iterable<readonly [row: number, error: MillraceError]>): void {
    let first: RowSource | undefined
    for (const [row, error] of rows) {
      this.#retried.add(error.code, 1)
      // Where a sink is down, all of them fail for the same reason: the first one says what they wait for.
      if (first !== undefined && !isFaultOfRecord(error)) continue
      const [source] = sourcesOf(batch, row)
      first ??= source
      this.#log?.add('retried', error, placeOf(source!), () => source!.batch.record(source!.row))
    }
  }

  /** Something went wrong that may end the run. @param batch as it was read */
  failing(error: unknown, batch: Batch): void {
    this.#log?.failing(error, batch)
  }

  get progress(): ErrorProgress {
    return {
      skipped: this.#skipped.values,
      deadLettered: this.#deadLettered.values,
      retried: this.#retried.values,
    }
  }
}

function placeOf({ batch, row }: RowSource): FailurePlace {
  return { topic: batch.topic, partition: batch.partition, offset: batch.offset(row) }
}

/** By partition, in the order in which partitions failed first, and then by offset. */
function inOrderOfRecords(failures: readonly Failure[]): readonly Failure[] {
  const byPartition = Map.groupBy(failures, ({ batch: { topic, partition } }) => `${partition} ${topic}`)
  const offsetOf = ({ batch, row }: Failure): number => Number(batch.offset(row))
  return [...byPartition.values()].flatMap((list) => list.toSorted((a, b) => offsetOf(a) - offsetOf(b)))
}
