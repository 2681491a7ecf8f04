/**
 * Several sinks that each get every record, one after the other in the order of the file.
 *
 * ```
 * encoded batch ──► sink 1, with its retries ──► sink 2, with its retries ──► acknowledge
 * ```
 *
 * A record counts as delivered when all sinks have it (I1). What one sink refuses is tried again there only; when it fails
 * for good, it meets its fate once and goes no further; of several rows made of one record, only the one that failed. Batches of a partition come to every sink in the same order (I2).
 *
 * Three views of the same sinks: `FanOut` is all of them as one, for everything but writing; a `FormattedSink` is one of
 * them with values as it wants them; `DeliveryToEach` writes to one after the other.
 */
import { counted } from '../options/units.ts'
import type { Documents } from '../contracts/codec.ts'
import type { SchemaUse } from '../contracts/schemas.ts'
import { preparing, type Prepare } from '../contracts/preparing.ts'
import type { Sink, SinkProgress, SinkTransactions, Weakness } from '../contracts/sink.ts'
import type { Batch } from '../records/batch.ts'
import { weaknessOfAll } from './meaning.ts'
import { BatchError, type MillraceError } from '../errors/index.ts'
import type { Delivery, LostRows, WritableSink } from './delivery.ts'
import type { Failures } from './failures/failures.ts'

/** All that a pipeline does with its sinks besides writing to them. */
export type SinkOfAll = Omit<Sink, 'write'>

/** Writes a batch, or reports which rows failed; as `Delivery` does. */
export interface Writer {
  write(batch: Batch, failures: Failures | undefined): Promise<unknown>
}

export class FanOut implements SinkOfAll {
  /** Of the first sink: what those who only look are shown. */
  readonly valueCodec: string
  readonly keyCodec: string | undefined
  readonly valueSchema: SchemaUse | undefined
  readonly keySchema: SchemaUse | undefined
  readonly keyField: string | undefined
  readonly includeMeta: boolean
  readonly needsDocuments: boolean
  readonly fields: readonly string[] | undefined
  readonly partitions: string
  readonly partitionsByKey: string
  readonly writesRecordBatches: boolean
  readonly copies: string | undefined
  readonly unforwarded: string | undefined
  readonly weakness: Weakness | undefined
  /** The others have joined those of the first sink. */
  readonly transactions: SinkTransactions | undefined
  readonly prepare: Prepare | undefined
  readonly #sinks: readonly Sink[]

  constructor(sinks: readonly Sink[]) {
    const [first] = sinks
    this.#sinks = sinks
    this.valueCodec = first!.valueCodec
    this.keyCodec = first!.keyCodec
    this.valueSchema = first!.valueSchema
    this.keySchema = first!.keySchema
    this.keyField = first!.keyField
    this.includeMeta = sinks.some(({ includeMeta }) => includeMeta)
    const readers = sinks.filter(({ needsDocuments }) => needsDocuments)
    this.needsDocuments = readers.length > 0
    this.fields = readers.every(({ fields }) => fields !== undefined)
      ? readers.flatMap(({ fields }) => fields!)
      : undefined
    this.writesRecordBatches = sinks.every(({ writesRecordBatches }) => writesRecordBatches)
    this.partitions = ofEach(sinks.map(({ partitions }) => partitions))
    this.partitionsByKey = ofEach(sinks.map(({ partitions, partitionsByKey }) => partitionsByKey ?? partitions))
    this.copies = sinks.find(({ copies }) => copies !== undefined)?.copies
    this.unforwarded = sinks.find(({ unforwarded }) => unforwarded !== undefined)?.unforwarded
    this.weakness = weaknessOfAll(sinks)
    this.transactions = first!.transactions
    this.prepare = preparing(sinks)
  }

