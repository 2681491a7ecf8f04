/** Parts of records that were located; nothing is copied. */
import { FIELDS, type LocatedRecords } from './batch.ts'

/** Drops the records before an offset. Offsets ascend, so they are the first ones. */
export function dropBefore(offset: number, located: LocatedRecords): LocatedRecords {
  let dropped = 0
  while (dropped < located.count && located.offsets[dropped]! < offset) dropped++
  return {
    bytes: located.bytes,
    count: located.count - dropped,
    fields: located.fields.subarray(dropped * FIELDS),
    offsets: located.offsets.subarray(dropped),
    timestamps: located.timestamps.subarray(dropped),
  }
}

/** Leaves out what could not be read. */
export function keepFirst(count: number, located: LocatedRecords): LocatedRecords {
  return {
    bytes: located.bytes,
    count,
    fields: located.fields.subarray(0, count * FIELDS),
    offsets: located.offsets.subarray(0, count),
    timestamps: located.timestamps.subarray(0, count),
  }
}
