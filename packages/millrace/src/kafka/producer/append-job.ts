/**
 * Puts what the producer was given into the accumulator. This is the hot path: no object, promise or closure per record.
 *
 * A job works until it is done, until memory is used up, until it meets a topic that is not known yet, or until it has
 * kept the event loop busy long enough; then it says why it stopped and goes on where it was. There are three kinds: the
 * records of an array (`append-records.ts`), the rows of a batch (`append-batch.ts`), and whole record batches
 * (`append-raw.ts`).
 */
import { counted } from '../../options/units.ts'
import { type MillraceError, UnexpectedError } from '../../errors/index.ts'
import { writeUtf8 } from '../../records/header-writer.ts'
import type { Accumulator, TopicQueues } from './accumulator.ts'
import type { PartitionQueue, ProducerBatch } from './partition-queue.ts'
import { RECORD_OVERHEAD } from '../protocol/record-batch-builder.ts'
import { HEADER_BYTES } from '../protocol/record-batch.ts'
import { deliveryError, type Ticket } from './reports.ts'

/** Why a job stopped. */
export type Stop = 'done' | 'no memory' | 'unknown topic' | 'time'

export interface AppendJob {
  readonly ticket: Ticket
  /** Topic that has to be learnt before the job can go on. */
  readonly missingTopic: string
  run(): Stop
  /** Gives up on the records of a topic that cannot be learnt. */
  refuseTopic(topic: string, error: MillraceError): void
  /** Fails what was not appended. */
  abandon(error: MillraceError): void
}

/** Longest time for which a job works in one go. */
const SLICE_MS = 8
/** Records between two looks at the clock. */
const SLICE_RECORDS = 512

/** What jobs share that append record by record: adding one to the open batch of a queue. */
export abstract class RecordAppendJob implements AppendJob {
  readonly ticket: Ticket
  missingTopic = ''
  protected readonly accumulator: Accumulator
  protected readonly maxRecordBytes: number
  protected next = 0
  readonly #batchClosed: () => void
  readonly #cutOffs: number

  constructor(ticket: Ticket, accumulator: Accumulator, maxRecordBytes: number, batchClosed: () => void) {
    this.ticket = ticket
    this.accumulator = accumulator
    this.#cutOffs = accumulator.cutOffs
    this.maxRecordBytes = maxRecordBytes
    this.#batchClosed = batchClosed
  }

  run(): Stop {
    const deadline = performance.now() + SLICE_MS
    const { length } = this.ticket
    while (this.next < length) {
      const stop = this.append(Math.min(length, this.next + SLICE_RECORDS))
      if (stop !== undefined) return stop
      if (performance.now() >= deadline && this.next < length) return 'time'
    }
    return 'done'
  }

  abandon(error: MillraceError): void {
    this.ticket.abandoned(this.next, error)
    this.next = this.ticket.length
  }

  abstract refuseTopic(topic: string, error: MillraceError): void

  /** Appends the records before `end`, moving `next`. */
  protected abstract append(end: number): Stop | undefined

  /** The next batch after the open one was found to be full. undefined when memory is used up or the record is too large. */
  protected nextBatch(topic: TopicQueues, queue: PartitionQueue, recordBytes: number): ProducerBatch | undefined {
    if (queue.open !== undefined) {
      this.accumulator.close(topic, queue)
      this.#batchClosed()
    }
    return this.accumulator.open(queue, recordBytes)
  }

  /** Why no record of this size can be appended where no batch is open; undefined when it can. */
  protected refusal(queue: PartitionQueue, recordBytes: number): MillraceError | undefined {
    if (queue.cutOff > this.#cutOffs) return cutOffError(queue)
    const bytes = recordBytes + HEADER_BYTES + RECORD_OVERHEAD
    if (bytes <= this.maxRecordBytes) return undefined
    this.accumulator.refuseFollowing(queue)
    return deliveryError(
      queue,
      `the record takes ${bytes} bytes and at most ${this.maxRecordBytes} are allowed: raise max.request.size (and buffer.memory, if it is smaller)`,
      { code: 'RECORD_TOO_LARGE' },
    )
  }

  protected queueOf(topic: TopicQueues, partition: number): PartitionQueue | MillraceError {
    const queue = topic.queue(partition)
    if (queue !== undefined) return queue
    return deliveryError(
      { topic: topic.name, partition },
      `the topic has ${counted(topic.count, 'partition')}, numbered from 0`,
    )
  }
}

/** For what was not appended to a partition when something before it failed. */
export function cutOffError(queue: PartitionQueue): MillraceError {
  return deliveryError(
    queue,
    'earlier records of its partition were not written, and later ones must not overtake them',
    {
      code: 'REFUSED_WITH_BATCH',
    },
  )
}

/**
 * A batch that was opened for a record has room for it. If it had not, the record must not count as written with it (I1).
 * @throws {UnexpectedError}
 */
export function mustFit(appended: boolean): void {
  if (!appended) throw new UnexpectedError('A record does not fit into the batch that was created for it')
}

/** A text as UTF-8 in a buffer that is used again and again: keys are needed as bytes before they can be hashed. */
class Scratch {
  bytes: Buffer = Buffer.allocUnsafeSlow(4096)

  /** @returns length in bytes; valid until the next call */
  write(text: string): number {
    if (text.length === 0) return 0
    if (text.length * 3 > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(text.length * 6)
    return writeUtf8(this.bytes, text, 0)
  }
}

/** For keys. */
export const scratch: Scratch = new Scratch()
