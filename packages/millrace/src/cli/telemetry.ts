/**
 * The SDK of OpenTelemetry for `run`, configured by the usual `OTEL_*` variables. It is loaded only if they ask for it, and its packages are
 * the user's to install.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
import { ConfigError } from '../errors/index.ts'
import type { Counters } from '../metrics/counters.ts'
import type { Report } from '../metrics/events.ts'

export type Environment = { readonly [name: string]: string | undefined }

/** What the user has to install. */
const PACKAGES = ['api', 'core', 'resources', 'sdk-metrics', 'sdk-trace'] as const

export interface Telemetry {
  /** Exports the metrics of a run. */
  observe(counters: Counters): Promise<void>
  /** Exports what is left, within some seconds. */
  close(): Promise<void>
}

type Exporter = 'otlp' | 'console' | 'none'
type Protocol = 'http/protobuf' | 'http/json'

/** What the variables ask for. */
export interface TelemetryPlan {
  readonly traces: Exporter
  readonly metrics: Exporter
  readonly protocols: { readonly traces: Protocol; readonly metrics: Protocol }
}

/**
 * An endpoint or the name of an exporter turns telemetry on. `OTEL_SDK_DISABLED` turns it off.
 * @returns undefined when they ask for nothing
 * @throws {ConfigError} for an exporter or a protocol that is not supported
 */
export function telemetryPlan(environment: Environment): TelemetryPlan | undefined {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined
  const [traces, metrics] = [exporterOf('TRACES', environment), exporterOf('METRICS', environment)]
  if (traces === 'none' && metrics === 'none') return undefined
  const protocols = { traces: protocolOf('TRACES', environment), metrics: protocolOf('METRICS', environment) }
  return { traces, metrics, protocols }
}

function exporterOf(signal: 'TRACES' | 'METRICS', environment: Environment): Exporter {
  const name = `OTEL_${signal}_EXPORTER`
  const given = valueOf(environment, name)
  if (given === 'otlp' || given === 'console' || given === 'none') return given
  if (given !== undefined)
    throw new ConfigError(
      `Cannot export telemetry as ${name} must be otlp, console or none: current value is "${given}"`,
    )
  const endpoint =
    valueOf(environment, 'OTEL_EXPORTER_OTLP_ENDPOINT') ?? valueOf(environment, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`)
  return endpoint === undefined ? 'none' : 'otlp'
}

function protocolOf(signal: 'TRACES' | 'METRICS', environment: Environment): Protocol {
  const own = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`
  const name = valueOf(environment, own) === undefined ? 'OTEL_EXPORTER_OTLP_PROTOCOL' : own
  const given = valueOf(environment, name) ?? 'http/protobuf'
  if (given === 'http/protobuf' || given === 'http/json') return given
  throw new ConfigError(
    `Cannot export telemetry as ${name} must be http/protobuf or http/json: current value is "${given}"`,
  )
}

function valueOf(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim()
  return value === '' ? undefined : value
}

/**
 * Starts what a plan asks for, and registers it.
 * @param warn gets what cannot be exported
 * @throws {ConfigError} when packages are missing, and says which
 */
export async function startTelemetry(
  plan: TelemetryPlan,
  version: string,
  warn: Report,
  environment: Environment = process.env,
): Promise<Telemetry> {
  const { startSdk } = await import('./telemetry-sdk.ts')
  return startSdk(plan, version, warn, environment).catch((error: unknown) => {
    if (!isMissing(error)) throw error
    const packages = [...PACKAGES, ...exportersOf(plan)].map((name) => `@opentelemetry/${name}`)
    throw new ConfigError(
      `Cannot export telemetry, which OTEL_* variables ask for, as packages are missing: run "npm install ${packages.join(' ')}", or set OTEL_SDK_DISABLED=true`,
      [],
      { cause: error },
    )
  })
}

function exportersOf({ traces, metrics, protocols }: TelemetryPlan): string[] {
  const suffix = (protocol: Protocol): string => (protocol === 'http/json' ? 'http' : 'proto')
  return [
    ...(traces === 'otlp' ? [`exporter-trace-otlp-${suffix(protocols.traces)}`] : []),
    ...(metrics === 'otlp' ? [`exporter-metrics-otlp-${suffix(protocols.metrics)}`] : []),
  ]
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
}
