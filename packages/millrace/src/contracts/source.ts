/** Where records come from. */
import type { Batch } from '../records/batch.ts'
import type { Preparing } from './preparing.ts'
import type { SchemaUse } from './schemas.ts'
import type { SourceOffsets } from './offsets.ts'
import type { RowFailed } from './stage.ts'

/** Something that must hold for a component to work. In a list of them, each relies on those before it. */
export interface Check {
  /** What is checked, in one word such as `connection`. */
  readonly name: string
  /** Says what was found, as a sentence without a period. @throws {MillraceError} what is wrong */
  readonly run: (signal: AbortSignal) => Promise<string>
}

/** Something that a source could read: a topic, a file. */
export interface DiscoveredStream {
  readonly name: string
  readonly partitions: number
  /** At most so many, as compaction and transactions leave gaps; undefined when it is not known without reading. */
  readonly records: number | undefined
  /** Options that make the source read this stream, in place of its own. */
  readonly options: { readonly [name: string]: unknown }
}

/** How far a source has come. */
export interface SourceProgress {
  readonly records: number
  readonly bytes: number
  /** Records that are known to lie ahead: up to the log end, or to the end of a bounded run. Null while that is not known; undefined where it never is. */
  readonly lag: number | null | undefined
  /** What stands in the way of reading at the moment, as part of a sentence, such as a broker that does not answer; undefined while nothing does. */
  readonly problem?: string | undefined
  /** What was committed last, per partition; missing where nothing is. */
  readonly committed?: (() => readonly CommittedOffset[]) | undefined
}

/** How far a source is in one partition. */
export interface PartitionStatus {
  /** Name of the topic. */
  readonly topic: string
  /** Number of the partition, from 0 on. */
  readonly partition: number
  /** `assigned` while the place to read from is being found. */
  readonly state: 'assigned' | 'reading' | 'paused' | 'at-end'
  /** Offset of the next record to read. */
  readonly position: number | undefined
  /** Offset at which it ends; undefined while that is not known. */
  readonly end: number | undefined
  /** What was committed last; undefined when nothing was. */
  readonly committed: number | undefined
  /** Offset before which everything is done, committed or not; undefined where nothing was read. */
  readonly done?: number | undefined
  /** Records between `position` and `end`; undefined while one of them is not known. */
  readonly lag: number | undefined
  /** Age of the last record read, in seconds; 0 when everything is read, undefined before anything was. */
  readonly lagSeconds: number | undefined
  /** Why it cannot be read at the moment; undefined when it can. */
  readonly problem: string | undefined
}

/** What a source has read of a topic, including partitions that another member reads now. */
export interface TopicTotals {
  /** Records delivered. */
  records: number
  /** Bytes of these records, as they were fetched. */
  bytes: number
}

/** The state of a source, as `/status` and the dashboard show it. */
export interface SourceStatus {
  /** Those that it reads. */
  readonly partitions: readonly PartitionStatus[]
  /** What was read of each topic, by name. */
  readonly topics: ReadonlyMap<string, TopicTotals>
  /** Bytes that were fetched ahead. */
  readonly bufferedBytes: number
  /** Id of this member; undefined without a group. */
  readonly memberId: string | undefined
  /** Whether the group takes partitions away or has not said yet which ones this member gets. */
  readonly isRebalancing: boolean
}

/** Where the next run begins in a partition. */
export interface CommittedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * Where records come from.
 *
 * Calls come in this order: `open` once, `batches` once, `close` once or more. `ack` of a batch may come at any time
 * until `close` has resolved, in any order.
 */
export interface Source extends Preparing {
  /** Codec of its values, by name. */
  readonly valueCodec: string
  /** Codec of its keys, by name; text when omitted. */
  readonly keyCodec?: string | undefined
  /** What their codecs need, where they read schemas. */
  readonly valueSchema?: SchemaUse | undefined
  readonly keySchema?: SchemaUse | undefined
  /** Where a run starts to read, as a sentence without a period; undefined where every run reads everything. For `explain`. */
  readonly starts?: string
  /** Who commits what, and when, as a sentence without a period; for `explain`. */
  readonly commits: string
  /** Whether its batches may be whole record batches of Kafka (`Batch.raw`). */
  readonly readsRecordBatches: boolean
  /** Most records that are to be worked on together; the engine cuts batches that hold more. Undefined for no limit. */
  readonly maxBatchRecords?: number | undefined
  /** Undefined when nothing of its progress can be committed. */
  readonly offsets?: SourceOffsets | undefined
  /** Connects and checks that there is something to read. An error here ends the run before anything was read. */
  open(signal: AbortSignal): Promise<void>
  /**
   * The batches, in order per partition. Ends when a bounded source is read to its end or the signal fires.
   * An error ends the run; batches that were delivered before may still be acknowledged.
   */
  batches(signal: AbortSignal): AsyncIterable<Batch>
  /** Sets the documents of the rows of a batch, or of a slice of one; undefined when nothing looks at them. Stage graphs only, where `prepare` is about this. */
  readonly decode?: ((batch: Batch, failed?: RowFailed) => void) | undefined
  progress(): SourceProgress
  /** Of a source that reads partitions; undefined while it is not open. */
  status?(): SourceStatus | undefined
  /** What `millrace check` asks for, instead of `open`; `close` comes after it. Nothing is joined, read or committed. */
  checks?(): readonly Check[]
  /** Everything there is to read where this source reads, instead of `open`; `close` comes after it. */
  discover?(signal: AbortSignal): Promise<readonly DiscoveredStream[]>
  /** Commits what has been acknowledged and lets go of everything (I4). */
  close(): Promise<void>
}
