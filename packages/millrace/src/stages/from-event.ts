/**
 * `$fromEvent`: takes values out of the event envelope of Rivven, so that the record goes out that once came in. Events
 * that carry no record (`state`, `log`, `schema`) are dropped; a value that is no event passes as it is.
 */
import type { RowFailed, Stage } from '../contracts/stage.ts'
import type { Batch, Payload } from '../records/batch.ts'
import { BatchWriter } from '../records/batch-writer.ts'
import { isControlEvent, parseEvent, valueOf, type HubEvent } from '../events/envelope.ts'
import { parseExactly, stringifyExactly } from '../records/exact-numbers.ts'
import { applyTransforms } from '../events/apply-transforms.ts'
import type { Options } from '../options/declaration.ts'
import type { Header } from '../records/record.ts'
import { documentsOf, valueOfRow } from './event-documents.ts'
import type { fromEventFields } from './definitions/events.ts'
import { stageFailed } from './rows.ts'

export class FromEventStage implements Stage {
  readonly name = '$fromEvent'
  readonly needs = 'metadata'
  readonly does = 'takes each value out of its event; headers and time stay'
  readonly changesKeys: boolean
  readonly #options: Options<typeof fromEventFields>
  readonly #customHeaders: readonly Header[]

  constructor(options: Options<typeof fromEventFields>) {
    this.#options = options
    this.changesKeys = options.keyField !== undefined
    this.#customHeaders = Object.entries(options.customHeaders ?? {}).map(([name, text]) => [name, Buffer.from(text)])
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    const writer = new BatchWriter(batch, 256)
    const kept: number[] = []
    for (let row = 0; row < batch.length; row++) {
      try {
        if (this.#write(batch, row, writer)) kept.push(row)
      } catch (error) {
        stageFailed(batch, row, this.name, error, failed)
      }
    }
    return documentsOf(writer.finish(), batch, kept)
  }

  #write(batch: Batch, row: number, writer: BatchWriter): boolean {
    const { transforms, keyField } = this.#options
    const stored = valueOfRow(batch, row)
    const text = stored === null ? undefined : stored.toString()
    const parsed = text === undefined ? undefined : parseEvent(text)
    const event = parsed ?? this.#bareEvent(batch, text)
    if (isControlEvent(event) || !applyTransforms(event, transforms)) return false
    let value: Payload
    if (parsed !== undefined) value = valueOf(event, transforms.length === 0 ? text : undefined)
    else value = transforms.length === 0 || text === undefined ? stored : stringifyExactly(event.data)
    writer.add(row, {
      value,
      headers: this.#headersOf(event),
      // A tombstone has no field to take the key from, and means nothing without its own.
      ...(keyField === undefined || value === null ? {} : { key: keyOf(event.data, keyField) }),
    })
    return true
  }

  /** The event for a value that is none. */
  #bareEvent(batch: Batch, text: string | undefined): HubEvent {
    const event: HubEvent = { event_type: 'record', stream: batch.topic, data: null }
    if (text === undefined || (this.#options.keyField === undefined && this.#options.transforms.length === 0))
      return event
    try {
      return { ...event, data: parseExactly(text) }
    } catch {
      return { ...event, data: text, metadata: { kafka_encoding: 'text' } }
    }
  }

  #headersOf(event: HubEvent): readonly Header[] {
    if (!this.#options.includeHeaders) return this.#customHeaders
    const { stream, event_type: type, namespace, metadata = {} } = event
    const texts: [name: string, value: unknown][] = [
      ['rivven_stream', stream],
      ['rivven_event_type', type],
      ['rivven_namespace', namespace],
      ['rivven_position', metadata['position']],
      ['rivven_transaction_id', metadata['transaction_id']],
    ]
    const own = texts.filter(([, value]) => value !== undefined && value !== null)
    return [...this.#customHeaders, ...own.map(([name, value]): Header => [name, Buffer.from(String(value))])]
  }
}

/** A field of the data by its name, or by a dotted path. */
function keyOf(data: unknown, path: string): Payload {
  let value = data
  for (const name of isObject(data) && Object.hasOwn(data, path) ? [path] : path.split('.'))
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  if (value === undefined) return null
  return typeof value === 'string' ? value : stringifyExactly(value)
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
