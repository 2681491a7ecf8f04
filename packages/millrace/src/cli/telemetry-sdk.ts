/** Starts the SDK of OpenTelemetry as the variables say. Every package is loaded here, and only here. */
import type { TextMapPropagator } from '@opentelemetry/api'
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace'
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics'
import { ConfigError } from '../errors/index.ts'
import { Counters } from '../metrics/counters.ts'
import type { Report } from '../metrics/events.ts'
import { observeProcess } from '../metrics/process.ts'
import { loadTelemetry } from '../telemetry/api.ts'
import { observeCounters } from '../telemetry/instruments.ts'
import type { Environment, Telemetry, TelemetryPlan } from './telemetry.ts'

/** How long a run that has ended waits for the collector. */
const CLOSE_MS = 5000

type Trace = typeof import('@opentelemetry/sdk-trace')

/** @throws {Error} `ERR_MODULE_NOT_FOUND` when a package is missing; {ConfigError} for values that cannot be used */
export async function startSdk(
  plan: TelemetryPlan,
  version: string,
  warn: Report,
  environment: Environment,
): Promise<Telemetry> {
  const [api, trace, metrics, { detectResources, envDetector, resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/resources'),
  ])
  const own = resourceFromAttributes({ 'service.name': 'millrace', 'service.version': version })
  const resource = own.merge(detectResources({ detectors: [envDetector] }))
  const closing: (() => Promise<void>)[] = []
  const ending: (() => void)[] = []
  if (plan.traces !== 'none') {
    const exporter = await spanExporter(plan, trace)
    reportFailures('traces', exporter, warn)
    const provider = new trace.TracerProvider({
      resource,
      sampler: samplerOf(trace, environment),
      spanProcessors: [new trace.BatchSpanProcessor({ exporter, ...batchOptions(environment) })],
    })
    api.trace.setGlobalTracerProvider(provider)
    api.propagation.setGlobalPropagator(await propagatorOf(environment))
    closing.push(() => provider.shutdown())
  }
  let observe: Telemetry['observe'] = async () => {}
  if (plan.metrics !== 'none') {
    const exporter = await metricExporter(plan, metrics)
    reportFailures('metrics', exporter, warn)
    const intervalMs = numberOf(environment, 'OTEL_METRIC_EXPORT_INTERVAL') ?? 60_000
    const timeoutMs = numberOf(environment, 'OTEL_METRIC_EXPORT_TIMEOUT') ?? 30_000
    const reader = new metrics.PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: intervalMs,
      exportTimeoutMillis: Math.min(timeoutMs, intervalMs),
    })
    const provider = new metrics.MeterProvider({ resource, readers: [reader] })
    api.metrics.setGlobalMeterProvider(provider)
    const process = new Counters()
    ending.push(observeProcess(process, version), observeCounters(provider, process))
    observe = async (counters) => void observeCounters(provider, counters)
    closing.push(() => provider.shutdown())
  }
  await loadTelemetry()
  return {
    observe,
    async close() {
      // What cannot be exported is lost: it must not keep a run from ending.
      const timeUp = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), CLOSE_MS).unref())
      const closed = await Promise.race([Promise.allSettled(closing.map((close) => close())), timeUp])
      if (closed === 'late')
        warn(`Cannot export the last traces and metrics as the collector has not responded within ${CLOSE_MS / 1000} s`)
      for (const end of ending) end()
      for (const registered of [api.trace, api.metrics, api.propagation]) registered.disable()
    },
  }
}

/** What an exporter calls back with: 0 for success. */
interface Exported {
  readonly code: number
  readonly error?: Error
}

/** Warns of the first of failures that follow one another. Without that, a wrong address or token looks like a pipeline that does nothing. */
function reportFailures<T>(
  what: string,
  exporter: { export(items: T, done: (result: Exported) => void): void },
  warn: Report,
): void {
  const send = exporter.export.bind(exporter)
  let hasFailed = false
  exporter.export = (items, done) =>
    send(items, (result) => {
      const fails = result.code !== 0
      if (fails && !hasFailed) warn(`Cannot export ${what}: ${result.error?.message ?? 'the exporter gives no reason'}`)
      hasFailed = fails
      done(result)
    })
}

async function spanExporter({ traces, protocols }: TelemetryPlan, trace: Trace): Promise<SpanExporter> {
  if (traces === 'console') return new trace.ConsoleSpanExporter()
  const { OTLPTraceExporter } =
    protocols.traces === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto')
  return new OTLPTraceExporter()
}

async function metricExporter(
  { metrics, protocols }: TelemetryPlan,
  sdk: typeof import('@opentelemetry/sdk-metrics'),
): Promise<PushMetricExporter> {
  if (metrics === 'console') return new sdk.ConsoleMetricExporter()
  const { OTLPMetricExporter } =
    protocols.metrics === 'http/json'
      ? await import('@opentelemetry/exporter-metrics-otlp-http')
      : await import('@opentelemetry/exporter-metrics-otlp-proto')
  return new OTLPMetricExporter()
}

/** @throws {ConfigError} for a sampler that does not exist */
function samplerOf(trace: Trace, environment: Environment): Sampler {
  const name = environment['OTEL_TRACES_SAMPLER']?.trim() || 'parentbased_always_on'
  const ratio = numberOf(environment, 'OTEL_TRACES_SAMPLER_ARG') ?? 1
  const roots: { readonly [name: string]: () => Sampler } = {
    always_on: () => new trace.AlwaysOnSampler(),
    always_off: () => new trace.AlwaysOffSampler(),
    traceidratio: () => new trace.TraceIdRatioBasedSampler(ratio),
  }
  const root = roots[name.replace(/^parentbased_/, '')]
  if (root === undefined)
    throw new ConfigError(
      `Cannot sample traces as OTEL_TRACES_SAMPLER must be always_on, always_off, traceidratio or one of these behind "parentbased_": current value is "${name}"`,
    )
  return name.startsWith('parentbased_') ? new trace.ParentBasedSampler({ root: root() }) : root()
}

/** @throws {ConfigError} for a propagator that does not exist */
async function propagatorOf(environment: Environment): Promise<TextMapPropagator> {
  const core = await import('@opentelemetry/core')
  const names = (environment['OTEL_PROPAGATORS']?.trim() || 'tracecontext,baggage')
    .split(',')
    .map((name) => name.trim())
  const propagators = names.flatMap((name) => {
    if (name === 'none') return []
    if (name === 'tracecontext') return new core.W3CTraceContextPropagator()
    if (name === 'baggage') return new core.W3CBaggagePropagator()
    throw new ConfigError(
      `Cannot read the context of records as OTEL_PROPAGATORS must be a list of tracecontext and baggage, or none: current value is "${name}"`,
    )
  })
  return new core.CompositePropagator({ propagators })
}

function batchOptions(environment: Environment): { [option: string]: number } {
  const options = {
    scheduledDelayMillis: numberOf(environment, 'OTEL_BSP_SCHEDULE_DELAY'),
    exportTimeoutMillis: numberOf(environment, 'OTEL_BSP_EXPORT_TIMEOUT'),
    maxQueueSize: numberOf(environment, 'OTEL_BSP_MAX_QUEUE_SIZE'),
    maxExportBatchSize: numberOf(environment, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
  }
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, number] => entry[1] !== undefined),
  )
}

/** @throws {ConfigError} for what is no number */
function numberOf(environment: Environment, name: string): number | undefined {
  const text = environment[name]?.trim()
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new ConfigError(`Cannot read ${name} as it must be a number of at least 0: current value is "${text}"`)
}
