/**
 * Contracts between the engine and the components, and how a component is defined: options, documentation, examples
 * and factory together, from which parsing, lint, JSON Schema and reference pages are derived.
 */
import type { Batch } from './batch.ts'
import type { RecordError } from './errors/index.ts'
import type { Fields, Options, OptionRule } from './options/declaration.ts'

/** What a pipeline promises of each record; see docs/guarantees.md. */
export type Delivery = 'at_least_once' | 'exactly_once' | 'at_most_once'

/** What a component is told about the run it is part of. */
export interface ComponentContext {
  /** Name of the pipeline; part of client ids, group ids and log lines. */
  readonly pipeline: string
  /** Stop at the end of what was there when the run began. */
  readonly untilEnd: boolean
  /** `at_least_once` when omitted. */
  readonly delivery?: Delivery | undefined
  /** Sinks: name that the source's member of its group keeps over a restart; undefined when it has none. */
  readonly member?: string | undefined
  /** Sinks: whether what fails may be written again, and nothing of its partition may have overtaken it then (I2). */
  readonly triesAgain?: boolean | undefined
  /** Sinks: another one, of whose transactions this one's records are to be part. */
  readonly joins?: Sink | undefined
  /** Directory against which relative paths are resolved. */
  readonly directory: string
  /** Tells the operator of something that is not an error, for instance a clamped option. */
  readonly warn: (message: string, facts?: { readonly [name: string]: unknown }) => void
  /** Set for those who only look: a source then joins no group and commits nothing. */
  readonly preview?: Preview | undefined
}

export interface Preview {
  /** Where to begin reading: where a run would, at the first record, or behind the last one. */
  readonly from: 'run' | 'earliest' | 'latest'
}

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
  /** Undefined when nobody knows without reading. */
  readonly records: number | undefined
  /** Options that make the source read this stream, in place of its own. */
  readonly options: { readonly [name: string]: unknown }
}

/** How far a source has come. */
export interface SourceProgress {
  readonly records: number
  readonly bytes: number
  /** Records that are known to lie ahead: up to the log end, or to the end of a bounded run. */
  readonly lag: number | undefined
}

/**
 * Where records come from.
 *
 * Calls come in this order: `open` once, `batches` once, `close` once or more. `ack` of a batch may come at any time
 * until `close` has resolved, in any order.
 */
export interface Source {
  /** Codec of its values, by the name in the catalog. */
  readonly valueCodec: string
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
   * An error ends the run; batches that were handed out before may still be acknowledged.
   */
  batches(signal: AbortSignal): AsyncIterable<Batch>
  /** Gives the rows of a batch, or of a slice of one, their documents; undefined when nobody looks at them. Stage graphs only. */
  readonly decode?: ((batch: Batch) => void) | undefined
  progress(): SourceProgress
  /** What `millrace check` asks for, instead of `open`; `close` comes after it. Nothing is joined, read or committed. */
  checks?(): readonly Check[]
  /** Everything there is to read where this source reads, instead of `open`; `close` comes after it. */
  discover?(signal: AbortSignal): Promise<readonly DiscoveredStream[]>
  /** Commits what has been acknowledged and lets go of everything (I4). */
  close(): Promise<void>
}

/** Offsets of a consumer group, on their way into a transaction of the sink. */
export interface GroupOffsets {
  readonly groupId: string
  /** The offsets after what was taken, per partition. */
  readonly offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]
  /** As whom they are committed, asked anew for each attempt; undefined as soon as one of the partitions is no longer owned (I3). */
  member():
    | { readonly memberId: string; readonly generation: number; readonly instanceId: string | undefined }
    | undefined
  /** Waits a moment for a generation after this one, which the broker has come to already. */
  awaitGeneration(generation: number): Promise<void>
}

