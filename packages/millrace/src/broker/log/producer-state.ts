/**
 * What a partition remembers of its idempotent and transactional producers, so that a batch that is sent twice is appended
 * once (KIP-98): the epoch, and the last five batches.
 *
 * | a batch | outcome |
 * |---|---|
 * | of an older epoch | INVALID_PRODUCER_EPOCH |
 * | whose sequences are those of a remembered one | the offset of that one, nothing appended |
 * | of a new epoch that does not begin at 0 | OUT_OF_ORDER_SEQUENCE_NUMBER |
 * | of the same epoch that does not follow the last one | OUT_OF_ORDER_SEQUENCE_NUMBER |
 * | of a producer that is not known | appended, whatever its sequence: retention may have removed what came before |
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { BatchHeader, Refusal } from './check-batch.ts'

const REMEMBERED_BATCHES = 5
const MAX_SEQUENCE = 0x7fffffff

/** A batch that was appended. */
export interface AppendedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly appendTimeMs: number
}

export interface ProducerEntry {
  readonly producerId: number
  epoch: number
  /** Oldest first; empty when only a marker has been written since the epoch began. */
  batches: AppendedBatch[]
  /** When it last wrote. */
  lastTimestampMs: number
  /** Of the coordinator that wrote the last marker; -1 when there was none. */
  coordinatorEpoch: number
  /** Offset of the first record of its open transaction. */
  transactionStart: number | undefined
}

export class ProducerStates {
  readonly #entries = new Map<number, ProducerEntry>()
  /** Where the open transaction of a producer began; oldest first, as offsets only grow. */
  readonly #open = new Map<number, number>()

  /** @returns `undefined` when the batch may be appended, else the batch that it repeats, or why it is refused */
  check(batch: BatchHeader): AppendedBatch | Refusal | undefined {
    const { producerId, producerEpoch, baseSequence, count } = batch
    const entry = this.#entries.get(producerId)
    if (entry === undefined) return undefined
    if (producerEpoch < entry.epoch) {
      const message = `Epoch of producer ${producerId} is ${producerEpoch}, which is smaller than the last seen epoch ${entry.epoch}`
      return { errorCode: ERROR.INVALID_PRODUCER_EPOCH, message, fromLog: true }
    }
    const last = entry.batches.at(-1)
    if (producerEpoch > entry.epoch || last === undefined) {
      if (baseSequence === 0 || (producerEpoch === entry.epoch && last === undefined && entry.coordinatorEpoch < 0))
        return undefined
      return outOfOrder(producerId, `${baseSequence} (incoming seq. number) begins an epoch, which must begin at 0`)
    }
    const lastSequence = sequenceAfter(baseSequence, count - 1)
    const repeated = entry.batches.find(
      (known) => known.firstSequence === baseSequence && known.lastSequence === lastSequence,
    )
    if (repeated !== undefined) return repeated
    if (baseSequence === sequenceAfter(last.lastSequence, 1)) return undefined
    return outOfOrder(
      producerId,
      `${baseSequence} (incoming seq. number), ${last.lastSequence} (current end sequence number)`,
    )
  }

  /** Remembers a batch that was appended. */
  appended(header: BatchHeader, baseOffset: number, lastOffset: number, nowMs: number): void {
    const { producerId, producerEpoch, baseSequence, count, isTransactional } = header
    const entry = this.#entry(producerId, producerEpoch)
    entry.batches.push({
      firstSequence: baseSequence,
      lastSequence: sequenceAfter(baseSequence, count - 1),
      baseOffset,
      lastOffset,
      appendTimeMs: nowMs,
    })
    if (entry.batches.length > REMEMBERED_BATCHES) entry.batches.shift()
    entry.lastTimestampMs = nowMs
    if (isTransactional && entry.transactionStart === undefined) {
      entry.transactionStart = baseOffset
      this.#open.set(producerId, baseOffset)
    }
  }

  /** Ends the open transaction of a producer. @returns where it began; `undefined` when it had written nothing here */
  marked(producerId: number, epoch: number, coordinatorEpoch: number, nowMs: number): number | undefined {
    const entry = this.#entry(producerId, epoch)
    const start = entry.transactionStart
    entry.transactionStart = undefined
    this.#open.delete(producerId)
    entry.coordinatorEpoch = coordinatorEpoch
    entry.lastTimestampMs = nowMs
    return start
  }

  /** Takes over what was known before a restart. */
  restore(entries: readonly ProducerEntry[]): void {
    for (const entry of entries) this.#entries.set(entry.producerId, { ...entry, batches: [...entry.batches] })
    const open = entries.flatMap(({ producerId, transactionStart: start }) =>
      start === undefined ? [] : [[producerId, start] as const],
    )
    for (const [producerId, start] of open.toSorted((a, b) => a[1] - b[1])) this.#open.set(producerId, start)
  }

  #entry(producerId: number, epoch: number): ProducerEntry {
    let entry = this.#entries.get(producerId)
    if (entry === undefined) {
      entry = { producerId, epoch, batches: [], lastTimestampMs: -1, coordinatorEpoch: -1, transactionStart: undefined }
      this.#entries.set(producerId, entry)
    }
    if (epoch > entry.epoch) {
      entry.epoch = epoch
      entry.batches = []
    }
    return entry
  }

  /** Where the oldest open transaction begins. */
  get firstOpenOffset(): number | undefined {
    const [first] = this.#open.values()
    return first
  }

  find(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }

  /** Forgets producers whose last batch was written before a time, as Kafka does after `producer.id.expiration.ms`. */
  expire(beforeMs: number): void {
    for (const [id, entry] of this.#entries)
      if (entry.lastTimestampMs < beforeMs && entry.transactionStart === undefined) this.#entries.delete(id)
  }

  all(): ProducerEntry[] {
    return [...this.#entries.values()]
  }
}

function sequenceAfter(sequence: number, steps: number): number {
  const next = sequence + steps
  return next > MAX_SEQUENCE ? next - MAX_SEQUENCE - 1 : next
}

function outOfOrder(producerId: number, what: string): Refusal {
  const message = `Out of order sequence number for producer ${producerId}: ${what}`
  return { errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER, message, fromLog: true }
}
