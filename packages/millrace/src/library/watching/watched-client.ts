/** How a `KafkaSource` or `KafkaSink` is watched. */
import { FailureLog } from '../../engine/watching/failure-log.ts'
import { Counters } from '../../metrics/counters.ts'
import type { Report, Watched } from '../for-watching.ts'
import type { Watching } from '../shared-connection.ts'
import { exportMetrics } from './client-telemetry.ts'
import type { ServedPipeline } from './program-pipeline.ts'
import { ReadTimes } from './read-times.ts'
import { WriteTimes } from './write-times.ts'

export class WatchedClient implements Watched {
  readonly failures = new FailureLog('HANDLER_FAILED')
  readonly connections = new Counters()
  readonly reads = new ReadTimes()
  readonly writes = new WriteTimes()
  readonly #reports = new Set<Report>()

  onReport(report: Report): () => void {
    this.#reports.add(report)
    return () => this.#reports.delete(report)
  }

  readonly report: Report = (level, message, facts) => {
    for (const report of this.#reports) report(level, message, facts)
  }

  /** How it is watched from the moment that it connects. @param name the label `pipeline` */
  watching(name: string, client: ServedPipeline): Watching {
    return { connections: this.connections, begin: () => exportMetrics(name, client) }
  }
}