/** Asked by a source that does not commit by itself when partitions go. Neither may throw. */
export interface ReleaseListener {
  /** Everything read from them was acknowledged: commit it before they are given back (I3). @returns when nothing more is to be done about it */
  commit(signal: AbortSignal): Promise<void>
  /** What was read from them and not committed must not be committed any more (I3). */
  lost(): void
}

/** Offsets of a source that others can commit. In a pipeline with `exactly_once` it commits none by itself. */
export interface SourceOffsets {
  /** Name that this member of the group keeps over a restart; undefined when it has none. */
  readonly member: string | undefined
  /** Offsets of everything acknowledged and not committed yet. */
  taken(): GroupOffsets
  /** Takes note that these were committed. */
  committed(offsets: GroupOffsets): void
  /** Goes back to the committed offsets of what is owned; acknowledgements of what was handed out do nothing any more. */
  rewind(signal: AbortSignal): Promise<void>
  onRelease(listener: ReleaseListener): void
  /** Acknowledges a batch and commits it before it is processed (`at_most_once`). @returns whether that succeeded; else somebody else may get it */
  commitBefore(batch: Batch): Promise<boolean>
}

/** Transactions of a sink. One is always open, and what is written while it is being committed belongs to the next one. */
export interface SinkTransactions {
  /**
   * Whether `abort` goes on as somebody new when this one was fenced. Only where nobody else can have its name: then it was the
   * coordinator that lost patience, and nobody has taken over (I5).
   */
  readonly renewable: boolean
  /**
   * Commits everything written so far together with the offsets, which are asked for when all of it is acknowledged (I5).
   * One call at a time. @returns the offsets
   * @throws what failed: abort; {TransactionError} with `fatal` this sink may never write again
   */
  commit(offsets: () => Promise<GroupOffsets>, signal: AbortSignal): Promise<GroupOffsets>
  /** Aborts everything written and not committed, and begins anew. @throws {TransactionError} with `fatal`; {ConnectionError} */
  abort(signal: AbortSignal): Promise<void>
}

/** Where records go. */
export interface Sink {
  /** Codec of its values, by the name in the catalog. */
  readonly valueCodec: string
  /** Write `_meta` into every document. */
  readonly includeMeta: boolean
  /** Whether it looks at documents itself, for instance to take the key from a field. */
  readonly needsDocuments: boolean
  /** Where records go, as a sentence without a period; for `explain`. */
  readonly partitions: string
  /** Whether it can forward whole record batches of Kafka as they are. */
  readonly writesRecordBatches: boolean
  /** Whether all that follows a failed record in its partition fails with it, so that writes may overlap and be tried again in order. */
  readonly failsInOrder?: boolean
  /** Only in a pipeline with `exactly_once`. */
  readonly transactions?: SinkTransactions | undefined
  /**
   * Whether what was written counts only after `flush`, as with a file that appears when it is complete. Acknowledgements
   * are then held back until the end (I1); stage graphs only.
   */
  readonly completesAtEnd?: boolean
  /** What `millrace check` asks for, instead of `open`; `close` comes after it. Nothing is written. */
  checks?(): readonly Check[]
  /** Puts into a batch what it writes in place of what was read, for instance keys. `write` does it by itself; for those who only look. */
  prepare?(batch: Batch): void
  open(signal: AbortSignal): Promise<void>
  /**
   * Writes the rows of a batch and resolves when all of them are acknowledged (I1). May be called again before earlier
   * calls have resolved; order is kept per partition. `accepted`, when it is awaited, bounds memory.
   *
   * @throws {BatchError} which rows failed; the others were delivered
   */
  write(batch: Batch, signal: AbortSignal): Promise<void>
  /** Sends at once what is waiting and resolves when everything written so far is acknowledged. */
  flush(signal: AbortSignal): Promise<void>
  /** Lets go of everything at once; what was not flushed is given up. May be called twice. */
  close(): Promise<void>
  progress(): SinkProgress
}

export interface SinkProgress {
  readonly records: number
  readonly bytes: number
}

