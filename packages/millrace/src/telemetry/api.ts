/**
 * OpenTelemetry, where the program has registered it: spans of batches (`batch-span.ts`), the context of records (`record-context.ts`) and
 * instruments (`instruments.ts`). Only its API is used, an optional peer dependency; exporters are the program's business, or those of the
 * command line. May import `metrics/` and `records/`.
 *
 * While nothing is registered, `@opentelemetry/api` is not even loaded: a batch costs one look at a global object.
 */
import type * as Api from '@opentelemetry/api'

export type TelemetryApi = typeof Api

/** Where every copy of the API keeps what a program has registered. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1')

interface Registry {
  readonly trace?: unknown
  readonly metrics?: unknown
}

let api: TelemetryApi | undefined
let loading: Promise<TelemetryApi | undefined> | undefined

/** The API, if a program has registered what records traces; undefined while it is being loaded, too. */
export function tracingApi(): TelemetryApi | undefined {
  const registry = (globalThis as { readonly [REGISTRY]?: Registry })[REGISTRY]
  if (registry?.trace === undefined) return undefined
  if (api === undefined) loading ??= load()
  return api
}

/** Whether a batch would have a span. */
export function isTracing(): boolean {
  return tracingApi() !== undefined
}

/** Loads the API, if a program has registered anything: clients do so when they connect, so that their first batches have spans. */
export async function loadTelemetry(): Promise<TelemetryApi | undefined> {
  if ((globalThis as { readonly [REGISTRY]?: Registry })[REGISTRY] === undefined) return undefined
  return (loading ??= load())
}

/** Whether a program has registered what collects metrics. */
export function collectsMetrics(): boolean {
  return (globalThis as { readonly [REGISTRY]?: Registry })[REGISTRY]?.metrics !== undefined
}

/** Something is registered, so the package is somewhere; if it cannot be found from here, there is no telemetry. */
async function load(): Promise<TelemetryApi | undefined> {
  api = await import('@opentelemetry/api').catch(() => undefined)
  return api
}
