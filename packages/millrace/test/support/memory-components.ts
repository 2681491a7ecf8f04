/**
 * A source and a sink in memory, and a codec that has to fetch something before it can decode, for tests of the engine.
 */
import { catalog } from '../../src/catalog.ts'
import { codecByName, createDocuments } from '../../src/codecs/index.ts'
import type { Codec } from '../../src/contracts/codec.ts'
import { NO_ENDPOINTS } from '../../src/contracts/definitions.ts'
import type { GroupOffsets, SourceOffsets } from '../../src/contracts/offsets.ts'
import type { Sink, SinkTransactions } from '../../src/contracts/sink.ts'
import type { Source } from '../../src/contracts/source.ts'
import type { GraphPlan } from '../../src/engine/graph/plan.ts'
import { FAIL, type Components, type PipelinePlan } from '../../src/engine/plan.ts'
import { DecodeError } from '../../src/errors/index.ts'
import type { Batch } from '../../src/records/batch.ts'
import { batchOf } from './batches.ts'

/** Values of a batch as they would go out. */
export function valuesOf(batch: Batch): string[] {
  return Array.from({ length: batch.length }, (_, row) => String(batch.payloads?.[row] ?? batch.value(row)))
}

/** Reads batches of texts. `log` says what happened to them: `ack A`, `commit A B`, `commit first A`, `rewind`. */
export class MemorySource implements Source {
  readonly valueCodec: string
  readonly readsRecordBatches = false
  readonly commits = 'nothing'
  readonly offsets: SourceOffsets
  readonly #batches: readonly (readonly string[])[]
  readonly #log: string[]
  #acknowledged: string[] = []
  #committed = 0
  #read = 0

  constructor(batches: readonly (readonly string[])[], log: string[], valueCodec = 'json') {
    this.#batches = batches
    this.#log = log
    this.valueCodec = valueCodec
    this.offsets = {
      member: undefined,
      taken: () => this.#taken(),
      committed: ({ offsets }) => {
        this.#committed += offsets.length
        this.#acknowledged = this.#acknowledged.slice(offsets.length)
      },
      rewind: async () => {
        log.push('rewind')
        this.#read = this.#committed
        this.#acknowledged = []
      },
      onRelease: () => {},
      commitBefore: async (part) => (log.push(`commit first ${valuesOf(part as Batch).join(' ')}`), true),
    }
  }

  async open(): Promise<void> {}

  async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
    while (this.#read < this.#batches.length && !signal.aborted) {
      const values = this.#batches[this.#read++]!
      const name = values.join(' ')
      yield batchOf(values).derive({}, { ack: () => this.#acknowledge(name) })
    }
  }

  progress(): ReturnType<Source['progress']> {
    return { records: this.#batches.slice(0, this.#read).flat().length, bytes: 0, lag: undefined }
  }

  async close(): Promise<void> {}

  #acknowledge(name: string): void {
    this.#log.push(`ack ${name}`)
    this.#acknowledged.push(name)
  }

  /** One offset for each batch. */
  #taken(): GroupOffsets {
    return {
      groupId: 'g',
      offsets: this.#acknowledged.map((topic) => ({ topic, partition: 0, offset: 1 })),
      member: () => undefined,
      awaitGeneration: () => Promise.resolve(),
    }
  }
}

/** Keeps what is written; with transactions, what was committed. `log` says so: `write A`, `commit A B`, `abort`. */
export class MemorySink implements Sink {
  readonly valueCodec = 'json'
  readonly includeMeta = false
  readonly needsDocuments = false
  readonly partitions = 'in memory'
  readonly writesRecordBatches = false
  readonly written: string[] = []
  readonly transactions: SinkTransactions | undefined
  readonly #log: string[]

  constructor(log: string[], isTransactional = false) {
    this.#log = log
    if (isTransactional)
      this.transactions = {
        renewable: false,
        commit: async (ask) => {
          const offsets = await ask()
          log.push(`commit ${offsets.offsets.map(({ topic }) => topic).join(' ')}`)
          return offsets
        },
        abort: async () => {
          log.push('abort')
          return 'aborted'
        },
      }
  }

