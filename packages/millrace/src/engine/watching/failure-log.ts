/**
 * The latest failures of a pipeline, as `/status` and the dashboard show them: what failed, where, why, how often, and what happened then. Failures
 * of the same partition with the same code are one entry, so that a topic full of bad records does not push out everything else.
 */
import { BatchError, isMillraceError, RecordError } from '../../errors/index.ts'

/** `fatal` ended the run. */
export const FATES = ['retried', 'skipped', 'dead-lettered', 'fatal'] as const
export type FailureFate = (typeof FATES)[number]

export interface FailureEntry {
  readonly fate: FailureFate
  readonly code: string
  /** Of the latest one. */
  readonly message: string
  readonly topic: string | undefined
  readonly partition: number | undefined
  /** Of the latest record, in digits. */
  readonly offset: string | undefined
  readonly count: number
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

export class FailureLog {
  /** The latest ones last. */
  readonly #entries = new Map<string, FailureEntry>()

  /** @param place of the record; by default what the error says */
  add(fate: FailureFate, thrown: unknown, place?: FailurePlace): void {
    const error = thrown instanceof BatchError ? (thrown.failures.values().next().value ?? thrown) : thrown
    this.#add(fate, error, place ?? (error instanceof RecordError ? error : {}))
  }

  #add(fate: FailureFate, error: unknown, place: FailurePlace): void {
    const { topic, partition, offset } = place
    const code = isMillraceError(error) ? error.code : 'UNEXPECTED'
    const key = `${fate} ${code} ${partition} ${topic}`
    const before = this.#entries.get(key)
    this.#entries.delete(key)
    const now = new Date().toISOString()
    const message = error instanceof Error ? error.message : String(error)
    this.#entries.set(key, {
      fate,
      code,
      message: message.length > MOST_CHARACTERS ? `${message.slice(0, MOST_CHARACTERS)}…` : message,
      topic,
      partition,
      offset: offset === undefined ? undefined : String(offset),
      count: (before?.count ?? 0) + 1,
      firstAt: before?.firstAt ?? now,
      lastAt: now,
    })
    if (this.#entries.size > MOST_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!)
  }

  /** The latest first. */
  get entries(): readonly FailureEntry[] {
    return [...this.#entries.values()].toReversed()
  }
}
