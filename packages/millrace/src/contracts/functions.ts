/** Functions of stage graphs: sources, transforms and sinks, and how they are defined. */
import type { Fields, Options } from '../options/declaration.ts'
import type { ComponentContext } from './context.ts'
import type { Connecting, Documented } from './definitions.ts'
import type { Sink } from './sink.ts'
import type { Source } from './source.ts'
import type { Transform, Stage } from './stage.ts'

/** What a function of a stage graph is told besides. */
export interface FunctionContext extends ComponentContext {
  /** Id of the stage, for errors. */
  readonly stage: string
  /** Folders in which a file to read is looked for: the one in which the command runs, then that of the pipeline file. */
  readonly folders: readonly string[]
  /** Sources: whether a stage behind this one looks at values. */
  readonly needsDocuments: boolean
  /** Sources: all that the stages behind this one look at in the outermost object of a value; undefined when that is not known. */
  readonly fields?: readonly string[] | undefined
  /** Sources: whether a stage behind this one looks at where a record came from. */
  readonly needsOrigin: boolean
  /** Sinks: whether a source before this one put the origin of its records into columns. */
  readonly hasOrigin: boolean
  /** Sinks: in which formats the values are that sources before this one read, as names of codecs. */
  readonly formats: ReadonlySet<string>
  /** Sinks: the sources before this one. They are made after it, so ask when it opens. */
  sources(): readonly Source[]
  /** Sinks: whether rows that cannot be written fail one by one, as a `BatchError`; otherwise the first one is thrown, and nothing written. */
  readonly collectsFailures: boolean
  /** Sinks: columns that a stage before this one was asked to make. */
  readonly made: ReadonlySet<string>
  /** Transforms: whether every batch counts by itself: a window was cut before, or the rows never end. */
  readonly isWindowed: boolean
  /**
   * Runs a pipeline of its own.
   * @returns whether it came to its end; not where the run is asked to stop, before it or meanwhile
   */
  readonly run: (plan: unknown, signal: AbortSignal) => Promise<boolean>
}

/** What a stage learns that works batch by batch, also in a linear file. */
export type StageContext = Pick<FunctionContext, 'stage' | 'warn'>

interface FunctionOf<K extends 'source' | 'transform' | 'sink', T, F extends Fields>
  extends Documented<F>, Connecting<F> {
  readonly kind: K
  /** Whether it looks at all columns of a row, whatever their names. */
  seesAllColumns?(options: Options<F>): boolean
  /** Options that are templates, in which `{{name}}` is a column and not a variable of the file. */
  readonly templates?: readonly string[]
  /** Columns that it makes, or keeps when it drops others. */
  made?(options: Options<F>): readonly string[]
  /** The same options by the names that the component of the catalog has for them, where it is one of those. */
  asComponent?(options: Partial<Options<F>>): { readonly [name: string]: unknown }
  /** Transforms and sinks: whether nothing comes out before all rows are there. */
  waitsForEnd?(options: Options<F>): boolean
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
export interface SourceFunction<F extends Fields = Fields> extends FunctionOf<'source', Source, F> {
  /** Whether its rows can have columns that say where a record came from. */
  readonly knowsOrigin?: boolean
  /** Codec of the values that its records hold, by name; `json` when omitted. */
  valueFormat?(options: Options<F>): string
  /** Whether it goes on until the run is stopped, as with a file that is watched. */
  isEndless?(options: Options<F>): boolean
  /** Options that bound what it reads, with the values that they have by default in a run that has to end. */
  readonly bounds?: { readonly [option: string]: unknown }
}
export type SinkFunction<F extends Fields = Fields> = FunctionOf<'sink', Sink, F>
export interface TransformFunction<F extends Fields = Fields> extends FunctionOf<'transform', Transform, F> {
  /**
   * Makes the stage that does the same in a linear pipeline. Undefined for a function that waits for something, or has to
   * see all rows before it gives the first: a linear pipeline need not have an end.
   */
  stage?(options: Options<F>, context: StageContext): Stage
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
