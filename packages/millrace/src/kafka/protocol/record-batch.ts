/**
 * The layout of a record batch (magic 2), and a cursor over the batches of a fetch response.
 *
 * A batch is a header of 61 bytes and its records; the records are compressed as one piece. The CRC covers everything
 * from the attributes on, so that a broker can set base offset and leader epoch without computing it anew.
 *
 * @see https://kafka.apache.org/documentation/#recordbatch
 */

/** Position of each field of the header, relative to the start of the batch; all numbers are big endian. */
export const BASE_OFFSET = 0 // int64
export const BATCH_LENGTH = 8 // int32: bytes that follow this field
export const LEADER_EPOCH = 12 // int32
export const MAGIC = 16 // int8
export const CRC = 17 // uint32, of everything from ATTRIBUTES to the end
export const ATTRIBUTES = 21 // int16
export const LAST_OFFSET_DELTA = 23 // int32
export const BASE_TIMESTAMP = 27 // int64
export const MAX_TIMESTAMP = 35 // int64
export const PRODUCER_ID = 43 // int64
export const PRODUCER_EPOCH = 51 // int16
export const BASE_SEQUENCE = 53 // int32
export const RECORD_COUNT = 57 // int32
/** Where the records begin. */
export const HEADER_BYTES = 61
/** Bytes before those that BATCH_LENGTH counts. */
export const LENGTH_OVERHEAD = 12

/** Bits of the attributes. */
export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME_BIT = 0x08
export const TRANSACTIONAL_BIT = 0x10
export const CONTROL_BIT = 0x20
export const DELETE_HORIZON_BIT = 0x40
