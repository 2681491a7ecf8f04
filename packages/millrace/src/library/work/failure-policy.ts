/** What becomes of a record whose handler has failed: another attempt, a retry topic, a dead letter, or the end. */
import { HEADER_PREFIX } from '../../engine/failures/envelopes.ts'
import type { FailureFate, FailureLog } from '../../engine/watching/failure-log.ts'
import { ConfigError, isMillraceError } from '../../errors/index.ts'
import { parseDurationMs } from '../../options/units.ts'
import type { ConsumerRecord, Header } from '../../records/record.ts'
import { backoffMs, sleep } from '../../resilience/retry.ts'
import type { SinkRecord } from '../sink/message.ts'
import type { ProcessOptions, RecordContext, RetryTopic } from './options.ts'

/** What the headers of a record in a retry topic begin with. */
const RETRY_PREFIX = '__millrace.retry.'

/** Offsets have up to 19 digits. */
const WHOLE_NUMBER = /^\d{1,19}$/

const DEFAULT_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 30_000

/** A retry topic with its delay. */
export interface RetryStep {
  readonly topic: string
  readonly delayMs: number
}

/** Where a record was first, how often it was tried before, and when it is due. */
export interface RetryState {
  readonly origin: RecordContext['origin']
  readonly attempts: number
  /** Milliseconds since 1970; 0 for at once. */
  readonly dueMs: number
}

/** Writes a record and resolves when it is acknowledged. */
export type Send = (record: SinkRecord) => Promise<unknown>

/** @throws {ConfigError} where a name ends with no delay */
export function retrySteps(topics: readonly RetryTopic[] | undefined): readonly RetryStep[] {
  return (topics ?? []).map((each) => {
    if (typeof each !== 'string') return each
    const [, amount, unit = ''] = /[._-](\d+)(ms|s|m|h|d)$/.exec(each) ?? []
    const delayMs =
      unit === 'ms'
        ? Number(amount)
        : parseDurationMs(unit === 'd' ? `P${amount}D` : `PT${amount}${unit.toUpperCase()}`)
    if (amount === undefined || delayMs === undefined)
      throw new ConfigError(
        `Cannot use the retry topic "${each}" as its name has no delay: end it with one, as in "${each}.5s", or write {topic, delayMs}`,
      )
    return { topic: each, delayMs }
  })
}

/**
 * What the headers of a record say of earlier attempts. Anything may write to a topic: where they make no sense, the record is one that
 * was not tried before.
 *
 * @param delayMs of the retry topic: no record waits longer from now on
 */
export function retryStateOf(
  { topic, partition, offset, headers }: ConsumerRecord<unknown, unknown>,
  delayMs: number,
): RetryState {
  const found = new Map<string, string>()
  for (const [name, value] of headers)
    if (name.startsWith(RETRY_PREFIX)) found.set(name.slice(RETRY_PREFIX.length), String(value))
  const [first, ofPartition, attempts, due] = ['offset', 'partition', 'attempts', 'due'].map((name) => {
    const text = found.get(name)
    return text !== undefined && WHOLE_NUMBER.test(text) ? text : undefined
  })
  if (first === undefined || ofPartition === undefined || attempts === undefined || due === undefined)
    return { origin: { topic, partition, offset }, attempts: 0, dueMs: 0 }
  return {
    origin: { topic: found.get('topic') ?? topic, partition: Number(ofPartition), offset: BigInt(first) },
    attempts: Number(attempts),
    dueMs: Math.min(Number(due), Date.now() + delayMs),
  }
}

export class FailurePolicy<K, V> {
  readonly #options: Pick<ProcessOptions<K, V>, 'retry' | 'onError'>
  /** Where a record goes next; undefined at the last step. */
  readonly #next: RetryStep | undefined
  readonly #send: Send
  readonly #group: string
  readonly #log: FailureLog

  /**
   * @param next the retry topic after the one that is read
   * @param log keeps what failed
   */
  constructor(
    options: Pick<ProcessOptions<K, V>, 'retry' | 'onError'>,
    next: RetryStep | undefined,
    send: Send,
    group: string,
    log: FailureLog,
  ) {
    this.#options = options
    this.#next = next
    this.#send = send
    this.#group = group
    this.#log = log
  }

