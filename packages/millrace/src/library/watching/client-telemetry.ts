/** The metrics of a `KafkaSource` or `KafkaSink` as instruments of OpenTelemetry, if the program has registered what collects them. */
import { collectsMetrics, loadTelemetry } from '../../telemetry/api.ts'
import { ProgramPipeline, type ServedPipeline } from './program-pipeline.ts'

/**
 * Also loads what spans need, so that the first batch has one.
 * @param name the label `pipeline`
 * @returns ends it; undefined where nothing is registered
 */
export async function exportMetrics(name: string, client: ServedPipeline): Promise<(() => void) | undefined> {
  const api = await loadTelemetry()
  if (api === undefined || !collectsMetrics()) return undefined
  const { observeCounters } = await import('../../telemetry/instruments.ts')
  const pipeline = new ProgramPipeline(name, client, undefined)
  return observeCounters(api.metrics.getMeterProvider(), pipeline.counters, () => pipeline.refresh())
}
