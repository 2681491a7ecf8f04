/**
 * The latest failures of a pipeline, as `/status` and the dashboard show them: what failed, where, why, how often, and what happened then. Failures
 * of the same partition with the same code are one entry, so that a topic full of bad records does not push out everything else.
 */
import { BatchError, isMillraceError, RecordError } from '../../errors/index.ts'
import type { Batch } from '../../records/batch.ts'
import type { ConsumerRecord } from '../../records/record.ts'
import { type RecordText, recordText } from './record-text.ts'

/** `fatal` ended the run. */
export const FATES = ['retried', 'skipped', 'dead-lettered', 'fatal'] as const
export type FailureFate = (typeof FATES)[number]

export interface FailureEntry {
  /** Of the entry, in this log. */
  readonly id: number
  readonly fate: FailureFate
  readonly code: string
  /** Of the latest one. */
  readonly message: string
  readonly topic: string | undefined
  readonly partition: number | undefined
  /** Of the latest record, in digits. */
  readonly offset: string | undefined
  readonly count: number
  /** How often in a row the latest record failed. */
  readonly attempts: number
  /** Whether a record was kept; `recordOf` returns it. */
  readonly hasRecord: boolean
  /** ISO 8601. */
  readonly firstAt: string
  readonly lastAt: string
}

/** Where a record came from. */
export interface FailurePlace {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly offset?: bigint | undefined
}

const MOST_ENTRIES = 50
const MOST_CHARACTERS = 500
/** How often at most another record is kept for an entry. */
const KEEP_MS = 1000

interface Kept {
  readonly at: number
  readonly record: RecordText
}

export class FailureLog {
  /** The latest ones last. */
  readonly #entries = new Map<string, FailureEntry>()
  /** By id of the entry. */
  readonly #records = new Map<number, Kept>()
  readonly #unnamed: string
  #lastId = 0
  /** Whether records are kept, and how. */
  #keeps: 'none' | 'whole' | 'hidden' = 'none'
  /** What is about to end the run. */
  #suspect: { readonly error: RecordError; readonly record: RecordText } | undefined

  /** @param unnamed code of what is no error of Millrace */
  constructor(unnamed = 'UNEXPECTED') {
    this.#unnamed = unnamed
  }

  /**
   * From now on the record of each failure is kept, as text: at most one a second for each entry.
   * @param hides whether what is in it is replaced
   */
  keepRecords(hides: boolean): void {
    this.#keeps = hides ? 'hidden' : 'whole'
  }

  /** @param id of an entry @returns undefined where no record was kept */
  recordOf(id: number): RecordText | undefined {
    return this.#records.get(id)?.record
  }

  /**
   * @param place of the record; by default what the error says
   * @param read the record itself; called only where it is kept
   */
  add(fate: FailureFate, thrown: unknown, place?: FailurePlace, read?: () => ConsumerRecord): void {
    const error = thrown instanceof BatchError ? (thrown.failures.values().next().value ?? thrown) : thrown
    this.#add(fate, error, place ?? (error instanceof RecordError ? error : {}), read)
  }

  /**
   * Keeps the record that an error is about, as it may end the run: `add` does not have it then.
   * @param batch as it was read
   */
  failing(thrown: unknown, batch: Batch): void {
    if (this.#keeps === 'none') return
    const error = thrown instanceof BatchError ? thrown.failures.values().next().value : thrown
    if (!(error instanceof RecordError) || error.topic !== batch.topic || error.partition !== batch.partition) return
    const record = this.#text(() => {
      for (let row = 0; row < batch.length; row++) if (batch.offset(row) === error.offset) return batch.record(row)
      return undefined
    })
    if (record !== undefined) this.#suspect = { error, record }
  }

  #add(fate: FailureFate, error: unknown, place: FailurePlace, read: (() => ConsumerRecord) | undefined): void {
    const { topic, partition } = place
    const offset = place.offset === undefined ? undefined : String(place.offset)
    const code = isMillraceError(error) ? error.code : this.#unnamed
    const key = `${fate} ${code} ${partition} ${topic}`
    const before = this.#entries.get(key)
    this.#entries.delete(key)
    const now = new Date().toISOString()
    const message = error instanceof Error ? error.message : String(error)
    const id = before?.id ?? ++this.#lastId
    this.#keep(id, error, read)
    this.#entries.set(key, {
      id,
      fate,
      code,
      message: message.length > MOST_CHARACTERS ? `${message.slice(0, MOST_CHARACTERS)}…` : message,
      topic,
      partition,
      offset,
      count: (before?.count ?? 0) + 1,
      attempts: before !== undefined && before.offset === offset ? before.attempts + 1 : 1,
      hasRecord: this.#records.has(id),
      firstAt: before?.firstAt ?? now,
      lastAt: now,
    })
    if (this.#entries.size > MOST_ENTRIES) {
      const [oldest, { id: gone }] = this.#entries.entries().next().value!
      this.#entries.delete(oldest)
      this.#records.delete(gone)
    }
  }

  #keep(id: number, error: unknown, read: (() => ConsumerRecord) | undefined): void {
    if (this.#keeps === 'none') return
    const now = performance.now()
    const before = this.#records.get(id)
    if (before !== undefined && now - before.at < KEEP_MS) return
    const record = read === undefined ? this.#suspected(error) : this.#text(read)
    if (record !== undefined) this.#records.set(id, { at: now, record })
  }

  #suspected(error: unknown): RecordText | undefined {
    return this.#suspect?.error === error ? this.#suspect?.record : undefined
  }

  /** Nothing that cannot be read may fail a second time. */
  #text(read: () => ConsumerRecord | undefined): RecordText | undefined {
    try {
      const record = read()
      return record && recordText(record, this.#keeps === 'hidden')
    } catch {
      return undefined
    }
  }

  /** The latest first. */
  get entries(): readonly FailureEntry[] {
    return [...this.#entries.values()].toReversed()
  }
}