  /**
   * Decides after a failure, and does what it has decided. Waits before another attempt.
   *
   * @param raw the record as it was read
   * @param tries attempts in this place
   * @returns whether the handler is to be called again; if not, the record is done
   * @throws the error, when it ends the call; {DeliveryError} when the record cannot be written where it is to go; {AbortedError}
   */
  async again(
    error: unknown,
    record: ConsumerRecord<K, V>,
    raw: ConsumerRecord,
    state: RetryState,
    tries: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { attempts = 0, backoffMs: initialMs = DEFAULT_BACKOFF_MS } = this.#options.retry ?? {}
    // The same bytes are decoded in the same way.
    const mayHelp = !(isMillraceError(error) && error.code === 'DECODE_FAILED')
    if (mayHelp && tries <= attempts) {
      this.#note('retried', error, raw)
      await sleep(backoffMs(tries, { initialMs, maxMs: LONGEST_BACKOFF_MS }), signal)
      return true
    }
    const tried = state.attempts + tries
    if (mayHelp && this.#next !== undefined) {
      this.#note('retried', error, raw)
      await this.#send(retryRecord(raw, this.#next, { ...state, attempts: tried }))
      return false
    }
    await this.#dispose(error, record, raw, { ...state, attempts: tried })
    return false
  }

  async #dispose(error: unknown, record: ConsumerRecord<K, V>, raw: ConsumerRecord, state: RetryState): Promise<void> {
    const { retry, onError = retry?.deadLetter === undefined ? 'fail' : 'deadLetter' } = this.#options
    const action =
      typeof onError === 'function'
        ? await onError(error, record)
        : retry?.deadLetter === undefined
          ? onError
          : 'deadLetter'
    if (action === 'skip') return this.#note('skipped', error, raw)
    const topic = retry?.deadLetter
    if (action === 'fail' || topic === undefined) {
      this.#note('fatal', error, raw)
      throw error
    }
    await this.#send(deadLetter(raw, topic, this.#group, state, error))
    this.#note('dead-lettered', error, raw)
  }

  #note(fate: FailureFate, error: unknown, raw: ConsumerRecord): void {
    this.#log.add(fate, error, raw, () => raw)
  }
}

function retryRecord(raw: ConsumerRecord, { topic, delayMs }: RetryStep, { origin, attempts }: RetryState): SinkRecord {
  const facts = { ...textsOf(origin), attempts: String(attempts), due: String(Date.now() + delayMs) }
  return {
    topic,
    key: raw.key,
    value: raw.value,
    headers: [...ownHeaders(raw.headers), ...prefixed(RETRY_PREFIX, facts)],
  }
}

/** In the envelope `headers`, as pipelines write it. */
function deadLetter(
  raw: ConsumerRecord,
  topic: string,
  group: string,
  { origin, attempts }: RetryState,
  error: unknown,
): SinkRecord {
  const facts = {
    ...textsOf(origin),
    timestamp: String(raw.timestampMs),
    pipeline: group,
    component: 'process',
    code: isMillraceError(error) ? error.code : 'HANDLER_FAILED',
    message: error instanceof Error ? error.message : String(error),
    attempts: String(attempts),
    time: new Date().toISOString(),
  }
  return {
    topic,
    key: raw.key,
    value: raw.value,
    headers: [...ownHeaders(raw.headers), ...prefixed(HEADER_PREFIX, facts)],
  }
}

function textsOf({ topic, partition, offset }: RetryState['origin']): { readonly [name: string]: string } {
  return { topic, partition: String(partition), offset: String(offset) }
}

function prefixed(prefix: string, facts: { readonly [name: string]: string }): readonly (readonly [string, string])[] {
  return Object.entries(facts).map(([name, text]) => [prefix + name, text] as const)
}

/** Those of earlier attempts are replaced. */
function ownHeaders(headers: readonly Header[]): readonly Header[] {
  return headers.filter(([name]) => !name.startsWith(RETRY_PREFIX))
}