/** Told of a row that failed, by its index in the batch that the step was given. The step then goes on with the next row. */
export type RowFailed = (row: number, error: RecordError) => void

/** What a stage looks at; decides the lane. */
export type StageNeeds = 'metadata' | 'documents'

/** A step between source and sink. Synchronous: it works on memory only. */
export interface Stage {
  readonly name: string
  readonly needs: StageNeeds
  /** What it does, for `explain`, where `needs` does not tell: without a subject and a period. */
  readonly does?: string
  /**
   * Gives the batch that goes on, or undefined when no row is left. With `needs: 'documents'` every row has its
   * document when this is called.
   * @param failed told of each row that fails, which is then not in the batch that goes on; without it the first one is thrown
   * @throws {StageError} with the offset of the record that failed
   */
  process(batch: Batch, failed?: RowFailed): Batch | undefined
  /** Notes where a stage stands that counts. @returns brings it back there, after an abort */
  mark?(): () => void
  /** True as soon as this stage will let nothing more through, for instance `$limit` when it is reached. */
  readonly exhausted?: boolean
}

/** A step of a stage graph: like a `Stage`, but it may wait for something, and keep rows back until it has seen enough of them. */
export interface Transform extends Pick<Stage, 'needs' | 'does' | 'mark' | 'exhausted'> {
  /** Whether `process` waits for something outside of this process. */
  readonly waits?: boolean
  /**
   * Takes over a batch and gives those that can go on. What is neither passed on nor kept back is acknowledged here; what
   * is kept back is acknowledged when that which was made of it is (I1).
   * @param failed told of each row that fails, which is then left out; without it the first one is thrown
   * @throws {StageError}
   */
  process(batch: Batch, signal: AbortSignal, failed?: RowFailed): readonly Batch[] | Promise<readonly Batch[]>
  /** Gives what was kept back, after the last batch. */
  finish?(signal: AbortSignal): readonly Batch[] | Promise<readonly Batch[]>
}

/** Turns bytes into documents and back. */
export interface Codec {
  readonly name: string
  /**
   * Parses the value of one row. Null is a tombstone.
   * @throws {DecodeError}
   */
  decode(value: Buffer | null): unknown
  /** Writes a document. @throws {EncodeError} */
  encode(document: unknown): string | Buffer | null
}

/** Both directions for whole batches: what the steps "decode" and "encode" of a pipeline do. */
export interface Documents {
  /**
   * Gives every row its document.
   * @param failed told of each row that fails, which the caller then drops; without it the first one is thrown
   * @throws {DecodeError} with the offset of the record
   */
  decode(batch: Batch, failed?: RowFailed): void
  /**
   * Sets `payloads` of the rows whose document was replaced; the others go out as the bytes that came in.
   * @param failed as in `decode`
   * @throws {EncodeError} with the offset of the record
   */
  encode(batch: Batch, failed?: RowFailed): void
}

interface Documented<F extends Fields> {
  /** Name under which pipeline files ask for it. */
  readonly name: string
  /** One sentence in the third person. */
  readonly summary: string
  readonly options: F
  readonly rules?: readonly OptionRule<F>[]
  readonly examples?: readonly { readonly title: string; readonly options: { readonly [name: string]: unknown } }[]
}

export interface SourceDefinition<F extends Fields = Fields> extends Documented<F> {
  readonly kind: 'source'
  create(options: Options<F>, context: ComponentContext): Promise<Source> | Source
}

export interface SinkDefinition<F extends Fields = Fields> extends Documented<F> {
  readonly kind: 'sink'
  create(options: Options<F>, context: ComponentContext): Promise<Sink> | Sink
}

/** Defines a source; infers the type of its options. */
export function defineSource<const F extends Fields>(
  definition: Omit<SourceDefinition<F>, 'kind'>,
): SourceDefinition<F> {
  return { ...definition, kind: 'source' }
}

/** Defines a sink; infers the type of its options. */
export function defineSink<const F extends Fields>(definition: Omit<SinkDefinition<F>, 'kind'>): SinkDefinition<F> {
  return { ...definition, kind: 'sink' }
}

