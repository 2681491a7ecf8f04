import { MAX_TIMESTAMP, readInt64 } from '../../kafka/protocol/record-batch.ts'
import type { CleaningSettings } from './log-settings.ts'

/** The segment that Kafka would write now, which it does not compact: it ends with `segment.bytes`, or after `segment.ms`. */
export class ActiveSegment {
  /** Where it begins. */
  baseOffset = 0
  bytes = 0
  #firstTimestampMs = -1

  begin(baseOffset: number): void {
    this.baseOffset = baseOffset
    this.bytes = 0
    this.#firstTimestampMs = -1
  }

  add(batch: Buffer, baseOffset: number, { segmentBytes, segmentMs }: CleaningSettings): void {
    const timestampMs = readInt64(batch, MAX_TIMESTAMP)
    const isOld = this.#firstTimestampMs >= 0 && timestampMs - this.#firstTimestampMs > segmentMs
    if (this.bytes > 0 && (isOld || this.bytes + batch.length > segmentBytes)) this.begin(baseOffset)
    this.bytes += batch.length
    if (this.#firstTimestampMs < 0) this.#firstTimestampMs = timestampMs
  }
}
