/**
 * Records made in memory, for any sink to take in a batch.
 */
import type { RecordStorage } from './batch.ts'
import { storageOfLocated } from './located-records-builder.ts'
import type { ProducerRecord } from './record.ts'
import { RecordWriter } from './record-writer.ts'

/** `topic` and `partition` are not kept. */
export interface MadeRecord extends ProducerRecord {
  readonly timestampMs: number
  /** Its place in the list when omitted. */
  readonly offset?: number
}

export function makeRecords(records: readonly MadeRecord[]): RecordStorage {
  const writer = new RecordWriter(records.length, 256)
  records.forEach(({ key = null, value, headers = [], timestampMs, offset }, i) => {
    writer.add(offset ?? i, timestampMs, key, value, headers)
  })
  return storageOfLocated(writer.finish())
}
