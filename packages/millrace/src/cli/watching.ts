/** Serves what there is to see of a run, where its file or the command line asks for it. */
import type { HttpPlan, RunOptions } from '../engine/plan.ts'
import { Counters } from '../metrics/counters.ts'
import type { Report } from '../metrics/events.ts'

const WHAT = { metrics: 'Metrics', health: 'Health', all: 'Metrics, health and the dashboard' } as const

export interface Watching {
  /** For the run. */
  readonly options: Pick<RunOptions, 'metrics' | 'onPipeline'>
  readonly warn: Report
  readonly inform: Report
  close(): Promise<void>
}

/**
 * Starts the servers. Without any, nothing is loaded.
 * @throws {ConnectionError} `HTTP_UNAVAILABLE`
 */
export async function startWatching(
  plans: readonly HttpPlan[],
  version: string,
  display: { readonly warn: Report; readonly info: Report },
): Promise<Watching> {
  if (plans.length === 0) return { options: {}, warn: display.warn, inform: display.info, close: async () => {} }
  const { Monitor, startServer } = await import('../serve/index.ts')
  const monitor = new Monitor(
    version,
    plans.some(({ hideValues }) => hideValues === true),
  )
  const partitionMetrics = plans.find((plan) => plan.partitionMetrics !== undefined)?.partitionMetrics
  const servers: Awaited<ReturnType<typeof startServer>>[] = []
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()))
  }
  try {
    for (const plan of plans) {
      const server = await startServer(monitor, plan)
      servers.push(server)
      const what = WHAT[plan.rivven?.serves ?? 'all']
      display.info(`${what} at ${server.url}`, { event: 'http.listening', url: server.url })
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    options: { metrics: new Counters({ partitionMetrics }), onPipeline: (pipeline) => monitor.add(pipeline) },
    warn(message, facts) {
      monitor.event('warn', message, facts)
      display.warn(message, facts)
    },
    inform(message, facts) {
      monitor.event('info', message, facts)
      display.info(message, facts)
    },
    close,
  }
}
