/**
 * What becomes of the records of one call to the producer: a ticket counts them off, the reports say where each one
 * stands. Typed arrays by row; an object is made for a record when somebody asks.
 */
import { counted, countedWere } from '../../options/units.ts'
import { BatchError, DeliveryError, type MillraceError } from '../../errors/index.ts'
import { LEFT_OUT } from '../../errors/meaning.ts'
import type { DeliveryReport } from '../../records/record.ts'
import type { Linked } from '../../resilience/linked-list.ts'

/** Where rows can have gone. */
export interface Destination {
  /** Number of the destination, unique within its producer. */
  readonly index: number
  readonly topic: string
  readonly partition: number
}

/** Rows of one call that stand next to one another in a record batch. */
export interface Segment {
  readonly ticket: Ticket
  /** Index of the first record in the batch. */
  readonly start: number
  /** Index after the last one. */
  end: number
}

/** Counts the rows of one call until each of them has been acknowledged or has failed. */
export class Ticket implements Linked<Ticket> {
  readonly length: number
  /** Resolves, and never rejects, when all rows are settled. */
  readonly done: Promise<void>
  failures: Map<number, MillraceError> | undefined
  /** Why nothing more of it is to be appended. */
  givenUp: MillraceError | undefined
  /** Called once, when all rows are settled; not for a ticket without rows. */
  onDone: ((ticket: Ticket) => void) | undefined
  before: Ticket | undefined
  after: Ticket | undefined
  #open: number
  #finish!: () => void

  constructor(length: number) {
    this.length = length
    this.#open = length
    this.done = new Promise((resolve) => {
      this.#finish = resolve
    })
    if (length === 0) this.#finish()
  }

  get isDone(): boolean {
    return this.#open === 0
  }

  /** @throws {BatchError} the rows that failed, if any did */
  throwFailures(topic: string): void {
    const { failures, length } = this
    if (failures === undefined) return
    const first: MillraceError = failures.values().next().value!
    throw new BatchError(
      `Cannot write ${failures.size} of ${counted(length, 'record')} to topic "${topic}": ${first.message}`,
      failures,
    )
  }

  /** Rows `rows[start]` to `rows[end - 1]` (or `start` to `end - 1` without `rows`) were written, from offset `baseOffset` + `start` on. */
  delivered(
    _rows: Int32Array | undefined,
    start: number,
    end: number,
    _destination: Destination,
    _baseOffset: number,
  ): void {
    this.#settle(end - start)
  }

  /** The same rows failed. */
  failed(rows: Int32Array | undefined, start: number, end: number, error: MillraceError): void {
    this.failures ??= new Map()
    for (let i = start; i < end; i++) {
      const row = rows === undefined ? i : rows[i]!
      if (!this.failures.has(row)) this.failures.set(row, error)
    }
    this.#settle(end - start)
  }

  /** Gives a row an error of its own, ahead of a call to `failed` that includes it. */
  own(row: number, error: MillraceError): void {
    ;(this.failures ??= new Map()).set(row, error)
  }

  /** One row failed before it was in a batch. */
  refused(row: number, error: MillraceError): void {
    this.own(row, error)
    this.#settle(1)
  }

  /** Every row from `row` on failed before it was in a batch. */
  abandoned(row: number, error: MillraceError): void {
    if (row < this.length) this.failed(undefined, row, this.length, error)
  }

  #settle(count: number): void {
    this.#open -= count
    if (this.#open !== 0) return
    this.#finish()
    this.onDone?.(this)
  }
}

/** A ticket that remembers where each row went. */
export class ReportTicket extends Ticket {
  readonly reports: DeliveryReports
  readonly #offsets: Float64Array
  readonly #destinations: Int32Array

