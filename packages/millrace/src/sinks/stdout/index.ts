/**
 * Prints records to standard output.
 *
 * Values are printed as they are; whoever looks at the output decides by `format` how much is done to them. A value that is
 * not JSON is printed as text.
 */
import type { Sink, SinkProgress } from '../../contracts/sink.ts'
import type { Batch } from '../../records/batch.ts'
import { defineSink } from '../../contracts/definitions.ts'
import { isExact, parseExactly } from '../../records/exact-numbers.ts'
import type { Options } from '../../options/declaration.ts'
import { isObject } from '../../options/values.ts'
import { stdoutSinkDefinition } from './options.ts'
import { writeOut } from '../standard-output.ts'

type StdoutOptions = Options<(typeof stdoutSinkDefinition)['options']>

export const stdoutSink = defineSink({
  ...stdoutSinkDefinition,
  create: (chosen) => new StdoutSink(chosen),
})

class StdoutSink implements Sink {
  readonly valueCodec = 'json'
  readonly includeMeta = false
  readonly needsDocuments = false
  readonly partitions = 'all records go to standard output, in the order in which their batches arrive'
  readonly writesRecordBatches = false
  readonly #options: StdoutOptions
  #columns: readonly string[] | undefined
  #last: Promise<void> = Promise.resolve()
  #records = 0
  #bytes = 0

  constructor(chosen: StdoutOptions) {
    this.#options = chosen
  }

  async open(): Promise<void> {}

  async write(batch: Batch): Promise<void> {
    let text = ''
    for (let row = 0; row < batch.length; row++) text += `${this.#lineOf(batch, row)}\n`
    this.#last = writeOut(text)
    await this.#last
    this.#records += batch.length
    this.#bytes += Buffer.byteLength(text)
  }

  async flush(): Promise<void> {
    await this.#last
  }

  async close(): Promise<void> {}

  progress(): SinkProgress {
    return { records: this.#records, bytes: this.#bytes }
  }

  #lineOf(batch: Batch, row: number): string {
    const { format, include_metadata: hasMetadata, include_timestamp: hasTimestamp } = this.#options
    const payload = batch.payloads?.[row]
    const stored = payload === undefined ? batch.value(row) : payload
    const text = stored === null ? 'null' : stored.toString()
    const time = hasTimestamp ? { timestamp: timeOf(batch, row) } : {}
    const metadata = hasMetadata ? { metadata: metadataOf(batch, row) } : {}
    const around = { ...time, ...metadata }
    if (format === 'text') return [...Object.values(around).map(cell), text].join('\t')
    if (format === 'tsv') return this.#tableRow({ ...time, ...(hasMetadata ? metadataOf(batch, row) : {}) }, text)
    const isBare = !hasMetadata && !hasTimestamp
    if (format === 'json' && isBare) return oneLine(text)
    const data = parsed(text)
    return JSON.stringify(isBare ? data : { ...around, data }, undefined, format === 'pretty' ? 2 : undefined)
  }

  #tableRow(around: { readonly [name: string]: unknown }, text: string): string {
    const data = parsed(text)
    const own = isObject(data) && !isExact(data) ? Object.entries(data) : [['value', data] as const]
    // A field that has the name of something about the record stands beside it, not in its place.
    const named = own.map(([name, value]) => [Object.hasOwn(around, name) ? `data.${name}` : name, value] as const)
    const fields: { readonly [name: string]: unknown } = { ...around, ...Object.fromEntries(named) }
    const isFirst = this.#columns === undefined
    const columns = (this.#columns ??= Object.keys(fields))
    const row = columns.map((name) => cell(fields[name])).join('\t')
    return isFirst ? `${columns.map(cell).join('\t')}\n${row}` : row
  }
}

function timeOf(batch: Batch, row: number): string | null {
  const ms = batch.timestampMs(row)
  return ms < 0 ? null : new Date(ms).toISOString()
}

function metadataOf(batch: Batch, row: number): { readonly [name: string]: unknown } {
  return {
    topic: batch.topic,
    partition: batch.partition,
    offset: Number(batch.offset(row)),
    timestamp: batch.timestampMs(row),
    key: batch.key(row)?.toString() ?? null,
    headers: batch.headers(row).map(([name, value]) => [name, value?.toString() ?? null]),
  }
}

/** JSON in one line; text that is not JSON as JSON text. */
function oneLine(text: string): string {
  const value = parsed(text)
  return value === text || text.includes('\n') ? JSON.stringify(value) : text
}

function parsed(text: string): unknown {
  try {
    return parseExactly(text)
  } catch {
    return text
  }
}

function cell(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
  return text.replace(/[\t\r\n]+/g, ' ')
}
