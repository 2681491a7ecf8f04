/**
 * The log of a partition: appends record batches as they came, with only offsets and leader epoch written into them, and
 * gives ranges of them back.
 *
 * ```
 * logStartOffset <= lastStableOffset <= highWatermark <= endOffset
 * ```
 */
import { crc32c } from '../../kafka/protocol/crc32c.ts'
import {
  ATTRIBUTES,
  CONTROL_BIT,
  CRC,
  LEADER_EPOCH,
  LOG_APPEND_TIME_BIT,
  MAX_TIMESTAMP,
} from '../../kafka/protocol/record-batch.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import { checkBatch, type BatchHeader, headerOf, isRefusal, type Refusal } from './check-batch.ts'
import { markerBatch, readMarker } from './control-batch.ts'
import { ActiveSegment } from './active-segment.ts'
import type { LogSettings } from './log-settings.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { AbortedTransaction, LogFiles, LogHistory, StoredLog } from './log-files.ts'
import { ProducerStates } from './producer-state.ts'
import { readRecords } from './records.ts'
import { type LogSlice, Segments, type StoredBatch } from './segments.ts'

export interface Appended {
  readonly baseOffset: number
  /** -1 unless records get the time at which they are appended. */
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
}

export class PartitionLog {
  logStartOffset = 0
  /** Offset of the next record. */
  endOffset = 0
  settings: LogSettings
  /** The high watermark while too few replicas run; `undefined` while there are enough, and what is appended is seen at once. */
  #heldAt: number | undefined
  readonly producers = new ProducerStates()
  readonly epochs = new LeaderEpochs()
  readonly active = new ActiveSegment()
  /** Bytes of what has been appended since the log was compacted. */
  uncompactedBytes = 0
  /** When records without a value may be removed, by their offset; of those that compaction has met. */
  readonly tombstones = new Map<number, number>()
  readonly #files: LogFiles | undefined
  readonly #segments: Segments
  readonly #aborted: AbortedTransaction[] = []
  readonly #waiters = new Set<(bytes: number) => void>()

  /** @param files where everything is also written */
  constructor(settings: LogSettings, files?: LogFiles) {
    this.settings = settings
    this.#files = files
    this.#segments = new Segments(files)
  }

  /** Takes over what was found in the files: what is known of producers and transactions follows from the batches. */
  restore({ segments, startOffset, history }: StoredLog): void {
    this.logStartOffset = startOffset
    this.endOffset = startOffset
    this.#segments.restore(segments)
    this.endOffset = Math.max(startOffset, segments.at(-1)?.baseOffset ?? 0)
    this.producers.restore(history?.producers ?? [])
    for (const [offset, untilMs] of history?.tombstones ?? []) this.tombstones.set(offset, untilMs)
    this.active.begin(segments.at(-1)?.baseOffset ?? 0)
    this.uncompactedBytes = this.bytes
    this.#aborted.push(...(history?.aborted ?? []))
    for (const batch of this.#segments.batchesFrom(0)) {
      this.epochs.wrote(batch.bytes.readInt32BE(LEADER_EPOCH), batch.baseOffset)
      this.endOffset = batch.lastOffset + 1
      if (batch.baseOffset >= (history?.endOffset ?? 0)) this.#remember(batch)
    }
    this.epochs.truncateBefore(startOffset)
  }

