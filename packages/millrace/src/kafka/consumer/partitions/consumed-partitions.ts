/**
 * The partitions that a consumer reads at the moment, and how far it is in each: keeps fetcher and offset ledger in step
 * with them, makes batches of what was fetched, and keeps the rows of them that are not to be delivered yet.
 */
import type { TopicTotals } from '../../../contracts/source.ts'
import { ConfigError } from '../../../errors/index.ts'
import { NO_ACKNOWLEDGEMENT } from '../../../records/acknowledgement.ts'
import { Batch } from '../../../records/batch.ts'
import { rowsBefore } from '../../../records/rows.ts'
import { ConsumedPartition, type ReadRange } from './consumed-partition.ts'
import { restsBefore } from './rests.ts'
import type { Fetcher, TakenSlice } from '../fetching/fetcher.ts'
import type { AssignedPartition } from '../../group/contract.ts'
import type { OffsetLedger } from '../commits/offset-ledger.ts'
import type { PartitionLag } from '../progress.ts'
import { lagOf, totalLag } from '../watching/lags.ts'
import { keyOf, type PartitionOffset, type TopicPartition } from '../../topic-partition.ts'

export interface ConsumedPartitionsOptions {
  readonly component: string
  /** Records that may be handed out; no limit when omitted. */
  readonly maxRecords: number | undefined
  /** Whether `rewind` may be called. */
  readonly isRewindable: boolean
  /** Called with each batch that was fetched, when the first row of it is about to be delivered, and its bytes. */
  readonly onFetched?: ((batch: Batch, bytes: number) => void) | undefined
}

export class ConsumedPartitions {
  /** Records and bytes handed out. */
  records = 0
  bytes = 0
  /** The same by topic. */
  readonly topics = new Map<string, TopicTotals>()
  /** Of these records, those that an aborted transaction gave back; they are handed out again. */
  #rewound = 0
  /** What is wrong with the record behind those that were taken of a partition. */
  #damage: { readonly consumed: ConsumedPartition; readonly error: unknown } | undefined
  /** Those that have `rests`. */
  readonly #withRests = new Set<ConsumedPartition>()
  readonly #reader = Symbol('reader')
  readonly #fetcher: Fetcher
  readonly #ledger: OffsetLedger
  readonly #options: ConsumedPartitionsOptions
  readonly #partitions = new Map<string, ConsumedPartition>()

  constructor(fetcher: Fetcher, ledger: OffsetLedger, options: ConsumedPartitionsOptions) {
    this.#fetcher = fetcher
    this.#ledger = ledger
    this.#options = options
  }

