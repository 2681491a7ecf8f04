/**
 * Gives batches to the sink: tries again what may succeed then, waits while the circuit breaker is open, and tells which
 * rows failed for good.
 *
 * Order (I2): where the first failure ends the run, or the transaction, writes overlap and the sink keeps their order. Where
 * something may be tried again, later records of a partition must not overtake those that wait for their next attempt. A sink
 * that fails whatever follows a failed record is given several batches at a time; what fails of them is written again in the
 * same order, before anything that came later. Any other sink has the batches of a partition one after the other.
 */
import type { Delivery as SomeDelivery } from '../contracts/context.ts'
import type { Sink } from '../contracts/sink.ts'
import type { Batch } from '../records/batch.ts'
import { BatchError, isMillraceError, type MillraceError } from '../errors/index.ts'
import { endsTransaction, isFaultOfRecord, meaningOf } from '../errors/meaning.ts'
import type { Counter, Histogram } from '../metrics/counters.ts'
import type { CircuitBreaker, Pass } from '../resilience/circuit-breaker.ts'
import { inBackground } from '../resilience/background.ts'
import { backoffMs, sleep, type BackoffOptions } from '../resilience/retry.ts'
import type { ErrorHandling } from './failures/error-handling.ts'
import type { Failures } from './failures/failures.ts'
import { namingRecord } from './failures/named-record.ts'
import type { ErrorPolicy } from './plan.ts'
import type { SinkActivity } from './watching/activity.ts'

/** What a delivery needs of a sink. */
export type WritableSink = Pick<Sink, 'write' | 'failsInOrder' | 'giveUp'>

export interface DeliveryOptions {
  readonly sink: WritableSink
  readonly policy: Pick<ErrorPolicy, 'retry' | 'fate'>
  readonly breaker: CircuitBreaker | undefined
  readonly errors: ErrorHandling
  /** Counts batches that the sink has acknowledged. */
  readonly batches?: Counter | undefined
  /** Told when a batch is to be written, and when that has ended. */
  readonly activity?: Pick<SinkActivity, 'began' | 'ended'> | undefined
  /** Counts how long each write takes. */
  readonly seconds?: Histogram | undefined
  /** Whether what the brokers refuse dooms a transaction, which then has to be tried again as a whole (I5). */
  readonly inTransaction?: boolean
  /** Gives up what is under way. */
  readonly abort: AbortSignal
  /** Ends all waiting for another attempt: the last error counts then. */
  readonly stopWaiting: AbortSignal
}

/** Between attempts where only a circuit breaker, and no policy, asks for them. */
const BREAKER_BACKOFF: BackoffOptions = { initialMs: 100, maxMs: 1000 }

/** Whether a record may be written more than once, or as a dead letter. */
export function writesInSteps({
  errorPolicy: { retry, fate },
  circuitBreaker,
}: {
  readonly errorPolicy: Pick<ErrorPolicy, 'retry' | 'fate'>
  readonly circuitBreaker?: unknown
}): boolean {
  return retry !== undefined || fate !== 'fail' || circuitBreaker !== undefined
}

/** Whether something decides when to write again. */
export function retries({ errorPolicy, circuitBreaker }: Parameters<typeof writesInSteps>[0]): boolean {
  return errorPolicy.retry !== undefined || circuitBreaker !== undefined
}

/** Whether something may be written again, so that the order has to be watched. A transaction is tried again as a whole. */
export function triesAgain(
  plan: Parameters<typeof writesInSteps>[0] & { readonly delivery?: SomeDelivery | undefined },
): boolean {
  return plan.delivery !== 'exactly_once' && writesInSteps(plan)
}

/**
 * What is written together of a partition: enough that small batches do not wait for a round trip each, and little, as all of
 * it may have to be written again when nobody says what became of it.
 */
const GROUP_BATCHES = 64
const GROUP_BYTES = 256 * 1024

function countOfGroup(waiting: readonly Entry[]): number {
  let count = 0
  const { isUnderWay } = waiting[0]!
  for (let bytes = 0; count < Math.min(waiting.length, GROUP_BATCHES); count++) {
    // What is under way may still fail, and then nothing new may have overtaken it.
    if (waiting[count]!.isUnderWay !== isUnderWay) break
    bytes += waiting[count]!.rest.byteLength
    if (count > 0 && bytes > GROUP_BYTES) break
  }
  return count
}