  /** @param destinations by their index; may grow while the ticket is open */
  constructor(length: number, destinations: readonly Destination[]) {
    super(length)
    this.#offsets = new Float64Array(length)
    this.#destinations = new Int32Array(length)
    this.reports = new DeliveryReports(this, destinations, this.#destinations, this.#offsets)
  }

  override delivered(
    rows: Int32Array | undefined,
    start: number,
    end: number,
    destination: Destination,
    baseOffset: number,
  ): void {
    const { index } = destination
    const offsets = this.#offsets
    const destinations = this.#destinations
    for (let i = start; i < end; i++) {
      const row = rows === undefined ? i : rows[i]!
      offsets[row] = baseOffset < 0 ? -1 : baseOffset + i
      destinations[row] = index
    }
    super.delivered(rows, start, end, destination, baseOffset)
  }
}

/** One result per record, in the order in which the records were given: a report, or the error of a record that failed. */
export class DeliveryReports implements Iterable<DeliveryReport | MillraceError> {
  readonly #ticket: Ticket
  readonly #places: readonly Destination[]
  readonly #destinations: Int32Array
  readonly #offsets: Float64Array

  /** Programs get reports from `KafkaSink.write`. */
  constructor(ticket: Ticket, places: readonly Destination[], destinations: Int32Array, offsets: Float64Array) {
    this.#ticket = ticket
    this.#places = places
    this.#destinations = destinations
    this.#offsets = offsets
  }

  /** Number of records that were given. */
  get length(): number {
    return this.#offsets.length
  }

  /** Records that failed, by index; empty when all were written. */
  get failures(): ReadonlyMap<number, MillraceError> {
    return this.#ticket.failures ?? NONE
  }

  /** Where a record stands, or why it was not written. @throws {RangeError} when there is no such record */
  get(index: number): DeliveryReport | MillraceError {
    if (!(index >= 0 && index < this.length)) throw new RangeError(`Cannot get report ${index} of ${this.length}`)
    const failure = this.#ticket.failures?.get(index)
    if (failure !== undefined) return failure
    const { topic, partition } = this.#places[this.#destinations[index]!]!
    return { topic, partition, offset: BigInt(this.#offsets[index]!) }
  }

  /** The result of each record, in their order. */
  *[Symbol.iterator](): IterableIterator<DeliveryReport | MillraceError> {
    for (let i = 0; i < this.length; i++) yield this.get(i)
  }
}

const NONE: ReadonlyMap<number, MillraceError> = new Map()

/** The error of records that were not written. Names topic and partition. */
export function deliveryError(
  place: Pick<Destination, 'topic' | 'partition'>,
  reason: string,
  details: {
    code?: 'DELIVERY_FAILED' | 'DELIVERY_TIMED_OUT' | 'RECORD_TOO_LARGE' | 'REFUSED_WITH_BATCH' | 'SEQUENCE_BROKEN'
    cause?: unknown
    /** Whether its transaction goes on without the record. */
    isLeftOut?: boolean
  } = {},
): DeliveryError {
  const { topic, partition } = place
  const { isLeftOut, ...rest } = details
  return new DeliveryError(`Cannot write to partition ${partition} of topic "${topic}": ${reason}`, {
    ...rest,
    ...(isLeftOut === true ? { context: LEFT_OUT } : {}),
    topic,
    partition,
    component: 'kafka',
  })
}

/** For what shares its transaction with a record that was refused, and is not to blame itself. */
export function refusedWith(cause: MillraceError): DeliveryError {
  return new DeliveryError(`Another record of the transaction was refused: ${cause.message}`, {
    code: 'REFUSED_WITH_BATCH',
    cause,
    component: 'kafka',
  })
}

/** For a batch that is not sent again. @param how as in `given up` */
export function timedOut(
  { queue, count, ambiguous, lastError, lastAnswer }: TimedOutBatch,
  how: string,
): DeliveryError {
  const they = count === 1 ? 'it was' : 'they were'
  const state = ambiguous ? `it is unknown whether ${they} written` : `${they} not written`
  const last = lastError?.message ?? 'no request could be sent'
  const answer = lastAnswer === undefined || lastAnswer === lastError ? '' : `; last response: ${lastAnswer.message}`
  return deliveryError(queue, `${countedWere(count, 'record')} ${how}, and ${state}; last: ${last}${answer}`, {
    code: 'DELIVERY_TIMED_OUT',
    cause: lastError,
  })
}

/** What `timedOut` tells of a `ProducerBatch`. */
interface TimedOutBatch {
  readonly queue: Destination
  readonly count: number
  readonly ambiguous: boolean
  readonly lastError: MillraceError | undefined
  readonly lastAnswer: MillraceError | undefined
}