  async open(): Promise<void> {}

  async write(batch: Batch): Promise<void> {
    const values = valuesOf(batch)
    this.#log.push(`write ${values.join(' ')}`)
    this.written.push(...values)
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}

  progress(): ReturnType<Sink['progress']> {
    return { records: this.written.length, bytes: 0 }
  }
}

/** Values are `schema:text`; the document is `{text}`. A schema has to be fetched before a value that names it can be decoded. */
export class FetchingCodec implements Codec {
  readonly name = 'fetching'
  readonly #fetch: (schema: string, signal: AbortSignal) => Promise<void>
  readonly #known = new Set<string>()

  constructor(fetch: (schema: string, signal: AbortSignal) => Promise<void>) {
    this.#fetch = fetch
  }

  prepare(batch: Batch, signal: AbortSignal): Promise<void> | undefined {
    const missing = new Set(
      Array.from({ length: batch.length }, (_, row) => schemaOf(batch.value(row))).filter(
        (schema) => !this.#known.has(schema),
      ),
    )
    if (missing.size === 0) return undefined
    return Promise.all(
      Array.from(missing, async (schema) => {
        await this.#fetch(schema, signal)
        this.#known.add(schema)
      }),
    ).then(() => {})
  }

  decode(value: Buffer | null): unknown {
    const schema = schemaOf(value)
    if (!this.#known.has(schema)) throw new DecodeError('value', `schema "${schema}" is not known`)
    return { text: String(value).slice(schema.length + 1) }
  }

  encode(document: unknown): string {
    return JSON.stringify(document)
  }
}

function schemaOf(value: Buffer | null): string {
  return String(value).split(':', 1)[0]!
}

/** A graph of one source and one sink, which are those of `memoryComponents`. */
export function memoryGraph(more: Partial<GraphPlan> = {}): GraphPlan {
  const node = { function: 'memory', options: {}, endpoints: NO_ENDPOINTS }
  return {
    name: 'graph',
    file: 'graph.toml',
    directory: '.',
    folders: ['.'],
    nodes: [
      { ...node, id: 'in', kind: 'source', inputs: [] },
      { ...node, id: 'out', kind: 'sink', inputs: ['in'] },
    ],
    delivery: 'at_least_once',
    errorPolicy: FAIL,
    circuitBreaker: undefined,
    timeoutMs: undefined,
    warnings: [],
    ...more,
  }
}

/** A plan whose components are those of `memoryComponents`. */
export function memoryPlan(more: Partial<PipelinePlan> = {}): PipelinePlan {
  return {
    name: 'test',
    file: undefined,
    directory: '.',
    source: { component: 'memory', options: {}, endpoints: NO_ENDPOINTS },
    stages: [],
    sink: { component: 'memory', options: {}, endpoints: NO_ENDPOINTS },
    delivery: 'at_least_once',
    errorPolicy: FAIL,
    warnings: [],
    ...more,
  }
}

/** @param codec of the values that are read, in place of that of the source */
export function memoryComponents(source: Source, sink: Sink, codec?: Codec): Components {
  const definition = { name: 'memory', summary: 'Lies in memory.', options: {} }
  return {
    ...catalog,
    source: async () => ({ ...definition, kind: 'source', create: () => source }),
    sink: async () => ({ ...definition, kind: 'sink', create: () => sink }),
    function: async (kind) =>
      kind === 'source'
        ? { ...definition, kind: 'source', create: () => source }
        : { ...definition, kind: 'sink', create: () => sink },
    documents: async () =>
      createDocuments({
        from: codec ?? codecByName(source.valueCodec),
        to: codecByName(sink.valueCodec),
        needsDocuments: true,
        mentionsMeta: false,
        includeMeta: false,
      }),
  }
}