  /** Records that may still be handed out. */
  get left(): number {
    return (this.#options.maxRecords ?? Infinity) - this.records + this.#rewound
  }

  get all(): readonly ConsumedPartition[] {
    return [...this.#partitions.values()]
  }

  /** Whether every partition was read to where a bounded run stops. */
  get areAtEnd(): boolean {
    for (const { state } of this.#partitions.values()) if (state !== 'atEnd') return false
    return this.#withRests.size === 0
  }

  /** Partitions of which everything was delivered that readers may see, while what lies before the end of a bounded run is part of a transaction that is open. */
  get behindTransactions(): ConsumedPartition[] {
    return this.all.filter(({ topic, partition, state, isServed, delivered, end }) => {
      // One that is not served is not fetched, so what is known of its log is old.
      if (state !== 'reading' || !isServed || end === undefined) return false
      const logEnd = this.#fetcher.logEnd(topic, partition)
      return logEnd !== undefined && logEnd <= delivered
    })
  }

  get size(): number {
    return this.#partitions.size
  }

  /** Stops delivering a partition until `resume`. */
  pause(place: TopicPartition): void {
    this.#serve(place, { isPaused: true })
  }

  resume(place: TopicPartition): void {
    this.#serve(place, { isPaused: false })
  }

  /** Stops delivering a partition until `letGo`, as the reader has enough of it; the program's pause is another matter. */
  hold(place: TopicPartition): void {
    this.#serve(place, { isHeld: true })
  }

  letGo(place: TopicPartition): void {
    this.#serve(place, { isHeld: false })
  }

  #serve({ topic, partition }: TopicPartition, change: { isPaused: boolean } | { isHeld: boolean }): void {
    const consumed = this.#partitions.get(keyOf(topic, partition))
    if (consumed === undefined) return
    Object.assign(consumed, change)
    if (!consumed.isServed) return this.#fetcher.pause(topic, partition)
    this.#fetcher.resume(topic, partition)
    if (consumed.rests.length > 0) this.#fetcher.interrupt()
  }

  /** Records between what was delivered and the end; undefined until every partition has answered. */
  get lag(): number | undefined {
    return totalLag(this.#partitions.values(), this.#fetcher)
  }

  /** See `Consumer.lags`. */
  lags(now: number): PartitionLag[] {
    return Array.from(this.#partitions.values(), (each) => lagOf(each, this.#fetcher, now))
  }

  /** Reads a partition from another position on; what was delivered of it cannot be acknowledged any more. @throws {ConfigError} when it is not assigned */
  seek({ topic, partition }: TopicPartition, position: number): void {
    const consumed = this.#partitions.get(keyOf(topic, partition))
    if (consumed === undefined)
      throw new ConfigError(`Cannot seek in partition ${partition} of topic "${topic}" as it is not assigned`)
    consumed.sought = position
    if (consumed.state === 'assigned') return // read when it is positioned
    this.#fetcher.remove(topic, partition)
    consumed.on('rewound')
    consumed.uncommitted = []
    this.#forget(consumed)
    const { end, topicId, origin } = consumed
    this.read(consumed, { ...origin.CreateTime, position, epoch: -1, end, mustCommit: true, topicId })
  }

  /** Takes partitions that are ours now; each is read when `read` says where. */
  assign(partitions: readonly TopicPartition[]): ConsumedPartition[] {
    return partitions.map(({ topic, partition }) => {
      let totals = this.topics.get(topic)
      if (totals === undefined) this.topics.set(topic, (totals = { records: 0, bytes: 0 }))
      const consumed = new ConsumedPartition(topic, partition, totals)
      this.#partitions.set(keyOf(topic, partition), consumed)
      return consumed
    })
  }

  /** Begins to read partitions, each where its range says; those without one wait. @param ranges by `keyOf` */
  readAll(assigned: readonly ConsumedPartition[], ranges: ReadonlyMap<string, ReadRange>): void {
    for (const each of assigned) {
      const range = ranges.get(keyOf(each.topic, each.partition))
      if (range !== undefined) this.read(each, range)
    }
  }

  /** Begins to read a partition, unless it has gone since it was assigned. */
  read(consumed: ConsumedPartition, range: ReadRange): void {
    if (consumed.on('positioned') !== 'reading') return
    const { sought: position } = consumed
    consumed.sought = undefined
    this.#begin(consumed, position === undefined ? range : { ...range, position, epoch: -1, mustCommit: true })
  }

  #begin(consumed: ConsumedPartition, range: ReadRange): void {
    const { topic, partition } = consumed
    const { partitionCount, position, epoch, end, mustCommit, topicId } = range
    const origin = { component: this.#options.component, topic, partition, partitionCount, reader: this.#reader }
    consumed.origin = {
      CreateTime: { ...origin, timestampType: 'CreateTime' },
      LogAppendTime: { ...origin, timestampType: 'LogAppendTime' },
    }
    consumed.start = consumed.delivered = position
    consumed.end = end
    consumed.mustCommit = mustCommit
    consumed.topicId = topicId
    this.#ledger.assign(topic, partition, position, !mustCommit, topicId)
    if (end !== undefined && position >= end) this.giveUp(consumed)
    else {
      this.#fetcher.add(topic, partition, position, epoch, topicId)
      if (!consumed.isServed) this.#fetcher.pause(topic, partition)
    }
  }

  /** Stops reading partitions. Acknowledgements of revoked ones still count, until the ledger is told otherwise. */
  remove(partitions: readonly TopicPartition[], event: 'revoked' | 'lost'): void {
    for (const { topic, partition } of partitions) {
      this.#fetcher.remove(topic, partition)
      const id = keyOf(topic, partition)
      const consumed = this.#partitions.get(id)
      if (consumed === undefined) continue
      consumed.on(event)
      this.#forget(consumed)
      this.#partitions.delete(id)
    }
    this.#fetcher.interrupt()
  }

  /** Reading goes on at another offset, as the position is not in the log. @param topicId of the topic as it is now */
  moved(topic: string, partition: number, position: number, topicId: string | undefined): void {
    const consumed = this.#partitions.get(keyOf(topic, partition))
    if (consumed === undefined || consumed.on('moved') !== 'reading') return
    const isOther = topicId !== consumed.topicId
    const isBack = !isOther && position < consumed.taken
    if (isOther) this.#ledger.assign(topic, partition, position, false, topicId)
    else if (isBack) this.#ledger.goBack(topic, partition, position)
    // Of a log that is no longer there.
    if (isOther || isBack) this.#forget(consumed, isBack ? restsBefore(consumed.rests, position) : [])
    consumed.topicId = topicId
    // Forwards it is a gap, which is committed when what lies before it is acknowledged (I1). What follows rests is tracked behind it.
    if (consumed.rests.length === 0) {
      this.#ledger.skip(topic, partition, position)
      consumed.start = isBack ? Math.min(consumed.start, position) : position
      consumed.delivered = position
    }
    if (position < (consumed.end ?? Infinity)) return
    this.giveUp(consumed)
    this.#fetcher.interrupt()
  }

  /** Ends a partition of which nothing more is fetched, be it that everything before its end was or not. */
  giveUp(consumed: ConsumedPartition): void {
    this.#fetcher.remove(consumed.topic, consumed.partition)
    consumed.on('ended')
    // A bounded run does not get as far as what cannot be read.
    if (this.#damage?.consumed === consumed) this.#damage = undefined
  }

  /** Fetches nothing more of a topic that is gone. @param isOver whether its partitions go now, as no group takes them @param only the one that is gone */
  giveUpTopic(topic: string, isOver: boolean, only?: number): void {
    for (const consumed of this.#partitions.values()) {
      if (consumed.topic !== topic || consumed.partition !== (only ?? consumed.partition)) continue
      if (consumed.state === 'reading') this.giveUp(consumed)
      else this.#fetcher.remove(topic, consumed.partition)
      if (!isOver) continue
      this.remove([consumed], 'lost')
      this.#ledger.revoke([consumed])
    }
  }

  /** Takes note of commits: what lies before them is not given back any more. */
  committed(offsets: readonly PartitionOffset[]): void {
    for (const { topic, partition, offset } of offsets) {
      const consumed = this.#partitions.get(keyOf(topic, partition))
      if (consumed !== undefined)
        consumed.uncommitted = consumed.uncommitted.filter(({ nextOffset }) => nextOffset > offset)
    }
  }

  /**
   * Goes back to the committed offsets; acknowledgements of what was delivered do nothing any more.
   * @param committed asks for them
   */
  async rewind(
    committed: (partitions: readonly TopicPartition[]) => Promise<readonly AssignedPartition[]>,
  ): Promise<void> {
    const all = [...this.#partitions.values()]
    for (const consumed of all) {
      this.#fetcher.remove(consumed.topic, consumed.partition)
      consumed.on('rewound')
    }
    this.#ledger.revoke() // also of those that are being given back: it was aborted with the rest (I5)
    const found = await committed(all)
    const offsets = new Map(found.map((each) => [keyOf(each.topic, each.partition), each]))
    for (const consumed of all) {
      const { topic, partition, start, end, mustCommit, topicId } = consumed
      const id = keyOf(topic, partition)
      // One that never began to read, or was given back while the answer was on its way.
      if (start < 0 || consumed.state !== 'assigned') continue
      const { committed: offset, leaderEpoch = -1 } = offsets.get(id) ?? { committed: undefined }
      const position = offset ?? start
      for (const { nextOffset, records } of consumed.uncommitted) if (nextOffset > position) this.#rewound += records
      consumed.uncommitted = []
      this.#forget(consumed)
      const { partitionCount } = consumed.origin.CreateTime
      this.read(consumed, {
        partitionCount,
        position,
        // The leader may have changed meanwhile, and the log with it.
        epoch: offset === undefined ? -1 : leaderEpoch,
        end,
        mustCommit: mustCommit && offset === undefined,
        topicId,
      })
      consumed.start = start
    }
    this.#fetcher.interrupt()
  }

  /**
   * What is to be delivered next, of all partitions in turn; undefined when nothing is there yet.
   *
   * @param maxRecords most records of the batch
   * @returns without a batch where only what holds no records was passed
   */
  next(maxRecords: number): { readonly batch: Batch | undefined } | undefined {
    for (const consumed of this.#withRests) {
      if (!consumed.isServed) continue
      const [rest, ...others] = consumed.rests
      // What is left goes behind the rests of the other partitions, so that they take turns.
      this.#withRests.delete(consumed)
      this.#keep(consumed, others)
      return { batch: this.#deliver(consumed, rest!.batch, rest!.row, maxRecords) }
    }
    // What lies before it may be paused, or given back.
    if (this.#damage?.consumed.rests.length === 0) throw this.#damage.error
    const slice = this.#fetcher.take()
    return slice && { batch: this.#handOut(slice, maxRecords) }
  }

  /** Takes back the rows of a batch from one on, which are delivered again. It must be the last one that was delivered of its partition. */
  giveBack(batch: Batch, row: number): void {
    const { topic, partition, acknowledgement } = batch
    const consumed = this.#partitions.get(keyOf(topic, partition))
    batch.ackBefore(row)
    if (acknowledgement.isVoid === true || row >= batch.length) return
    const { firstOffset } = batch.rangeOf(row, batch.length)
    const given = restsBefore([{ batch, row }], consumed?.delivered ?? Infinity)
    if (given.length === 0) return // of a log that is no longer there
    this.#ledger.untrack(topic, partition, firstOffset)
    if (consumed === undefined) return // revoked: they are the next owner's
    this.#keep(consumed, [...given, ...consumed.rests])
    consumed.delivered = firstOffset
    this.records -= batch.length - row
    consumed.totals.records -= batch.length - row
  }

  /** The batch to deliver of a slice that was fetched; undefined when there is nothing in it. */
  #handOut(taken: TakenSlice, maxRecords: number): Batch | undefined {
    const { topic, partition } = taken
    const consumed = this.#partitions.get(keyOf(topic, partition))
    if (consumed === undefined) return undefined
    const slice = maxRecords === Infinity ? taken : this.#readable(consumed, taken)
    const { records } = slice
    this.#ledger.reachEpoch(topic, partition, records?.firstOffset ?? slice.nextOffset - 1, slice.leaderEpoch)
    const fetched =
      records === undefined ? undefined : new Batch(consumed.origin[slice.timestampType], records, NO_ACKNOWLEDGEMENT)
    let end = consumed.end ?? Infinity
    // Where a bounded number of records ends in the midst of what was fetched, the commit ends too (I2).
    if (fetched !== undefined && fetched.length > this.left) end = Math.min(end, fetched.records.offsets[this.left]!)
    const nextOffset = Math.min(slice.nextOffset, end)
    if (slice.nextOffset >= end) this.giveUp(consumed)
    if (records === undefined || fetched === undefined || records.firstOffset >= end)
      return this.#pass(consumed, nextOffset)
    const { firstOffset } = records
    const lastOffset = Math.min(records.lastOffset, nextOffset - 1)
    const rows = records.lastOffset < end ? undefined : rowsBefore(fetched.records.offsets, end)
    // Where compaction has left no record from the position on, or before the end.
    if ((rows ?? fetched).length === 0) return this.#pass(consumed, nextOffset)
    this.bytes += records.fetchedBytes
    consumed.totals.bytes += records.fetchedBytes
    consumed.newest = records.newestTimestamp ?? consumed.newest
    const batch = fetched.derive({ rows, range: { firstOffset, lastOffset, nextOffset } })
    this.#options.onFetched?.(batch, records.fetchedBytes)
    return this.#deliver(consumed, batch, 0, maxRecords)
  }

  /** Moves on over offsets that hold no record. */
  #pass(consumed: ConsumedPartition, nextOffset: number): undefined {
    consumed.delivered = nextOffset
    this.#ledger.skip(consumed.topic, consumed.partition, nextOffset)
  }

  /** What can be read of a slice whose records are looked at here; the rest fails when its turn comes. @throws {CorruptRecordError} when that is nothing */
  #readable(consumed: ConsumedPartition, slice: TakenSlice): TakenSlice {
    const { records } = slice
    try {
      records?.locate()
      return slice
    } catch (error) {
      const readable = records?.readable(error)
      if (readable === undefined) throw error
      this.#damage = { consumed, error }
      return { ...slice, records: readable, nextOffset: readable.lastOffset + 1 }
    }
  }

  /** Delivers the rows of a batch from one on; what is too much stays here. */
  #deliver(consumed: ConsumedPartition, fetched: Batch, row: number, maxRecords: number): Batch {
    const end = Math.min(row + maxRecords, fetched.length)
    const { firstOffset, nextOffset } = fetched.rangeOf(row, end)
    if (end < fetched.length) this.#keep(consumed, [{ batch: fetched, row: end }, ...consumed.rests])
    const tracked = this.#ledger.track(consumed.topic, consumed.partition, firstOffset, nextOffset - 1)
    const batch = fetched.section(row, end, tracked)
    consumed.delivered = nextOffset
    this.records += batch.length
    consumed.totals.records += batch.length
    if (this.#options.isRewindable && this.#options.maxRecords !== undefined)
      consumed.uncommitted.push({ nextOffset, records: batch.length })
    return batch
  }

  /** Nothing that was taken of a partition counts any more, but for some rests. */
  #forget(consumed: ConsumedPartition, kept: ConsumedPartition['rests'] = []): void {
    this.#keep(consumed, kept)
    if (this.#damage?.consumed === consumed) this.#damage = undefined
  }

  #keep(consumed: ConsumedPartition, rests: ConsumedPartition['rests']): void {
    consumed.rests = rests
    if (rests.length === 0) this.#withRests.delete(consumed)
    else this.#withRests.add(consumed)
  }
}
