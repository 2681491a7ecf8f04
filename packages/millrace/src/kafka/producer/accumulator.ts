/**
 * Gathers records into record batches, one open batch per partition, within a bound of memory.
 *
 * A batch is closed when it is full and when memory is short. When it has waited for `lingerMs`, and at a flush, it is due: the
 * sender closes it as soon as a request can take it, so that records gather in it while as many requests as allowed are under way.
 * Buffers are kept and used again. Nothing here waits or sends: the producer does the one, the sender the other.
 */
import { freeMemory } from '../../records/lease.ts'
import { guarded } from '../../resilience/background.ts'
import { LinkedList } from '../../resilience/linked-list.ts'
import { createPartitioner, type Partitioner, STICKY } from './partitioners.ts'
import { HEADER_BYTES } from '../protocol/record-batch.ts'
import { RECORD_OVERHEAD } from '../protocol/record-batch-builder.ts'
import { PartitionQueue, BatchBuffer, ProducerBatch } from './partition-queue.ts'
import type { ProducerOptions } from './options.ts'
import type { IdentityOwner } from './identity.ts'

/** The partitions of one topic. */
export class TopicQueues {
  readonly name: string
  /** Also of partitions that the topic had before it was created again, for what still waits in them. */
  readonly queues: PartitionQueue[] = []
  /** How many partitions it has. */
  count = 0
  readonly partitioner: Partitioner
  /** Whether the partitioner looks at more than the key. */
  readonly wantsRecord: boolean
  /** Partition to which records without a key go at the moment. */
  sticky = -1

  readonly #isAvailable: (partition: number) => boolean
  #id: string | undefined

  /** @param isAvailable whether a partition can be written at the moment */
  constructor(
    name: string,
    partitioner: Partitioner,
    wantsRecord: boolean,
    isAvailable: (partition: number) => boolean,
  ) {
    this.name = name
    this.partitioner = partitioner
    this.wantsRecord = wantsRecord
    this.#isAvailable = isAvailable
  }

  /** The queue of a partition that the topic has. */
  queue(partition: number): PartitionQueue | undefined {
    return partition < this.count ? this.queues[partition] : undefined
  }

  /** It has fewer partitions only when it was created again; a broker that lags behind must not hide new ones. */
  has(count: number, id: string | undefined): void {
    const isOther = id !== this.#id
    this.#id = id
    if (count < this.count && !isOther) return
    if (this.sticky >= count) this.sticky = -1
    this.count = count
  }

  /** Resolves `STICKY`. */
  settle(partition: number): number {
    if (partition !== STICKY) return partition
    if (this.sticky < 0) this.moveSticky(Math.floor(Math.random() * this.count))
    return this.sticky
  }

  /** @param from where to look first; the one after the current one by default */
  moveSticky(from: number = this.sticky + 1): void {
    const length = this.count
    for (let step = 0; step < length; step++) {
      const next = (from + step) % length
      if (!this.#isAvailable(next) && step < length - 1) continue
      this.sticky = next
      return
    }
  }
}

export interface AccumulatorEvents {
  /** Batches have waited long enough. */
  onLinger(): void
  /** Whether a partition can be written at the moment; asked for when the sticky partition changes. */
  isAvailable(topic: string, partition: number): boolean
  /** A batch cannot be closed. */
  onBroken(batch: ProducerBatch, error: unknown): void
  /** Whatever else went wrong in the background. */
  onFailure(error: unknown): void
}

export class Accumulator {
  readonly #options: ProducerOptions
  readonly #owner: IdentityOwner | undefined
  readonly #events: AccumulatorEvents
  readonly #topics = new Map<string, TopicQueues>()
  /** By `PartitionQueue.index`. */
  readonly queues: PartitionQueue[] = []
  /** Queues that may have something to send, longest waiting first. */
  readonly ready: Set<PartitionQueue> = new Set()
  /** Bytes of batches that were closed and not yet sent. */
  waitingBytes = 0
  /** Number of the transaction that batches are made for; 0 without. */
  transaction = 0
  /** How often everything of a partition has failed at once; see `PartitionQueue.cutOff`. */
  cutOffs = 0
  /** While it is above 0, batches do not wait for more records. */
  flushing = 0
  /** Whether a call is appending: its open batches are left to it. */
  isFilling = false
  readonly #open = new LinkedList<ProducerBatch>()
  readonly #free: BatchBuffer[] = []
  #freeBytes = 0
  #heldBytes = 0
  #onRoom: (() => void) | undefined
  #lingerTimer: NodeJS.Timeout | undefined

