/**
 * OpenTelemetry, where the program has registered it: spans of batches (`batch-span.ts`), the context of records (`record-context.ts`) and
 * instruments (`instruments.ts`). Only its API is used, an optional peer dependency; exporters are the program's business, or those of the
 * command line. May import `metrics/` and `records/`.
 *
 * While nothing is registered, `@opentelemetry/api` is not even loaded, and a batch costs a look at a variable.
 */
import type * as Api from '@opentelemetry/api'

export type TelemetryApi = typeof Api

/** Where every copy of the API keeps what a program has registered. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1')

/** It stays the same once it is there; what is registered comes and goes. */
interface Registry {
  readonly trace?: unknown
  readonly metrics?: unknown
}

let registry: Registry | undefined
let api: TelemetryApi | undefined
let loading: Promise<TelemetryApi | undefined> | undefined

/** The API, if a program has registered what records traces. What it registers first after the last client has connected is not seen. */
export function tracingApi(): TelemetryApi | undefined {
  return registry?.trace === undefined ? undefined : api
}

/** Whether a batch would have a span. */
export function isTracing(): boolean {
  return tracingApi() !== undefined
}

/** Whether a program has registered what collects metrics. */
export function collectsMetrics(): boolean {
  return registry?.metrics !== undefined
}

/** Loads the API, if a program has registered anything. Clients do so when they connect: their first batches have spans. */
export async function loadTelemetry(): Promise<TelemetryApi | undefined> {
  registry ??= (globalThis as { readonly [REGISTRY]?: Registry })[REGISTRY]
  return registry === undefined ? undefined : (loading ??= load())
}

/** Something is registered, so the package is somewhere; if it cannot be found from here, there is no telemetry. */
async function load(): Promise<TelemetryApi | undefined> {
  api = await import('@opentelemetry/api').catch(() => undefined)
  return api
}
