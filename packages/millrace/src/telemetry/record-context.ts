/**
 * The context of a trace in the headers of records: `traceparent`, and whatever else the propagators of the program write.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
import type { Context, Link, TextMapGetter, TextMapSetter } from '@opentelemetry/api'
import type { Batch } from '../records/batch.ts'
import type { TelemetryApi } from './api.ts'

/** Headers to which a propagator adds. */
export type ContextHeaders = (readonly [name: string, value: Uint8Array | string | null])[]

type Headers = readonly (readonly [name: string, value: Uint8Array | string | null])[]

/** Most spans keep so many links. */
const MOST_LINKS = 128

const READ: TextMapGetter<Headers> = {
  keys: (headers) => headers.map(([name]) => name),
  get(headers, wanted) {
    const value = headers.findLast(([name]) => name.toLowerCase() === wanted.toLowerCase())?.[1]
    if (value === undefined || value === null) return undefined
    return typeof value === 'string' ? value : Buffer.from(value).toString()
  },
}

const WRITE: TextMapSetter<ContextHeaders> = {
  set(headers, name, value) {
    headers.push([name, value])
  },
}

/** The headers that carry a context; none without a propagator. */
export function headersOf(api: TelemetryApi, context: Context): ContextHeaders {
  const headers: ContextHeaders = []
  api.propagation.inject(context, headers, WRITE)
  return headers
}

/** The context that the headers of a record carry. */
export function contextOf(api: TelemetryApi, headers: Headers): Context {
  return api.propagation.extract(api.ROOT_CONTEXT, headers, READ)
}

/** Links to the spans that wrote records, each once. */
export function linksOf(api: TelemetryApi, records: Iterable<Headers>): Link[] {
  const links = new Map<string, Link>()
  for (const headers of records) {
    if (headers.length === 0) continue
    const context = api.trace.getSpanContext(contextOf(api, headers))
    if (context === undefined || !api.isSpanContextValid(context)) continue
    links.set(context.spanId, { context })
    if (links.size === MOST_LINKS) break
  }
  return [...links.values()]
}

/** Headers of each record of a batch. */
export function* headersIn(batch: Batch): Generator<Headers> {
  for (let row = 0; row < batch.length; row++) yield batch.headers(row)
}