/** How long the failure of a record may come after that of those behind it, as long as requests are under way. */
const CULPRIT_MS = 30_000

/** Rows that an attempt has failed for, and why; undefined when all were written. */
type Failed = { readonly error: unknown; readonly byRow: Rows } | undefined
type Rows = ReadonlyMap<number, MillraceError>

const NO_FAILURES: Rows = new Map()

/** Rows of a batch that failed for good; undefined when none did. */
export type LostRows = ReadonlySet<number> | undefined

/** A batch on its way. */
interface Entry extends PromiseWithResolvers<LostRows> {
  /** As it came. */
  readonly whole: Batch
  /** What is still to be written of it. */
  rest: Batch
  /** Row of the batch that each row of `rest` was; undefined while it is whole. */
  rows: readonly number[] | undefined
  /** Rows of the batch that failed for good. */
  lost: Set<number> | undefined
  readonly failures: Failures | undefined
  /** Whether the sink may still have it under way, so that another attempt waits for that. */
  isUnderWay: boolean
  /** Whether some of what is to be written again failed for its own sake, so that there has to be a pause. */
  isToBlame: boolean
  attempts: number
  /** Attempts that bring its records closer to their fate. */
  counted: number
}

/** What is to be written of one partition. */
interface PartitionLane {
  waiting: Entry[]
  isBusy: boolean
  /** What a batch failed with for good: nothing behind it is written. */
  failure?: { readonly error: unknown }
}

export class Delivery {
  readonly #options: DeliveryOptions
  /** Whether anything may be tried again. */
  readonly #isOrdered: boolean
  readonly #lanes = new Map<string, PartitionLane>()

  constructor(options: DeliveryOptions) {
    this.#options = options
    const { policy: errorPolicy, breaker: circuitBreaker, inTransaction } = options
    const delivery = inTransaction === true ? 'exactly_once' : 'at_least_once'
    this.#isOrdered = triesAgain({ errorPolicy, circuitBreaker, delivery })
  }

  /**
   * Resolves when every row is acknowledged or has been added to `failures`.
   * @param failures undefined when a failure is to be thrown
   * @returns the rows that were added to `failures`
   * @throws {BatchError} or whatever the sink threw
   */
  async write(batch: Batch, failures: Failures | undefined): Promise<LostRows> {
    const { activity } = this.#options
    activity?.began()
    try {
      return await this.#write(batch, failures)
    } finally {
      activity?.ended()
    }
  }

  #write(batch: Batch, failures: Failures | undefined): Promise<LostRows> {
    const { rest, rows, lost } = this.#withoutRefused(batch, failures)
    if (rest === undefined) return Promise.resolve(lost)
    const entry: Entry = {
      whole: batch,
      rest,
      rows,
      lost,
      failures,
      isUnderWay: false,
      isToBlame: false,
      attempts: 0,
      counted: 0,
      ...Promise.withResolvers<LostRows>(),
    }
    // Without an order to watch nothing waits for anything else.
    const lane: PartitionLane = this.#isOrdered ? this.#laneOf(batch) : { waiting: [], isBusy: false }
    lane.waiting.push(entry)
    if (!lane.isBusy) inBackground(this.#writeLane(lane), (error) => failLane(lane, error))
    return entry.promise
  }