  async open(signal: AbortSignal): Promise<void> {
    // In order, as those behind may join the first one.
    for (const sink of this.#sinks) await sink.open(signal)
  }

  fill(batch: Batch): void {
    this.#sinks[0]!.fill?.(batch)
  }

  async flush(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.flush(signal)))
  }

  async close(): Promise<void> {
    const closed = await Promise.allSettled(this.#sinks.map((sink) => sink.close()))
    const failed = closed.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  /** What all sinks have written together: a record counts once for each that has it. */
  progress(): SinkProgress {
    const each = this.#sinks.map((sink) => sink.progress())
    return {
      records: each.reduce((sum, { records }) => sum + records, 0),
      bytes: each.reduce((sum, { bytes }) => sum + bytes, 0),
      problem: each.find(({ problem }) => problem !== undefined)?.problem,
    }
  }
}

function ofEach(texts: readonly string[]): string {
  return texts.map((text, i) => `sink ${i + 1}: ${text}`).join('; ')
}

/** One of several sinks. It writes into a batch of its own what it puts in the place of values and keys. */
export class FormattedSink implements WritableSink {
  readonly failsInOrder: boolean
  readonly giveUp: WritableSink['giveUp']
  readonly #sink: WritableSink
  readonly #encoded = new WeakMap<Batch, Encoded>()
  readonly #documents: Pick<Documents, 'encode'> | undefined

  /** @param documents encodes values for this sink; undefined when that was done for all sinks at once */
  constructor(sink: WritableSink, documents: Pick<Documents, 'encode'> | undefined) {
    this.#sink = sink
    this.failsInOrder = sink.failsInOrder === true
    this.#documents = documents
    if (sink.giveUp !== undefined) this.giveUp = (batch) => this.#settle(batch, (encoded) => sink.giveUp!(encoded))
  }

  write(batch: Batch, signal: AbortSignal): Promise<void> {
    return this.#settle(batch, (encoded) => this.#sink.write(encoded, signal))
  }

  /** A batch is encoded once, as the sink knows what it has under way by its batch. */
  async #settle<T>(batch: Batch, settle: (encoded: Batch) => Promise<T>): Promise<T> {
    let own = this.#encoded.get(batch)
    if (own === undefined) this.#encoded.set(batch, (own = this.#encode(batch)))
    const { encoded, rows } = own
    if (encoded !== undefined && rows === undefined) return settle(encoded)
    const failures = new Map(own.failures)
    try {
      const result = encoded === undefined ? undefined : await settle(encoded)
      if (result === false) return result
    } catch (error) {
      if (!(error instanceof BatchError)) throw error
      for (const [row, reason] of error.failures) failures.set(rows![row]!, reason)
    }
    throw new BatchError(`Cannot write ${failures.size} of ${counted(batch.length, 'record')}`, failures)
  }

  #encode(batch: Batch): Encoded {
    const own = batch.derive(batch)
    own.payloads = batch.payloads
    own.keys = batch.keys?.slice()
    const failures = new Map<number, MillraceError>()
    this.#documents?.encode(own, (row, error) => failures.set(row, error))
    if (failures.size === 0) return { encoded: own, rows: undefined, failures }
    const rows = Array.from({ length: own.length }, (_, row) => row).filter((row) => !failures.has(row))
    return { encoded: own.pick(rows), rows, failures }
  }
}

/** A batch as a sink wants it. */
interface Encoded {
  /** Undefined when no row could be encoded. */
  readonly encoded: Batch | undefined
  /** Row of the batch that each row of `encoded` was; undefined when all are there. */
  readonly rows: readonly number[] | undefined
  readonly failures: ReadonlyMap<number, MillraceError>
}

export class DeliveryToEach implements Writer {
  readonly #deliveries: readonly Pick<Delivery, 'write'>[]
  /** By partition, for each sink: resolved when the last batch has begun to be written there. */
  readonly #begun = new Map<string, readonly Promise<void>[]>()

  constructor(deliveries: readonly Pick<Delivery, 'write'>[]) {
    this.#deliveries = deliveries
  }

  async write(batch: Batch, failures: Failures | undefined): Promise<void> {
    const partition = `${batch.partition} ${batch.topic}`
    const before = this.#begun.get(partition)
    // Taken now, in the order of the calls: at a sink behind, this batch may be ready before the one ahead of it.
    const turns = this.#deliveries.map(() => Promise.withResolvers<void>())
    for (const { promise } of turns) promise.catch(() => {})
    this.#begun.set(
      partition,
      turns.map(({ promise }) => promise),
    )
    let rest: Batch | undefined = batch
    try {
      for (const [i, delivery] of this.#deliveries.entries()) {
        await before?.[i]
        const written: Promise<LostRows> | undefined = rest && delivery.write(rest, failures)
        turns[i]!.resolve()
        const lost = await written
        if (lost !== undefined) rest = rest?.without(lost)
      }
    } catch (error) {
      // The run ends, and what lies behind this batch must not overtake it at the sinks that it did not come to.
      for (const turn of turns) turn.reject(error)
      throw error
    }
  }
}
