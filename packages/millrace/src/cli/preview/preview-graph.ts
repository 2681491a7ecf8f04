/**
 * Runs a graph that only looks: its sources join no group and commit nothing, its sinks are made but never opened, and what
 * they would be given is handed to the caller instead. All else is the run itself.
 */
import { NO_ENDPOINTS } from '../../contracts/definitions.ts'
import { defineSinkFunction } from '../../contracts/functions.ts'
import { preparing, type Prepare } from '../../contracts/preparing.ts'
import type { Sink } from '../../contracts/sink.ts'
import type { Batch } from '../../records/batch.ts'
import { catalog } from '../../catalog.ts'
import { encodeRows } from '../../functions/rows/kafka-rows.ts'
import type { GraphPlan } from '../../engine/graph/plan.ts'
import { runGraph } from '../../engine/graph/run-graph.ts'
import type { Components } from '../../engine/plan.ts'
import { sinkOfNothing, TAKES_ALL } from './nowhere.ts'
import type { PreviewOptions, PreviewResult } from './options.ts'

export interface GraphPreviewOptions extends Omit<PreviewOptions, 'sourceOnly' | 'onRow'> {
  /** Given each row that goes to a sink, and the id of its stage. */
  readonly onRow: (batch: Batch, row: number, codec: string, stage: string) => void
}

/**
 * @param options.max rows of each sink
 * @throws {MillraceError} what a run would fail with
 */
export async function previewGraph(
  plan: GraphPlan,
  { from, at, follow, max = Infinity, onRow }: GraphPreviewOptions,
  known: Components = catalog,
): Promise<PreviewResult> {
  const enough = new AbortController()
  const left = new Map(plan.nodes.filter(({ kind }) => kind === 'sink').map(({ id }) => [id, max]))
  let rows = 0
  const take = (batch: Batch, codec: string, stage: string): void => {
    const count = Math.min(batch.length, left.get(stage) ?? max)
    for (let row = 0; row < count; row++, rows++) onRow(batch, row, codec, stage)
    left.set(stage, (left.get(stage) ?? max) - count)
    if ([...left.values()].every((each) => each === 0)) enough.abort()
  }
  const { read } = await runGraph(follow ? { ...plan, timeoutMs: undefined } : plan, {
    components: withoutSinks(known, take),
    signal: enough.signal,
    abort: new AbortController().signal,
    untilEnd: !follow,
    preview: { from, at },
    warn: (message) => process.stderr.write(`warning: ${message}\n`),
  })
  return { read: read.records, rows }
}

/** Given what a sink would write: what it makes of keys and values is in the batch. */
export type TakeBatch = (batch: Batch, codec: string, stage: string) => void

/** Components whose sinks write nothing. */
export function withoutSinks(components: Components, take: TakeBatch): Components {
  return {
    ...components,
    async function(kind, name) {
      const definition = name === NOWHERE.name ? NOWHERE : await components.function(kind, name)
      if (definition.kind !== 'sink') return definition
      return {
        ...definition,
        create: async (options, context) =>
          new ShownSink(await definition.create(options, context), context.stage, take),
      }
    },
  }
}

const NO_COLUMNS: ReadonlySet<string> = new Set()

class ShownSink implements Sink {
  readonly valueCodec: string
  readonly includeMeta: boolean
  readonly needsDocuments: boolean
  readonly partitions: string
  readonly writesRecordBatches = false
  readonly prepare: Prepare | undefined
  readonly #sink: Sink
  readonly #stage: string
  readonly #take: TakeBatch

  constructor(sink: Sink, stage: string, take: TakeBatch) {
    this.valueCodec = sink.valueCodec
    this.includeMeta = sink.includeMeta
    this.needsDocuments = sink.needsDocuments
    this.partitions = sink.partitions
    this.prepare = preparing([sink])
    this.#sink = sink
    this.#stage = stage
    this.#take = take
  }
  async write(batch: Batch): Promise<void> {
    if (this.#sink.fill !== undefined) this.#sink.fill(batch)
    // Those that write rows as text write all of their columns.
    else encodeRows(batch, NO_COLUMNS, 'all')
    this.#take(batch, this.valueCodec, this.#stage)
  }
  async open(): Promise<void> {}
  async flush(): Promise<void> {}
  close(): Promise<void> {
    return this.#sink.close()
  }
  progress(): ReturnType<Sink['progress']> {
    return { records: 0, bytes: 0 }
  }
}

/** Takes rows as they come. */
const NOWHERE = defineSinkFunction({ ...TAKES_ALL, create: () => sinkOfNothing('json') })

/** A source of a graph alone. What bounds a run does not bound those who look. */
export function sourceOf(plan: GraphPlan, id: string): GraphPlan {
  const source = plan.nodes.find((node) => node.id === id)!
  const options = { ...source.options, max_messages: undefined, timeout_ms: undefined }
  return {
    ...plan,
    timeoutMs: undefined,
    nodes: [
      { ...source, options },
      { id: NOWHERE.name, kind: 'sink', function: NOWHERE.name, inputs: [id], options: {}, endpoints: NO_ENDPOINTS },
    ],
  }
}
