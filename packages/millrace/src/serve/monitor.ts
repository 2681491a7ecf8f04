/**
 * Watches the pipelines of a process: keeps their last five minutes and the latest events, and answers what there is to know.
 *
 * It looks once a second, and only while a server runs. Nothing here is called per record or per batch.
 */
import type { RecordText } from '../engine/watching/record-text.ts'
import type { StageSample } from '../engine/watching/stage-tap.ts'
import type { WatchedPipeline } from '../engine/watching/watched-pipeline.ts'
import { Counters } from '../metrics/counters.ts'
import { type EventFacts, type EventName, eventOf } from '../metrics/events.ts'
import { metricsSnapshot, type MetricsSnapshot } from '../metrics/json.ts'
import { prometheusText } from '../metrics/prometheus.ts'
import { observeProcess } from '../metrics/process.ts'
import { inBackground } from '../resilience/background.ts'
import { type Reason, reasonsOf } from './health.ts'
import { HeldPartitions } from './held-partitions.ts'
import { History, type HistoryPoint } from './history.ts'
import { Moment } from './moment.ts'
import { pipelineStatus, type PipelineStatus } from './status.ts'

const LOOK_MS = 1000
const MOST_EVENTS = 100
/** To ask the system for these takes several times as long as all else that a snapshot needs. */
const USAGE_MS = 5000

/** Something that happened. */
export interface MonitoredEvent {
  /** ISO 8601. */
  readonly at: string
  readonly level: 'info' | 'warn' | 'error'
  readonly event: EventName
  readonly message: string
  /** Whether charts mark it. */
  readonly isMarked: boolean
}

/** What the process takes. */
interface Usage {
  readonly residentBytes: number
  readonly heapBytes: number
  readonly cpuSeconds: number
}

/** What `/status` says. */
export interface Status {
  readonly version: string
  readonly pid: number
  /** ISO 8601. */
  readonly at: string
  readonly uptimeSeconds: number
  readonly ready: boolean
  readonly process: Usage & {
    /** How late the event loop was at most, in the last second. */
    readonly delaySeconds: number
  }
  readonly pipelines: readonly PipelineStatus[]
  /** The latest last. */
  readonly events: readonly MonitoredEvent[]
}

/** What `/records` says of a stage. */
export interface StageRecords {
  /** ISO 8601. */
  readonly at: string
  /** Whether values are replaced. */
  readonly isHidden: boolean
  /** The latest last. */
  readonly samples: readonly StageSample[]
}

/** What `/records` says of a failure. */
export interface FailedRecord {
  readonly isHidden: boolean
  readonly record: RecordText
}

interface Watched {
  readonly pipeline: WatchedPipeline
  readonly history: History
  readonly held: HeldPartitions
  /** Records read and written when that changed last, and when that was. */
  progress: number
  progressAt: number
}

export class Monitor {
  readonly version: string
  readonly #hidesValues: boolean
  readonly #process = new Counters()
  readonly #pipelines = new Map<string, Watched>()
  readonly #events: MonitoredEvent[] = []
  readonly #listeners = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined
  #endProcess: (() => void) | undefined
  #due = 0
  #usage: { readonly at: number; readonly values: Usage } | undefined
  /** While the snapshot of a look is made. */
  #moment: Moment | undefined
  #delaySeconds = 0

  /**
   * @param version of Millrace
   * @param hidesValues whether nothing of keys, values and headers is shown, nor messages that may quote them
   */
  constructor(version: string, hidesValues = false) {
    this.version = version
    this.#hidesValues = hidesValues
  }