  /** In a transaction: leaves out what the sink has refused in an earlier one, which meets its fate. */
  #withoutRefused(
    batch: Batch,
    failures: Failures | undefined,
  ): { readonly rest: Batch | undefined } & Pick<Entry, 'rows' | 'lost'> {
    const { sink, errors, inTransaction } = this.#options
    const refused = inTransaction === true && failures ? errors.refused.of(sink, batch) : undefined
    if (refused === undefined) return { rest: batch, rows: undefined, lost: undefined }
    for (const [row, error] of refused) failures!.add(batch, row, error)
    const rows = Array.from({ length: batch.length }, (_, row) => row).filter((row) => !refused.has(row))
    return { rest: batch.pick(rows), rows, lost: new Set(refused.keys()) }
  }

  #laneOf({ topic, partition }: Batch): PartitionLane {
    const key = `${partition} ${topic}`
    let lane = this.#lanes.get(key)
    if (lane === undefined) this.#lanes.set(key, (lane = { waiting: [], isBusy: false }))
    return lane
  }

  /** Never rejects: those who wait are told. */
  async #writeLane(lane: PartitionLane): Promise<void> {
    lane.isBusy = true
    while (lane.waiting.length > 0) {
      const { entries, attempts } = this.#begin(lane)
      const again: Entry[] = []
      /** Of the first record for whose own sake there has to be a pause. */
      let error: { readonly error: unknown } | undefined
      for (const [i, entry] of entries.entries()) {
        try {
          const failed = await attempts[i]
          if (lane.failure !== undefined) throw lane.failure.error
          if (failed === undefined || !(await this.#mustTryAgain(entry, failed))) entry.resolve(entry.lost)
          else {
            again.push(entry)
            if (entry.isToBlame) error ??= failed
          }
        } catch (reason) {
          lane.failure ??= { error: reason }
          entry.reject(lane.failure.error)
        }
      }
      lane.waiting.unshift(...again)
      if (error !== undefined) await this.#pause(lane, again[0]!.attempts, error)
      if (lane.failure !== undefined) failLane(lane, lane.failure.error)
    }
    lane.isBusy = false
  }

  /** Begins an attempt of what waits: of a group, in order, where the sink fails in order, and of the first alone where it does not. */
  #begin({ waiting }: PartitionLane): {
    readonly entries: readonly Entry[]
    readonly attempts: readonly Promise<Failed>[]
  } {
    const { sink, breaker } = this.#options
    // What goes through a circuit that is not closed goes alone.
    const isAlone = sink.failsInOrder !== true || (breaker !== undefined && breaker.progress.state !== 'closed')
    const entries = waiting.splice(0, isAlone ? 1 : countOfGroup(waiting))
    const attempts = entries.map((entry) => this.#attempt(entry))
    // Each is looked at in its turn.
    for (const attempt of attempts) attempt.catch(() => {})
    return { entries, attempts }
  }

  /** @returns whether some rows are to be written again, which are then the rest of the entry; others meet their fate. @throws when the first failure counts */
  async #mustTryAgain(entry: Entry, { error, byRow }: NonNullable<Failed>): Promise<boolean> {
    const { breaker, errors, sink } = this.#options
    const { rest, failures } = entry
    entry.attempts++
    entry.isUnderWay = !(error instanceof BatchError) && sink.giveUp !== undefined
    // With an open circuit the sink is to blame, so that attempt does not bring records closer to their fate.
    if (breaker === undefined || breaker.progress.state === 'closed') entry.counted++
    const again = [...byRow].filter(([, reason]) => this.#mayTryAgain(reason, entry.counted))
    if (again.length < byRow.size && failures === undefined) throw namingRecord(error, rest)
    const final = entry.isUnderWay && again.length === 0 ? await this.#giveUp(rest, byRow) : byRow
    for (const [row, reason] of final) {
      if (again.length > 0 && this.#mayTryAgain(reason, entry.counted)) continue
      failures!.add(rest, row, reason, entry.attempts)
      ;(entry.lost ??= new Set()).add(entry.rows?.[row] ?? row)
    }
    if (again.length === 0) return false
    const own = again.filter(([, reason]) => isOwnFailure(reason))
    errors.retrying(rest, own)
    entry.isToBlame = own.length > 0
    const rows = again.map(([row]) => row).toSorted((a, b) => a - b)
    entry.rest = rest.pick(rows)!
    entry.rows = rows.map((row) => entry.rows?.[row] ?? row)
    return true
  }

  /** What has met its fate must not be written afterwards. @returns the rows that were not written */
  async #giveUp(batch: Batch, failures: Rows): Promise<Rows> {
    try {
      return (await this.#options.sink.giveUp!(batch)) ? NO_FAILURES : failures
    } catch (error) {
      if (error instanceof BatchError) return error.failures
      throw error
    }
  }

  /** Before the next attempt. Nobody waits for its end when the run is to end. */
  async #pause(lane: PartitionLane, attempt: number, { error }: { readonly error: unknown }): Promise<void> {
    const { policy, stopWaiting } = this.#options
    await sleep(backoffMs(attempt, policy.retry?.backoff ?? BREAKER_BACKOFF), stopWaiting).catch(() => {
      lane.failure ??= { error }
    })
  }

  /** Writes at once, unless the circuit is open. */
  #attempt(entry: Entry): Promise<Failed> {
    const { breaker, stopWaiting } = this.#options
    return breaker === undefined
      ? this.#try(entry, undefined)
      : breaker.entered(stopWaiting).then((pass) => this.#try(entry, pass))
  }

  async #try(entry: Entry, pass: Pass | undefined): Promise<Failed> {
    const batch = entry.rest
    const startedAt = performance.now()
    try {
      await this.#options.sink.write(batch, this.#options.abort).finally(() => {
        this.#options.seconds?.observe((performance.now() - startedAt) / 1000)
      })
      this.#options.batches?.add(1)
      pass?.succeeded()
      return undefined
    } catch (error) {
      // Also where something else has ended the attempt meanwhile, such as a record that was refused beside this one.
      const ending = this.#noteRefused(entry, error)
      const meaning = this.#options.abort.aborted ? 'ends-run' : meaningOf(error)
      // What ends the run says nothing about the sink; nor does what was refused because of another record.
      if (meaning === 'sink-down') pass?.failed()
      else if (meaning === 'record') pass?.succeeded()
      else pass?.cancelled()
      if (meaning === 'ends-run' || !isMillraceError(error)) throw error
      // What is before it in its partition ends the run, and says why.
      if (meaning === 'says-nothing' && !this.#isOrdered && this.#options.inTransaction !== true)
        await sleep(CULPRIT_MS, this.#options.stopWaiting).catch(() => {})
      if (ending === 0) return { error, byRow: byRowOf(error, batch) }
      throw this.#options.policy.fate === 'fail' ? namingRecord(error, batch) : error
    }
  }

  /** In a transaction: remembers rows that are to be left out of the next one. @returns number of rows that end the transaction */
  #noteRefused({ whole, rest, rows }: Entry, error: unknown): number {
    const { sink, errors, policy } = this.#options
    if (this.#options.inTransaction !== true || !isMillraceError(error)) return 0
    const ending = [...byRowOf(error, rest)].filter(([, reason]) => endsTransaction(reason))
    const refused = ending.filter(([, reason]) => isFaultOfRecord(reason))
    // By their places in what comes again, which the rows that were left out this time have, too.
    if (refused.length > 0 && policy.fate !== 'fail')
      errors.refused.add(sink, whole, new Map(refused.map(([row, reason]) => [rows?.[row] ?? row, reason])))
    return ending.length
  }

  /** @param attempts that count */
  #mayTryAgain(reason: MillraceError, attempts: number): boolean {
    const {
      policy: { retry, fate },
      breaker,
    } = this.#options
    if (isFaultOfRecord(reason)) return false
    // The records that it was refused with are out of the way then.
    if (reason.code === 'REFUSED_WITH_BATCH' && fate !== 'fail') return true
    // With a breaker and no policy of attempts, the breaker decides when, and the run waits for the sink.
    return retry === undefined ? breaker !== undefined : attempts <= retry.maxRetries
  }
}

/** An error of a sink by row: that of all rows where it does not say which failed. */
function byRowOf(error: MillraceError, { length }: Batch): Rows {
  return error instanceof BatchError ? error.failures : new Map(Array.from({ length }, (_, row) => [row, error]))
}

/** Nothing more of the partition is written. */
function failLane(lane: PartitionLane, error: unknown): void {
  lane.failure ??= { error }
  for (const { reject } of lane.waiting.splice(0)) reject(lane.failure.error)
}

/** Whether a record failed for a reason that another attempt may meet again, not for those beside or before it. */
function isOwnFailure({ code }: MillraceError): boolean {
  return code !== 'REFUSED_WITH_BATCH'
}
