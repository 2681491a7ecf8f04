/**
 * The sink of those who only look at a source.
 */
import type { Sink } from '../../contracts/sink.ts'

export const TAKES_ALL = { name: 'nowhere', summary: 'Accepts every record and does nothing.', options: {} }

/** @param valueCodec how it wants values */
export function sinkOfNothing(valueCodec: string): Sink {
  return {
    valueCodec,
    includeMeta: false,
    needsDocuments: false,
    partitions: 'nothing is written',
    writesRecordBatches: false,
    open: async () => {},
    write: async () => {},
    flush: async () => {},
    close: async () => {},
    progress: () => ({ records: 0, bytes: 0 }),
  }
}
