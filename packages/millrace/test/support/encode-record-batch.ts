/**
 * A slow and plain encoder of record batches, written from the format's description and sharing no code with `src`, so
 * that tests of the reader do not depend on the writer.
 */
import { jsCRC32C } from '@platformatic/kafka'

export interface RecordInput {
  readonly offsetDelta?: number
  readonly timestampDelta?: number | bigint
  readonly key?: Buffer | null
  readonly value?: Buffer | null
  readonly headers?: readonly (readonly [name: string, value: Buffer | null])[]
}

export interface RecordBatchInput {
  readonly records: readonly RecordInput[]
  readonly baseOffset?: number | bigint
  readonly leaderEpoch?: number
  readonly magic?: number
  /** Codec and flag bits. */
  readonly attributes?: number
  readonly lastOffsetDelta?: number
  readonly baseTimestamp?: number | bigint
  readonly maxTimestamp?: number | bigint
  readonly producerId?: number | bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly count?: number
  /** Applied to the encoded records; says nothing about the codec bits. */
  readonly compress?: (records: Buffer) => Buffer
}

/** A number as a zigzag varint of up to 64 bits. */
export function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const bytes: number[] = []
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

function nullable(bytes: Buffer | null | undefined): Buffer {
  return bytes === null || bytes === undefined ? varint(-1) : Buffer.concat([varint(bytes.length), bytes])
}

export function encodeRecord(record: RecordInput, index: number): Buffer {
  const headers = record.headers ?? []
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(record.timestampDelta ?? 0),
    varint(record.offsetDelta ?? index),
    nullable(record.key),
    nullable(record.value),
    varint(headers.length),
    ...headers.flatMap(([name, value]) => [nullable(Buffer.from(name)), nullable(value)]),
  ])
  return Buffer.concat([varint(body.length), body])
}

export function encodeRecordBatch(input: RecordBatchInput): Buffer {
  const plain = Buffer.concat(input.records.map(encodeRecord))
  const last = input.records.at(-1)
  const covered = Buffer.alloc(40)
  covered.writeInt16BE(input.attributes ?? 0, 0)
  covered.writeInt32BE(input.lastOffsetDelta ?? last?.offsetDelta ?? Math.max(0, input.records.length - 1), 2)
  covered.writeBigInt64BE(BigInt(input.baseTimestamp ?? 0), 6)
  covered.writeBigInt64BE(BigInt(input.maxTimestamp ?? input.baseTimestamp ?? 0), 14)
  covered.writeBigInt64BE(BigInt(input.producerId ?? -1), 22)
  covered.writeInt16BE(input.producerEpoch ?? -1, 30)
  covered.writeInt32BE(input.baseSequence ?? -1, 32)
  covered.writeInt32BE(input.count ?? input.records.length, 36)
  return sealRecordBatch(Buffer.concat([Buffer.alloc(21), covered, input.compress?.(plain) ?? plain]), input)
}

/** Fills in what stands before the part that the CRC covers, and the CRC itself. */
export function sealRecordBatch(
  batch: Buffer,
  input: Pick<RecordBatchInput, 'baseOffset' | 'leaderEpoch' | 'magic'> = {},
): Buffer {
  batch.writeBigInt64BE(BigInt(input.baseOffset ?? 0), 0)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(input.leaderEpoch ?? 0, 12)
  batch.writeInt8(input.magic ?? 2, 16)
  batch.writeUInt32BE(jsCRC32C(batch.subarray(21)), 17)
  return batch
}
