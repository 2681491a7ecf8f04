/**
 * The error policy of a run: what becomes of records that fail, and how many of them did (I7).
 *
 * A record fails in a step (its value cannot be decoded, a stage throws, its document cannot be encoded), which is final,
 * or in its delivery, which `delivery.ts` may try again. What fails for good is collected per batch and disposed of before
 * the batch is acknowledged (I1): skipped, or written as a dead letter. Where the policy is `fail`, nothing is collected
 * and the first failure ends the run.
 */
import type { Batch } from '../batch.ts'
import type { BackoffOptions } from '../resilience/retry.ts'
import type { ErrorCode, MillraceError } from '../errors/index.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { EnvelopeName } from './dead-letter-envelopes.ts'
import type { PlannedComponent } from './plan.ts'

/** What becomes of records that fail. */
export interface ErrorPolicy {
  /** How deliveries are tried again before that; undefined when they are not. */
  readonly retry: RetryPolicy | undefined
  readonly fate: 'fail' | 'skip' | 'deadLetter'
  /** Where dead letters go; with fate `deadLetter` only. */
  readonly deadLetters: DeadLetterPlan | undefined
}

export interface RetryPolicy {
  /** Attempts after the first one. */
  readonly maxRetries: number
  readonly backoff: BackoffOptions
}

export interface DeadLetterPlan {
  readonly sink: PlannedComponent
  readonly envelope: EnvelopeName
}

export const FAIL: ErrorPolicy = { retry: undefined, fate: 'fail', deadLetters: undefined }

/** Numbers of records, by error code. */
export type CountsByCode = { readonly [code in ErrorCode]?: number }

/** What the policy has done so far. */
export interface ErrorProgress {
  readonly skipped: CountsByCode
  readonly deadLettered: CountsByCode
  /** Records whose delivery was tried again, counted at each attempt. */
  readonly retried: CountsByCode
}

/** A record that failed for good. */
export interface Failure {
  readonly batch: Batch
  /** Row of `batch`. Its stored key, value and headers are what was read, whatever stages made of it. */
  readonly row: number
  readonly error: MillraceError
  readonly attempts: number
}

/** The records of one batch that failed for good. A record counts once, however many documents a stage made of it. */
export class Failures {
  readonly list: Failure[] = []
  /** By offset, as stages may lay records out anew. */
  readonly #offsets = new Set<bigint>()

  readonly add = (batch: Batch, row: number, error: MillraceError, attempts = 1): void => {
    const offset = batch.offset(row)
    if (this.#offsets.has(offset)) return
    this.#offsets.add(offset)
    this.list.push({ ...asRead(batch, row), error, attempts })
  }

  /** The rows of a batch without those whose record is among the failures from the index `since` on; undefined when none is left. */
  survivorsOf(batch: Batch, since: number): Batch | undefined {
    if (this.list.length === since) return batch
    const lost = new Set(this.list.slice(since).map((failure) => failure.batch.offset(failure.row)))
    return batch.pick(
      Array.from({ length: batch.length }, (_, row) => row).filter((row) => !lost.has(batch.offset(row))),
    )
  }
}

/** Where a row stands in the batch that was read: a stage may have laid its record out anew. */
function asRead(batch: Batch, row: number): { readonly batch: Batch; readonly row: number } {
  const { laidOutFrom } = batch
  if (laidOutFrom === undefined) return { batch, row }
  const { offsets } = laidOutFrom.records
  const offset = Number(batch.offset(row))
  let [low, high] = [0, offsets.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (offsets[middle]! < offset) low = middle + 1
    else high = middle
  }
  return offsets[low] === offset ? { batch: laidOutFrom.derive({ rows: Int32Array.of(low) }), row: 0 } : { batch, row }
}

/** Carries out the policy of one run. */
export class ErrorHandling {
  readonly #fate: ErrorPolicy['fate']
  readonly #deadLetters: DeadLetters | undefined
  readonly #told: ((failure: Failure) => void) | undefined
  readonly #counts = {
    skipped: new Map<ErrorCode, number>(),
    deadLettered: new Map<ErrorCode, number>(),
    retried: new Map<ErrorCode, number>(),
  }

  /** @param told of each failure that is disposed of */
  constructor(
    { fate }: Pick<ErrorPolicy, 'fate'>,
    deadLetters: DeadLetters | undefined,
    told?: (failure: Failure) => void,
  ) {
    this.#fate = fate
    this.#deadLetters = deadLetters
    this.#told = told
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
    const inOrder = list.toSorted((a, b) => a.batch.recordOf(a.row) - b.batch.recordOf(b.row))
    await this.#deadLetters?.write(inOrder, signal)
    const counts = this.#deadLetters === undefined ? this.#counts.skipped : this.#counts.deadLettered
    for (const failure of inOrder) {
      count(counts, failure.error.code, 1)
      this.#told?.(failure)
    }
  }

  /** Counts records whose delivery is about to be tried again. */
  retrying(errors: Iterable<MillraceError>): void {
    for (const { code } of errors) count(this.#counts.retried, code, 1)
  }

  get progress(): ErrorProgress {
    const { skipped, deadLettered, retried } = this.#counts
    return {
      skipped: Object.fromEntries(skipped),
      deadLettered: Object.fromEntries(deadLettered),
      retried: Object.fromEntries(retried),
    }
  }
}

function count(counts: Map<ErrorCode, number>, code: ErrorCode, by: number): void {
  counts.set(code, (counts.get(code) ?? 0) + by)
}
