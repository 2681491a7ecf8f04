/** Records for Produce requests. */
import { encodeRecordBatch, type RecordBatchInput } from './encode-record-batch.ts'
import type { ProduceRequest } from '../../src/protocol/messages/produce.ts'

/** A batch with these values, written now. */
export function batchOf(values: readonly string[], input: Partial<RecordBatchInput> = {}): Buffer {
  return encodeRecordBatch({
    baseTimestamp: Date.now(),
    records: values.map((value) => ({ key: Buffer.from(`key ${value}`), value: Buffer.from(value) })),
    ...input,
  })
}

/** A request with one batch for one partition. */
export function produceOf(
  topic: { name?: string; topicId?: string },
  records: Buffer,
  { partition = 0, acks = -1, transactionalId = null as string | null } = {},
): ProduceRequest {
  return {
    transactionalId,
    acks,
    timeoutMs: 1000,
    topicData: [{ ...topic, partitionData: [{ index: partition, records }] }],
  }
}
