/**
 * What a broker checks of a record batch before it appends it, in Kafka's order and with Kafka's error codes. Records are
 * never decoded, except for a compacted topic, whose records must all have a key.
 */
import { counted } from '../../options/units.ts'
import { CODECS } from '../../kafka/protocol/compression/codecs.ts'
import { crc32c } from '../../kafka/protocol/crc32c.ts'
import {
  ATTRIBUTES,
  BATCH_LENGTH,
  CODEC_MASK,
  CONTROL_BIT,
  CRC,
  HEADER_BYTES,
  LAST_OFFSET_DELTA,
  LENGTH_OVERHEAD,
  MAGIC,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  BASE_SEQUENCE,
  MAX_TIMESTAMP,
  BASE_TIMESTAMP,
  readInt64,
  RECORD_COUNT,
  TRANSACTIONAL_BIT,
} from '../../kafka/protocol/record-batch.ts'
import { ERROR } from '../../protocol/error-codes.ts'

/** Newest version of Produce that must not carry zstd (KIP-110). */
const LAST_WITHOUT_ZSTD = 6

/** What the header of a batch says. */
export interface BatchHeader {
  readonly size: number
  readonly count: number
  readonly attributes: number
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  /** -1 without idempotence. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
}

export interface Refusal {
  /** The records that were the reason, by their place in the batch. */
  readonly records?: readonly { readonly batchIndex: number; readonly message: string }[]
  readonly errorCode: number
  readonly message: string
  /** Whether the log itself refused, and not what comes before it; the answer then says where the log begins. */
  readonly fromLog?: true
}

export function isRefusal(value: object): value is Refusal {
  return 'errorCode' in value
}

function refusal(errorCode: number, message: string): Refusal {
  return { errorCode, message }
}

function inLog(errorCode: number, message: string): Refusal {
  return { errorCode, message, fromLog: true }
}

/**
 * Checks what a Produce request carries for a partition: exactly one record batch of format 2.
 *
 * @param version of the request
 */
export function checkBatch(bytes: Buffer, version: number, maxMessageBytes: number): BatchHeader | Refusal {
  if (bytes.length < HEADER_BYTES) {
    if (bytes.length > MAGIC && bytes[MAGIC]! < 2)
      return refusal(ERROR.UNSUPPORTED_FOR_MESSAGE_FORMAT, 'Record batches must have magic 2')
    return refusal(ERROR.CORRUPT_MESSAGE, `A record batch of ${bytes.length} bytes is shorter than its header`)
  }
  const magic = bytes[MAGIC]!
  if (magic < 2)
    return refusal(
      ERROR.INVALID_RECORD,
      `Produce requests with version ${version} are only allowed to contain record batches with magic version 2`,
    )
  const size = LENGTH_OVERHEAD + bytes.readInt32BE(BATCH_LENGTH)
  if (magic > 2 || size < HEADER_BYTES || size > bytes.length)
    return refusal(ERROR.CORRUPT_MESSAGE, 'The record batch has a wrong magic number or length')
  if (size < bytes.length)
    return refusal(
      ERROR.INVALID_RECORD,
      `Produce requests with version ${version} are only allowed to contain exactly one record batch per partition`,
    )
  const attributes = bytes.readInt16BE(ATTRIBUTES)
  const codec = attributes & CODEC_MASK
  if (codec === CODECS.indexOf('zstd') && version <= LAST_WITHOUT_ZSTD)
    return refusal(
      ERROR.UNSUPPORTED_COMPRESSION_TYPE,
      `Produce requests with version ${version} are not allowed to use ZStandard compression`,
    )
  if (bytes.readUInt32BE(CRC) !== crc32c(bytes, ATTRIBUTES, size))
    return refusal(ERROR.CORRUPT_MESSAGE, 'Record is corrupt: its CRC is wrong')
  if (size > maxMessageBytes)
    return refusal(
      ERROR.MESSAGE_TOO_LARGE,
      `The record batch size in the append is ${size} bytes which exceeds the maximum configured value of ${maxMessageBytes}.`,
    )
  const header = headerOf(bytes)
  return problemOf(header, bytes, codec) ?? header
}

/** @param bytes one record batch, as a whole */
export function headerOf(bytes: Buffer): BatchHeader {
  const attributes = bytes.readInt16BE(ATTRIBUTES)
  return {
    size: bytes.length,
    count: bytes.readInt32BE(RECORD_COUNT),
    attributes,
    baseTimestampMs: readInt64(bytes, BASE_TIMESTAMP),
    maxTimestampMs: readInt64(bytes, MAX_TIMESTAMP),
    producerId: readInt64(bytes, PRODUCER_ID),
    producerEpoch: bytes.readInt16BE(PRODUCER_EPOCH),
    baseSequence: bytes.readInt32BE(BASE_SEQUENCE),
    isTransactional: (attributes & TRANSACTIONAL_BIT) !== 0,
  }
}

function problemOf(header: BatchHeader, bytes: Buffer, codec: number): Refusal | undefined {
  const { attributes, count, producerId, producerEpoch, baseSequence, isTransactional } = header
  if (codec >= CODECS.length) return inLog(ERROR.CORRUPT_MESSAGE, `Compression type ${codec} is unknown`)
  const lastDelta = bytes.readInt32BE(LAST_OFFSET_DELTA)
  if (count <= 0 || lastDelta !== count - 1)
    return inLog(
      ERROR.INVALID_RECORD,
      `The record batch has ${counted(count, 'record')} and a last offset delta of ${lastDelta}`,
    )
  if ((attributes & CONTROL_BIT) !== 0)
    return inLog(ERROR.INVALID_RECORD, 'Clients are not allowed to write control records')
  if (producerId >= 0 && baseSequence < 0)
    return inLog(
      ERROR.INVALID_RECORD,
      `Invalid sequence number ${baseSequence} in record batch with producerId ${producerId}`,
    )
  if (producerId >= 0 && producerEpoch < 0)
    return inLog(ERROR.INVALID_RECORD, `Invalid epoch ${producerEpoch} in record batch with producerId ${producerId}`)
  if (isTransactional && producerId < 0)
    return inLog(ERROR.INVALID_RECORD, 'Transactional messages must have a producer id')
  return undefined
}