  #remember({ bytes, baseOffset, lastOffset }: StoredBatch): void {
    const header = headerOf(bytes)
    if (header.producerId < 0) return
    if ((header.attributes & CONTROL_BIT) === 0)
      return this.producers.appended(header, baseOffset, lastOffset, header.maxTimestampMs)
    const { commit, coordinatorEpoch } = readMarker(bytes)
    this.#marked(header.producerId, header.producerEpoch, commit, coordinatorEpoch, baseOffset, header.maxTimestampMs)
  }

  /** Of all record batches. */
  get bytes(): number {
    return this.#segments.bytes
  }

  /** Records before it belong to no transaction that is still open. Where the first of such a one was deleted, the first that is there. */
  get lastStableOffset(): number {
    const firstOpen = this.producers.firstOpenOffset ?? this.endOffset
    return Math.max(this.logStartOffset, Math.min(firstOpen, this.highWatermark))
  }

  /** Consumers see what is before it. */
  get highWatermark(): number {
    return this.#heldAt ?? this.endOffset
  }

  /** Keeps the high watermark where it is, or lets it follow the end again. */
  hold(isHeld: boolean): void {
    if (isHeld === (this.#heldAt !== undefined)) return
    this.#heldAt = isHeld ? this.endOffset : undefined
    if (!isHeld) this.wakeAll()
  }

  /**
   * Appends what a producer sent for the partition.
   *
   * @param bytes one record batch; offsets, epoch and perhaps the time are written into it
   * @param version of the Produce request
   */
  append(bytes: Buffer, version: number, leaderEpoch: number, nowMs: number): Appended | Refusal {
    const header = checkBatch(bytes, version, this.settings.maxMessageBytes)
    if (isRefusal(header)) return header
    const late = this.#timeProblem(header, nowMs)
    if (late !== undefined) return late
    const { segmentBytes } = this.settings.cleaning
    if (header.size > segmentBytes) {
      const message = `Message batch size is ${header.size} bytes in append to partition, which exceeds the maximum configured segment size of ${segmentBytes}.`
      return { errorCode: ERROR.RECORD_LIST_TOO_LARGE, message, fromLog: true }
    }
    if (header.producerId >= 0) {
      const known = this.producers.check(header)
      if (known !== undefined)
        return 'errorCode' in known ? known : this.#appended(known.baseOffset, known.appendTimeMs)
    }
    const baseOffset = this.endOffset
    this.#stamp(bytes, leaderEpoch, nowMs)
    this.#write(bytes, header.count, leaderEpoch)
    if (header.producerId >= 0) this.producers.appended(header, baseOffset, this.endOffset - 1, nowMs)
    if (this.settings.deletes) this.retain(nowMs)
    this.#wake(bytes.length)
    return this.#appended(baseOffset, nowMs)
  }

  #appended(baseOffset: number, appendTimeMs: number): Appended {
    const logAppendTimeMs = this.settings.logAppendTime ? appendTimeMs : -1
    return { baseOffset, logAppendTimeMs, logStartOffset: this.logStartOffset }
  }

  /** Appends the marker that ends a transaction. */
  appendMarker(
    producerId: number,
    producerEpoch: number,
    commit: boolean,
    coordinatorEpoch: number,
    leaderEpoch: number,
    nowMs: number,
  ): void {
    const marker = markerBatch(producerId, producerEpoch, commit, coordinatorEpoch, nowMs)
    const offset = this.endOffset
    marker.writeInt32BE(leaderEpoch, LEADER_EPOCH)
    this.#write(marker, 1, leaderEpoch)
    this.#marked(producerId, producerEpoch, commit, coordinatorEpoch, offset, nowMs)
    this.#wake(marker.length)
  }

  #marked(
    producerId: number,
    producerEpoch: number,
    commit: boolean,
    coordinatorEpoch: number,
    lastOffset: number,
    nowMs: number,
  ): void {
    const firstOffset = this.producers.marked(producerId, producerEpoch, coordinatorEpoch, nowMs)
    if (!commit && firstOffset !== undefined) this.#aborted.push({ producerId, firstOffset, lastOffset })
  }

  #timeProblem({ baseTimestampMs, maxTimestampMs }: BatchHeader, nowMs: number): Refusal | undefined {
    const { logAppendTime, timestampAfterMaxMs, timestampBeforeMaxMs } = this.settings
    if (logAppendTime || baseTimestampMs < 0) return undefined
    if (maxTimestampMs - nowMs <= timestampAfterMaxMs && nowMs - baseTimestampMs <= timestampBeforeMaxMs)
      return undefined
    const message = 'One or more records have been rejected due to invalid timestamp'
    return { errorCode: ERROR.INVALID_TIMESTAMP, message, fromLog: true }
  }

  #stamp(bytes: Buffer, leaderEpoch: number, nowMs: number): void {
    bytes.writeInt32BE(leaderEpoch, LEADER_EPOCH)
    if (!this.settings.logAppendTime) return
    bytes.writeInt16BE(bytes.readInt16BE(ATTRIBUTES) | LOG_APPEND_TIME_BIT, ATTRIBUTES)
    bytes.writeBigInt64BE(BigInt(nowMs), MAX_TIMESTAMP)
    bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES, bytes.length), CRC)
  }

  #write(bytes: Buffer, count: number, leaderEpoch: number): void {
    const baseOffset = this.endOffset
    bytes.writeUInt32BE(Math.floor(baseOffset / 2 ** 32), 0)
    bytes.writeUInt32BE(baseOffset >>> 0, 4)
    this.#segments.append(bytes, baseOffset)
    if (this.settings.compacted) this.active.add(bytes, baseOffset, this.settings.cleaning)
    this.uncompactedBytes += bytes.length
    this.epochs.wrote(leaderEpoch, baseOffset)
    this.endOffset += count
  }

  /**
   * Record batches from an offset on, for a Fetch response.
   *
   * @param atLeastOne whether a batch larger than `maxBytes` is given
   */
  read(from: number, maxBytes: number, committed: boolean, atLeastOne: boolean): LogSlice | undefined {
    return this.#segments.read(from, committed ? this.lastStableOffset : this.highWatermark, maxBytes, atLeastOne)
  }

  /** Transactions that were aborted and have records in a range. */
  abortedIn(from: number, before: number): AbortedTransaction[] {
    return this.#aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < before)
  }

  batches(from: number = this.logStartOffset): Iterable<StoredBatch> {
    return this.#segments.batchesFrom(Math.max(from, this.logStartOffset))
  }

  /** The first record of at least a time; `undefined` when there is none. */
  async findTime(timestampMs: number, before: number): Promise<{ offset: number; timestampMs: number } | undefined> {
    const batch = this.#segments.firstSince(timestampMs, this.logStartOffset)
    if (batch === undefined) return undefined
    const records = await readRecords(batch.bytes)
    const found = records.find((record) => record.timestampMs >= timestampMs && record.offset >= this.logStartOffset)
    return found === undefined || found.offset >= before
      ? undefined
      : { offset: found.offset, timestampMs: found.timestampMs }
  }

  /** The record with the largest time, the first of several. */
  async findMaxTime(): Promise<{ offset: number; timestampMs: number } | undefined> {
    let max = -1
    for (const { maxTimestampMs } of this.batches()) max = Math.max(max, maxTimestampMs)
    return max < 0 ? undefined : this.findTime(max, this.highWatermark)
  }

  /** Moves the beginning of the log; records before it are gone. */
  deleteBefore(offset: number): void {
    this.logStartOffset = Math.max(this.logStartOffset, Math.min(offset, this.endOffset))
    while (this.#segments.count > 1 && this.#segments.secondOffset! <= this.logStartOffset) this.#segments.dropOldest()
    if (this.logStartOffset === this.endOffset && this.bytes > 0)
      this.#segments.replace([], this.endOffset, this.#history())
    this.#files?.startMoved(this.logStartOffset)
    while (this.#aborted.length > 0 && this.#aborted[0]!.lastOffset < this.logStartOffset) this.#aborted.shift()
    this.epochs.truncateBefore(this.logStartOffset)
  }

  /** Deletes whole segments that are too old, or too much; never the one that is being written. */
  retain(nowMs: number): void {
    const { retentionBytes, retentionMs } = this.settings
    while (this.#segments.count > 1) {
      const oldest = this.#segments.oldest!
      const tooMuch = retentionBytes >= 0 && this.bytes - oldest.length >= retentionBytes
      const tooOld = retentionMs >= 0 && oldest.maxTimestampMs >= 0 && oldest.maxTimestampMs < nowMs - retentionMs
      if ((!tooMuch && !tooOld) || !this.dropOldestSegment()) return
    }
  }

  /** Deletes the oldest segment, unless it is being written. */
  dropOldestSegment(): boolean {
    const next = this.#segments.secondOffset
    if (next === undefined || next > this.lastStableOffset) return false
    this.deleteBefore(next)
    return true
  }

  /**
   * Writes the log again with other batches up to an offset, for compaction. What has been appended since they were read stays.
   *
   * @param before offset after the last one that `batches` are about
   */
  replace(batches: readonly StoredBatch[], before: number): void {
    const older = batches.filter(({ baseOffset }) => baseOffset < before && baseOffset >= this.logStartOffset)
    const newer = [...this.batches(before)].filter(({ baseOffset }) => baseOffset >= before)
    this.#segments.replace([...older, ...newer], this.logStartOffset, this.#history())
    this.uncompactedBytes = newer.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  #history(): LogHistory {
    return {
      endOffset: this.endOffset,
      producers: this.producers.all(),
      aborted: this.#aborted,
      tombstones: [...this.tombstones],
    }
  }

  /** Calls back with the size of whatever is appended, until `forget`. With 0, something else has changed. */
  watch(waiter: (bytes: number) => void): void {
    this.#waiters.add(waiter)
  }
  forget(waiter: (bytes: number) => void): void {
    this.#waiters.delete(waiter)
  }

  /** Fetch requests that wait for the partition look at it again. */
  wakeAll(): void {
    this.#wake(0)
  }

  #wake(bytes: number): void {
    for (const waiter of this.#waiters) waiter(bytes)
  }
}

/** Why a batch may not be appended to a compacted topic: records without a key. */
export async function keylessRecords(bytes: Buffer): Promise<Refusal | undefined> {
  const records = await readRecords(bytes)
  const without = records.findIndex(({ key }) => key === null)
  if (without === -1) return undefined
  return {
    errorCode: ERROR.INVALID_RECORD,
    fromLog: true,
    message: 'One or more records have been rejected due to invalid timestamp or key',
    records: records.flatMap(({ key }, batchIndex) =>
      key === null
        ? [{ batchIndex, message: 'Compacted topic cannot accept message without key in topic partition' }]
        : [],
    ),
  }
}

/** The records of a refused batch whose time is out of range; all others can be sent again. */
export async function untimelyRecords(
  bytes: Buffer,
  { timestampAfterMaxMs, timestampBeforeMaxMs }: LogSettings,
  nowMs: number,
): Promise<NonNullable<Refusal['records']>> {
  const [oldest, newest] = [nowMs - timestampBeforeMaxMs, nowMs + timestampAfterMaxMs]
  return (await readRecords(bytes)).flatMap(({ timestampMs, offset }, batchIndex) =>
    timestampMs > newest || timestampMs < oldest
      ? [
          {
            batchIndex,
            message: `Timestamp ${timestampMs} of message with offset ${offset} is out of range. The timestamp should be within [${oldest}, ${newest}]`,
          },
        ]
      : [],
  )
}
