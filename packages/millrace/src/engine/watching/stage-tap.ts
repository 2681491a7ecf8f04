/**
 * The last records before and after a stage, for somebody who looks.
 *
 * Closed, it costs the stage one look at `isOpen` per batch. `ask` opens it for some seconds; then the last rows of a batch, at most
 * five times a second, are kept as text. Nothing that is kept holds a batch.
 */
import type { Batch } from '../../records/batch.ts'
import { sourcesOf } from '../../records/sources.ts'
import { type RecordText, recordText, valueText } from './record-text.ts'

/** A record, and what a stage made of it. */
export interface StageSample {
  /** The record as it was read; undefined for a row that was made of several, or not of what is looked at. */
  readonly record: RecordText | undefined
  /** Its value before the stage; null for a tombstone. */
  readonly before: string | null
  /** What was made of it: nothing, when it was dropped or kept back for later; several, when it was taken apart. */
  readonly after: readonly (string | null)[]
  /** Why it failed. */
  readonly error: string | undefined
}

/** What is being looked at of one batch. */
export interface Look {
  failed(row: number, error: Error): void
  /** @param passed what the stage made of the batch */
  done(passed: readonly Batch[]): void
}

const MOST_SAMPLES = 20
/** Rows of one batch. */
const MOST_ROWS = 10
/** Rows before times rows after, of which the sources are searched. */
const MOST_SEARCHED = 2000
const PAUSE_MS = 200
/** How long it stays open after it was asked. */
const OPEN_MS = 10_000

interface Pending {
  readonly record: RecordText
  readonly before: string | null
  readonly after: (string | null)[]
  error: string | undefined
}

export class StageTap {
  /** Whether somebody looks. */
  isOpen = false
  #hides = false
  #samples: StageSample[] = []
  #nextAt = 0
  #closing: NodeJS.Timeout | undefined

  /**
   * Opens it for some seconds.
   * @param hides whether values are replaced
   * @returns the latest samples, the last ones last; empty at first
   */
  ask(hides: boolean): readonly StageSample[] {
    clearTimeout(this.#closing)
    this.#closing = setTimeout(() => this.#close(), OPEN_MS).unref()
    this.#hides = hides
    this.isOpen = true
    return this.#samples
  }

  /** Before a batch is given to the stage, which may change it. Undefined when it is not looked at. */
  look(batch: Batch): Look | undefined {
    const now = performance.now()
    if (now < this.#nextAt) return undefined
    this.#nextAt = now + PAUSE_MS
    const pending = new Map<number, Pending>()
    for (let row = Math.max(0, batch.length - MOST_ROWS); row < batch.length; row++)
      pending.set(row, this.#pending(batch, row))
    return {
      failed: (row, { message }) => {
        const found = pending.get(row)
        if (found !== undefined) found.error = message
      },
      done: (passed) => this.#keep(batch, pending, passed),
    }
  }

  #pending(batch: Batch, row: number): Pending {
    const [source] = sourcesOf(batch, row)
    return {
      record: recordText(source!.batch.record(source!.row), this.#hides),
      before: valueText(batch, row, this.#hides),
      after: [],
      error: undefined,
    }
  }

  #keep(batch: Batch, pending: ReadonlyMap<number, Pending>, passed: readonly Batch[]): void {
    const made: StageSample[] = []
    for (const one of passed) {
      const rowOf = rowsBefore(batch, one, pending)
      for (let row = 0; row < one.length; row++) {
        const from = rowOf(row)
        if (from === 'others') {
          if (made.length < MOST_ROWS) made.push(madeSample(valueText(one, row, this.#hides)))
        } else if (from !== undefined && from.after.length < MOST_ROWS)
          from.after.push(valueText(one, row, this.#hides))
      }
    }
    this.#samples = [...this.#samples, ...pending.values(), ...made].slice(-MOST_SAMPLES)
  }

  #close(): void {
    this.isOpen = false
    this.#samples = []
  }
}

function madeSample(text: string | null): StageSample {
  return { record: undefined, before: null, after: [text], error: undefined }
}

/** Which of the rows that are looked at became a row that was passed on: undefined for other rows, `others` where that cannot be said. */
function rowsBefore(
  batch: Batch,
  passed: Batch,
  pending: ReadonlyMap<number, Pending>,
): (row: number) => Pending | 'others' | undefined {
  if (passed.sources === batch.sources && passed.records === batch.records) {
    const byRecord = new Map(Array.from(pending, ([row, each]) => [batch.recordOf(row), each]))
    return (row) => byRecord.get(passed.recordOf(row))
  }
  // To find what a group was made of means to make it again.
  if (passed.sources === undefined || batch.length * passed.length > MOST_SEARCHED) return () => 'others'
  const byPlace = new Map(Array.from(pending.values(), (each) => [placeOf(each.record), each]))
  return (row) => {
    const [source, another] = sourcesOf(passed, row)
    if (another !== undefined) return 'others'
    const { topic, partition, offset } = source!.batch.record(source!.row)
    return byPlace.get(placeOf({ topic, partition, offset: String(offset) }))
  }
}

function placeOf({ topic, partition, offset }: Pick<RecordText, 'topic' | 'partition' | 'offset'>): string {
  return `${offset} ${partition} ${topic}`
}