  /** Follows a pipeline, in place of an earlier one of the same name. */
  add(pipeline: WatchedPipeline): void {
    this.#pipelines.set(pipeline.name, {
      pipeline,
      history: new History(pipeline.name),
      held: new HeldPartitions(),
      progress: -1,
      progressAt: performance.now(),
    })
    pipeline.failures.keepRecords(this.#hidesValues)
    pipeline.counters
      .meter({ pipeline: pipeline.name })
      .observe('millrace_pipeline_ready_state', () => (this.#reasons(pipeline.name).length === 0 ? 1 : 0))
  }

  event(level: MonitoredEvent['level'], message: string, { event = 'warning', code }: EventFacts = {}): void {
    const isHidden = this.#hidesValues && event === 'record.skipped'
    const shown = isHidden ? `A record was skipped: ${String(code)}` : message
    this.#events.push({
      at: new Date().toISOString(),
      level,
      event,
      message: shown,
      isMarked: eventOf(event).isMarked === true,
    })
    if (this.#events.length > MOST_EVENTS) this.#events.shift()
  }

  /** Begins to look once a second. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#endProcess = observeProcess(this.#process, this.version)
    this.#due = performance.now() + LOOK_MS
    this.#timer = setInterval(() => inBackground(this.look(), () => {}), LOOK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#endProcess?.()
  }

  /** Once a second while a server runs. */
  async look(): Promise<void> {
    const now = performance.now()
    this.#delaySeconds = Math.max(0, now - this.#due) / 1000
    this.#due = now + LOOK_MS
    await this.refresh()
    const moment = new Moment(this.#counters)
    this.#follow(moment, now)
    this.#moment = moment
    try {
      for (const listener of this.#listeners) listener()
    } finally {
      this.#moment = undefined
    }
  }

  /** Calls back after each look. @returns ends that */
  onLook(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get isAlive(): boolean {
    return ![...this.#pipelines.values()].some(({ pipeline }) => pipeline.state === 'failed')
  }

  /** Why pipelines are not ready; none when all are. */
  get reasons(): readonly Reason[] {
    return [...this.#pipelines.keys()].flatMap((name) => this.#reasons(name))
  }

  /** Brings up to date what has to be asked for. */
  async refresh(): Promise<void> {
    await Promise.all(this.pipelines.flatMap((pipeline) => pipeline.refresh?.() ?? []))
  }

  /** The text for Prometheus. */
  metrics(): string {
    return prometheusText(this.#counters.flatMap((counters) => counters.snapshot()))
  }

  metricsJson(): MetricsSnapshot {
    return metricsSnapshot(this.#counters.flatMap((counters) => counters.snapshot()))
  }

  get pipelines(): readonly WatchedPipeline[] {
    return Array.from(this.#pipelines.values(), ({ pipeline }) => pipeline)
  }

  /** By name of the pipeline, the oldest first. */
  history(): { readonly [pipeline: string]: readonly HistoryPoint[] } {
    return Object.fromEntries(Array.from(this.#pipelines, ([name, { history }]) => [name, history.points]))
  }

  /** @param mostPartitions of each pipeline */
  status(mostPartitions = Infinity): Status {
    const moment = this.#moment ?? new Moment(this.#counters)
    return {
      version: this.version,
      pid: process.pid,
      at: new Date().toISOString(),
      uptimeSeconds: Math.round(process.uptime()),
      ready: this.reasons.length === 0,
      process: { ...this.#usageNow(), delaySeconds: this.#delaySeconds },
      pipelines: Array.from(this.#pipelines.values(), ({ pipeline, history, held }) =>
        pipelineStatus(pipeline, moment, {
          held,
          reasons: this.#reasons(pipeline.name),
          hidesValues: this.#hidesValues,
          now: history.latest,
          parts: history.parts,
          mostPartitions,
        }),
      ),
      events: this.#events,
    }
  }

  /**
   * The last records before and after a stage. The first call begins to look; what is there then comes with the next ones.
   * @returns undefined when there is no such stage
   */
  records(name: string, stage: string): StageRecords | undefined {
    const samples = this.#pipelines.get(name)?.pipeline.taps.get(stage)?.ask(this.#hidesValues)
    return samples && { at: new Date().toISOString(), isHidden: this.#hidesValues, samples }
  }

  /** The record of a failure. @param id of its entry @returns undefined when none was kept */
  failedRecord(name: string, id: number): FailedRecord | undefined {
    const record = this.#pipelines.get(name)?.pipeline.failures.recordOf(id)
    return record && { isHidden: this.#hidesValues, record }
  }

  #follow(moment: Moment, now: number): void {
    const { numbers } = moment
    for (const watched of this.#pipelines.values()) {
      const { pipeline, history, held } = watched
      history.add(numbers, Date.now())
      held.look(moment.partitionsOf(pipeline), now)
      const progress =
        (numbers.sum('millrace_source_records_total', pipeline.name) ?? 0) +
        (numbers.sum('millrace_sink_records_total', pipeline.name) ?? 0)
      if (progress === watched.progress) continue
      watched.progress = progress
      watched.progressAt = now
    }
  }

  /** In a snapshot of a look, as it was within the last five seconds. */
  #usageNow(): Usage {
    const now = performance.now()
    const isRecent = this.#moment !== undefined && this.#usage !== undefined && now - this.#usage.at < USAGE_MS
    if (!isRecent) this.#usage = { at: now, values: usage() }
    return this.#usage!.values
  }

  #reasons(name: string): readonly Reason[] {
    const { pipeline, history, progressAt } = this.#pipelines.get(name)!
    return reasonsOf(pipeline, {
      idleMs: performance.now() - progressAt,
      lag: history.latest?.lag ?? undefined,
      hidesValues: this.#hidesValues,
    })
  }

  /** Pipelines of one run share theirs. */
  get #counters(): readonly Counters[] {
    return [...new Set([this.#process, ...Array.from(this.#pipelines.values(), ({ pipeline }) => pipeline.counters)])]
  }
}

function usage(): Usage {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return { residentBytes: rss, heapBytes: heapUsed, cpuSeconds: (user + system) / 1e6 }
}
