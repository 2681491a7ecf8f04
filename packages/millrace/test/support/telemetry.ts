/** OpenTelemetry as a program registers it, with exporters that keep everything in memory. */
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Context,
  context,
  type ContextManager,
  metrics,
  propagation,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { loadTelemetry } from '../../src/telemetry/api.ts'

export interface RegisteredTelemetry {
  readonly spans: readonly ReadableSpan[]
  spansNamed(name: string): readonly ReadableSpan[]
  /** Collects now. */
  metrics(): Promise<readonly MetricData[]>
  /** Nothing is registered afterwards. */
  [Symbol.asyncDispose](): Promise<void>
}

export async function registerTelemetry(): Promise<RegisteredTelemetry> {
  const exporter = new InMemorySpanExporter()
  const tracers = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })
  const meters = new MeterProvider({ readers: [reader] })
  trace.setGlobalTracerProvider(tracers)
  metrics.setGlobalMeterProvider(meters)
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  context.setGlobalContextManager(new AsyncContexts())
  await loadTelemetry()
  return {
    get spans() {
      return exporter.getFinishedSpans()
    },
    spansNamed: (name) => exporter.getFinishedSpans().filter((span) => span.name === name),
    async metrics() {
      await reader.forceFlush()
      return metricExporter
        .getMetrics()
        .at(-1)!
        .scopeMetrics.flatMap((scope) => scope.metrics)
    },
    async [Symbol.asyncDispose]() {
      for (const each of [trace, metrics, propagation, context]) each.disable()
      await Promise.all([tracers.shutdown(), meters.shutdown()])
    },
  }
}

class AsyncContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    act: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(active, () => act.call(thisArg, ...args))
  }

  bind<T>(_: Context, target: T): T {
    return target
  }

  enable(): this {
    return this
  }

  disable(): this {
    return this
  }
}