/** What a function of a stage graph is told besides. */
export interface FunctionContext extends ComponentContext {
  /** Id of the stage, for errors. */
  readonly stage: string
  /** Folders in which a file to read is looked for: the one in which the command runs, then that of the pipeline file. */
  readonly folders: readonly string[]
  /** Sources: whether a stage behind this one looks at values. */
  readonly needsDocuments: boolean
  /** Sources: whether a stage behind this one looks at where a record came from. */
  readonly needsOrigin: boolean
  /** Sinks: whether a source before this one put the origin of its records into columns. */
  readonly hasOrigin: boolean
  /** Sinks: columns that a stage before this one was asked to make. */
  readonly made: ReadonlySet<string>
  /** Transforms: whether a window was cut before, so that every batch is one. */
  readonly isWindowed: boolean
  /** Runs a pipeline of its own to its end. */
  readonly run: (plan: unknown, signal: AbortSignal) => Promise<void>
}

interface FunctionOf<K extends 'source' | 'transform' | 'sink', T, F extends Fields> extends Documented<F> {
  readonly kind: K
  /** Whether it looks at all columns of a row, whatever their names. */
  seesAllColumns?(options: Options<F>): boolean
  /** Options that are templates, in which `{{name}}` is a column and not a variable of the file. */
  readonly templates?: readonly string[]
  /** Columns that it makes, or keeps when it drops others. */
  made?(options: Options<F>): readonly string[]
  create(options: Options<F>, context: FunctionContext): Promise<T> | T
}

/** Why a function cannot be a stage of a linear pipeline, and what can. */
export interface NotInLine {
  /** `it needs all rows`, for instance. */
  readonly because: string
  /** What to write instead, for instance `$sort, which sorts each batch`; undefined when a stage graph alone will do. */
  readonly instead: string | undefined
}

/** A function of stage graphs, by its nature. */
export type SourceFunction<F extends Fields = Fields> = FunctionOf<'source', Source, F>
export type SinkFunction<F extends Fields = Fields> = FunctionOf<'sink', Sink, F>
export interface TransformFunction<F extends Fields = Fields> extends FunctionOf<'transform', Transform, F> {
  /**
   * Makes the stage that does the same in a linear pipeline. Undefined for a function that waits for something, or has to
   * see all rows before it gives the first: a linear pipeline need not have an end.
   */
  stage?(options: Options<F>, context: Pick<FunctionContext, 'stage'>): Stage
  /** Why it cannot be a stage of a linear pipeline, where that depends on the options, or `stage` is undefined. */
  notInLine?(options: Options<F>): NotInLine | undefined
  /** Whether it keeps rows back beyond the batch in which they came, so that a transaction cannot hold both them and their offsets. */
  keepsRowsBack?(options: Options<F>): boolean
  readonly examples?: readonly {
    readonly title: string
    readonly options: { readonly [name: string]: unknown }
    readonly have?: readonly unknown[]
    readonly want?: readonly unknown[]
  }[]
}
export type FunctionDefinition = SourceFunction | TransformFunction | SinkFunction

/** Defines a source of stage graphs; infers the type of its options. */
export function defineSourceFunction<const F extends Fields>(
  definition: Omit<SourceFunction<F>, 'kind'>,
): SourceFunction<F> {
  return { ...definition, kind: 'source' }
}

/** Defines a transform of stage graphs; infers the type of its options. */
export function defineTransform<const F extends Fields>(
  definition: Omit<TransformFunction<F>, 'kind'>,
): TransformFunction<F> {
  return { ...definition, kind: 'transform' }
}

/** Defines a sink of stage graphs; infers the type of its options. */
export function defineSinkFunction<const F extends Fields>(definition: Omit<SinkFunction<F>, 'kind'>): SinkFunction<F> {
  return { ...definition, kind: 'sink' }
}