  constructor(options: ProducerOptions, owner: IdentityOwner | undefined, events: AccumulatorEvents) {
    this.#options = options
    this.#owner = owner
    this.#events = events
  }

  /** Memory of batches that are not yet settled. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Bytes of batches that are not yet settled, and of buffers that are kept to be used again. */
  get memory(): { readonly held: number; readonly free: number } {
    return { held: this.#heldBytes, free: this.#freeBytes }
  }

  /** The queues of a topic; undefined before `learn`. */
  topic(name: string): TopicQueues | undefined {
    return this.#topics.get(name)
  }

  /**
   * Records how many partitions a topic has. They may become more, and fewer when it is created again.
   * @param id of the topic, where brokers have one
   */
  learn(name: string, partitionCount: number, id?: string): TopicQueues {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      const { partitioner } = this.#options
      const isAvailable = (partition: number): boolean => this.#events.isAvailable(name, partition)
      topic = new TopicQueues(name, createPartitioner(partitioner), typeof partitioner === 'function', isAvailable)
      this.#topics.set(name, topic)
    }
    for (let partition = topic.queues.length; partition < partitionCount; partition++) {
      const queue = new PartitionQueue(this.queues.length, name, partition, this.#owner)
      topic.queues.push(queue)
      this.queues.push(queue)
    }
    topic.has(partitionCount, id)
    return topic
  }

  /**
   * Opens a batch with room for a record of about `bytes` (key, value, headers).
   * @returns undefined when there is no memory for it
   */
  open(queue: PartitionQueue, bytes: number): ProducerBatch | undefined {
    const buffer = this.#take(Math.max(this.#options.batchBytes, HEADER_BYTES + RECORD_OVERHEAD + bytes))
    if (buffer === undefined) return undefined
    const batch = new ProducerBatch(queue, performance.now(), buffer.capacity, buffer, this.transaction)
    queue.open = batch
    this.#open.add(batch)
    if (this.#options.lingerMs === 0 || this.flushing > 0) this.ready.add(queue)
    this.#startLinger(this.#options.lingerMs)
    return batch
  }

  /** Whether an open batch is to be sent with the next request that can take it. */
  isDue(batch: ProducerBatch, now: number): boolean {
    return this.flushing > 0 || batch.createdAt <= this.#dueSince(now)
  }

  /** Lets every open batch be sent, for as long as `flushing` is above 0. */
  makeAllDue(): void {
    for (const { queue } of this.#open.all()) this.ready.add(queue)
  }

  /** Batches that are due within a moment go along, in one request. */
  #dueSince(now: number): number {
    return this.#options.lingerMs === 0 ? now : now - this.#options.lingerMs + 1
  }

  /** Closes the open batch of a queue, if there is one, and lets the sticky partition move on. */
  close(topic: TopicQueues, queue: PartitionQueue): void {
    if (queue.open === undefined) return
    this.closeOpen(queue)
    if (topic.sticky === queue.partition) topic.moveSticky()
  }

  /** Closes the open batch of a queue, and leaves the sticky partition as it is. */
  closeOpen(queue: PartitionQueue): void {
    const batch = queue.open
    if (batch === undefined) return
    queue.open = undefined
    this.#open.delete(batch)
    if (batch.count === 0) this.release(batch)
    else this.#finish(batch)
  }

  /** A record is refused before it is in a batch: where nothing may follow it, what comes later in its partition fails, too (I2). */
  refuseFollowing(queue: PartitionQueue): void {
    if (this.#options.failsFollowing !== 'for good') return
    this.closeOpen(queue)
    queue.cutOff = Infinity
  }

  /** Closes the open batch of a queue as `close`, for a request that takes it. */
  closeDue(queue: PartitionQueue): void {
    this.close(this.#topics.get(queue.topic)!, queue)
  }

  #finish(batch: ProducerBatch): void {
    try {
      batch.close(this.#options.compression, this.#options.compressionLevel)
    } catch (error) {
      return this.#events.onBroken(batch, error)
    }
    if (batch.closed!.bytes !== batch.buffer!.builder.bytes) this.#compressed(batch)
    this.#wait(batch)
  }

  /** Closes every open batch. */
  closeAll(): void {
    for (const { queue } of this.#open.all()) this.closeDue(queue)
  }

  /**
   * Puts a whole batch that was made elsewhere behind those of its partition.
   * @returns undefined when there is no memory for it
   */
  enqueue(
    topic: TopicQueues,
    queue: PartitionQueue,
    size: number,
    fill: (bytes: Buffer) => number,
  ): ProducerBatch | undefined {
    if (!this.#hasRoom(size)) return undefined
    this.close(topic, queue)
    this.#heldBytes += size
    this.#dropFree()
    const batch = new ProducerBatch(queue, performance.now(), size, undefined, this.transaction)
    const bytes = Buffer.allocUnsafeSlow(size)
    batch.closed = { bytes, end: size, count: fill(bytes), hasCrc: true }
    this.#wait(batch)
    return batch
  }

  /** Gives the memory of a batch back. A request that is under way still reads the buffer of one that was given up: it is not used again. */
  release(batch: ProducerBatch): void {
    this.#heldBytes -= batch.held
    batch.held = 0
    if (!batch.inFlight) {
      if (batch.buffer !== undefined) this.#keep(batch.buffer)
      // Record batches that were forwarded or compressed have memory of their own.
      else if (batch.closed !== undefined) freeMemory(batch.closed.bytes)
    }
    batch.buffer = undefined
    const onRoom = this.#onRoom
    this.#onRoom = undefined
    onRoom?.()
  }

  /** The parts of a batch that was split take its place; for a moment they may hold a little more than the bound. */
  replace(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    for (const { held } of parts) this.#heldBytes += held
    this.release(batch)
    this.ready.add(batch.queue)
  }

  /** Resolves when some memory was given back. One may wait at a time. */
  room(): Promise<void> {
    if (this.#heldBytes === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onRoom = resolve
    })
  }

  stop(): void {
    clearTimeout(this.#lingerTimer)
  }

  #wait(batch: ProducerBatch): void {
    batch.queue.waiting.push(batch)
    this.waitingBytes += batch.closed!.end
    this.ready.add(batch.queue)
  }

  #hasRoom(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.#options.bufferBytes
  }

  #take(capacity: number): BatchBuffer | undefined {
    if (!this.#hasRoom(capacity)) return undefined
    this.#heldBytes += capacity
    const free = capacity === this.#options.batchBytes ? this.#free.pop() : undefined
    if (free === undefined) {
      this.#dropFree()
      return new BatchBuffer(capacity, this.#options.batchRecords)
    }
    this.#freeBytes -= free.capacity
    free.builder.reset()
    return free
  }

  #keep(buffer: BatchBuffer): void {
    if (
      buffer.capacity !== this.#options.batchBytes ||
      this.#freeBytes + this.#heldBytes + buffer.capacity > this.#options.bufferBytes
    )
      return
    this.#free.push(buffer)
    this.#freeBytes += buffer.capacity
  }

  /** Free buffers count as memory, too. */
  #dropFree(): void {
    while (this.#free.length > 0 && this.#freeBytes + this.#heldBytes > this.#options.bufferBytes)
      this.#freeBytes -= this.#free.pop()!.capacity
  }

  /** The compressed copy takes the place of the buffer. */
  #compressed(batch: ProducerBatch): void {
    const buffer = batch.buffer!
    this.#heldBytes += batch.closed!.end - batch.held
    // Its rows are still needed.
    buffer.rows = new Int32Array(buffer.rows.length)
    batch.dropBuffer()
    this.#keep(buffer)
  }

  #startLinger(ms: number): void {
    this.#lingerTimer ??= setTimeout(
      guarded(
        () => this.#linger(),
        (error) => this.#events.onFailure(error),
      ),
      ms,
    )
  }

  #linger(): void {
    this.#lingerTimer = undefined
    const due = this.#dueSince(performance.now())
    for (let batch = this.#open.first; batch !== undefined; batch = batch.after) {
      if (batch.createdAt > due) {
        this.#startLinger(Math.max(1, batch.createdAt - due))
        break
      }
      this.ready.add(batch.queue)
    }
    this.#events.onLinger()
  }
}
