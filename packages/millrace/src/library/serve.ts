/**
 * `serve`: metrics, health, status and the dashboard of a program's own sources and sinks.
 *
 * ```ts
 * await using server = await serve('127.0.0.1:9600', { billing: { source, sink } })
 * console.log(server.url)
 * ```
 */
import { ConfigError } from '../errors/index.ts'
import { eventOf } from '../metrics/events.ts'
import { parseHttpAddress } from '../options/http-address.ts'
import { FOR_WATCHING } from './for-watching.ts'
import {
  ProgramPipeline,
  type ServedPipeline,
  type ServedSink,
  type ServedSource,
} from './watching/program-pipeline.ts'

/** Where and how `serve` listens. */
export interface ServeOptions {
  /** A port, or an address such as `127.0.0.1:9600`; without a host only this machine can connect. Port 0 is any free one. */
  readonly listen: string | number
  /** Bearer token that clients must send; `/live`, `/ready` and the files of the dashboard are open without it. */
  readonly token?: string
  /** Whether there are metrics by partition; for at most 100 of a source when omitted. */
  readonly partitionMetrics?: boolean
  /** Shows nothing of keys, values and headers of records, nor error messages that may quote them. */
  readonly hideValues?: boolean
}

/** A server that runs. It does not keep the process alive. */
export interface HttpServer {
  /** For instance `http://127.0.0.1:9600`. */
  readonly url: string
  /** Ends it, and all connections. May be called twice. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves `/metrics`, `/live`, `/ready`, `/status` and the dashboard.
 *
 * @param where port or address, or an object with `listen` and `token`
 * @param pipelines by name, which is the label `pipeline` of the metrics
 * @throws {ConfigError} when the address is none; {ConnectionError} `HTTP_UNAVAILABLE` when it is taken
 */
export async function serve(
  where: string | number | ServeOptions,
  pipelines: { readonly [name: string]: ServedPipeline },
): Promise<HttpServer> {
  const { listen, token, hideValues, partitionMetrics } = typeof where === 'object' ? where : { listen: where }
  const address = parseHttpAddress(listen)
  if (address === undefined)
    throw new ConfigError(`Cannot serve at "${listen}" as it must be a port, or an address such as "127.0.0.1:9600"`)
  const { Monitor, ownVersion, startServer } = await import('../serve/index.ts')
  const monitor = new Monitor(await ownVersion(), hideValues)
  const clients = new Set<ServedSource | ServedSink | undefined>()
  for (const [name, pipeline] of Object.entries(pipelines)) {
    monitor.add(new ProgramPipeline(name, pipeline, partitionMetrics))
    clients.add(pipeline.source).add(pipeline.sink)
  }
  const server = await startServer(monitor, { ...address, token })
  const ends = Array.from(clients, (client) =>
    client?.[FOR_WATCHING]?.onReport((level, message, facts) => {
      // Connections come and go: what matters of them is a warning.
      if (level !== 'info' || eventOf(facts.event).isMarked === true) monitor.event(level, message, facts)
    }),
  )
  const close = (): Promise<void> => {
    for (const end of ends) end?.()
    return server.close()
  }
  return { url: server.url, close, [Symbol.asyncDispose]: close }
}
