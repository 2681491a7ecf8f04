/**
 * The sink of `deadletter replay`: takes dead letters and writes the records that they are about into their topics.
 */
import type { ComponentContext } from '../../contracts/context.ts'
import type { Sink, SinkProgress, SinkTransactions } from '../../contracts/sink.ts'
import { NO_ACKNOWLEDGEMENT } from '../../records/acknowledgement.ts'
import { Batch } from '../../records/batch.ts'
import { catalog } from '../../catalog.ts'
import { fromLetter, type DeadLetter } from '../../engine/failures/envelopes.ts'
import { makeRecords } from '../../records/make-records.ts'
import type { Letters } from './letters.ts'
import type { ReplayPlace } from './replay-place.ts'

/** A letter that is to be put back, and where. */
export interface Replayed extends DeadLetter {
  readonly target: string
}

export interface Selection {
  /** Topic for all of them; their own by default. */
  readonly to: string | undefined
  /** Only those with this error code. */
  readonly code: string | undefined
}

/** The letter of a row: to be put back, left alone by the filter, or none at all. */
export function letterOf(batch: Batch, row: number, { to, code }: Selection): Replayed | 'filtered' | 'no letter' {
  const letter = fromLetter({
    key: batch.key(row),
    value: batch.value(row),
    headers: batch.headers(row),
    timestampMs: batch.timestampMs(row),
  })
  const target = to ?? letter?.topic
  if (letter === undefined || target === undefined) return 'no letter'
  return code === undefined || letter.error.code === code ? { ...letter, target } : 'filtered'
}

export class ReplaySink implements Sink {
  readonly valueCodec = 'bytes'
  readonly includeMeta = false
  readonly needsDocuments = false
  readonly partitions = 'records return to the topics they came from'
  readonly writesRecordBatches = false
  readonly #letters: Letters
  readonly #selection: Selection
  readonly #context: ComponentContext
  readonly #place: ReplayPlace
  readonly #sinks = new Map<string, Promise<Sink>>()
  readonly #first: string
  #main: Sink | undefined

  /** @param first a topic that will be written to: its sink leads the transactions */
  constructor(letters: Letters, selection: Selection, place: ReplayPlace, first: string, context: ComponentContext) {
    this.#letters = letters
    this.#selection = selection
    this.#first = first
    this.#context = context
    this.#place = place
  }

  /** Those of the first sink, of which the others are part. */
  get transactions(): SinkTransactions | undefined {
    if (this.#context.delivery !== 'exactly_once') return undefined
    return {
      renewable: false, // not before it is open
      commit: (offsets, signal) => this.#main!.transactions!.commit(offsets, signal),
      abort: (signal) => this.#main!.transactions!.abort(signal),
    }
  }

  async open(signal: AbortSignal): Promise<void> {
    this.#main = await this.#sinkOf(this.#first, signal)
  }

  write(batch: Batch, signal: AbortSignal): Promise<void> {
    return this.#place.pass(batch, (wanted) => this.#write(wanted, signal))
  }

  async #write(batch: Batch, signal: AbortSignal): Promise<void> {
    const byTarget = new Map<string, Replayed[]>()
    for (let row = 0; row < batch.length; row++) {
      const letter = letterOf(batch, row, this.#selection)
      if (typeof letter === 'string' || !this.#place.includes(batch, row, letter.error.code)) continue
      const letters = byTarget.get(letter.target)
      if (letters === undefined) byTarget.set(letter.target, [letter])
      else letters.push(letter)
    }
    const writes = [...byTarget].map(async ([target, letters]) => {
      const sink = await this.#sinkOf(target, signal)
      await sink.write(this.#toBatch(letters), signal)
    })
    await Promise.all(writes)
  }

  async flush(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#sinks.values()].map(async (sink) => (await sink).flush(signal)))
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#sinks.values()].map(async (sink) => (await sink).close()))
  }

  progress(): SinkProgress {
    return this.#main?.progress() ?? { records: 0, bytes: 0 }
  }

  #sinkOf(topic: string, signal: AbortSignal): Promise<Sink> {
    const known = this.#sinks.get(topic)
    if (known !== undefined) return known
    const opening = this.#open(topic, signal)
    this.#sinks.set(topic, opening)
    return opening
  }

  async #open(topic: string, signal: AbortSignal): Promise<Sink> {
    const { component, options } = this.#letters.target(topic)
    const sink = await (await catalog.sink(component)).create(options, { ...this.#context, joins: this.#main })
    try {
      await sink.open(signal)
    } catch (error) {
      await sink.close()
      throw error
    }
    return sink
  }

  #toBatch(letters: readonly Replayed[]): Batch {
    const records = makeRecords(letters.map(({ record }) => ({ ...record, timestampMs: record.timestampMs ?? -1 })))
    const origin = {
      component: 'deadletter',
      topic: letters[0]!.topic ?? '',
      partition: 0,
      partitionCount: 0,
      timestampType: 'CreateTime',
    } as const
    return new Batch(origin, records, NO_ACKNOWLEDGEMENT)
  }
}
