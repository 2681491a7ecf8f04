/**
 * Runs a graph of stages:
 *
 * ```
 * make ──► open sinks, then sources ──► rows flow ──► flush ──► close
 * ```
 *
 * How rows flow is in `streaming-flow.ts`, with `exactly_once` in `transactional-flow.ts`. May not import a concrete component.
 */
import { preparing } from '../../contracts/preparing.ts'
import type { Transform } from '../../contracts/stage.ts'
import type { Batch } from '../../records/batch.ts'
import { AbortedError, PipelineTimeoutError } from '../../errors/index.ts'
import { Counters, type Meter } from '../../metrics/counters.ts'
import { guarded } from '../../resilience/background.ts'
import { type CircuitBreaker, combinedProgress } from '../../resilience/circuit-breaker.ts'
import { countedTransactions, createBreaker } from '../breaker.ts'
import { committedFirst } from '../committed-first.ts'
import { makeDeadLetters, type DeadLetters } from '../failures/dead-letters.ts'
import { Delivery, writesInSteps } from '../delivery.ts'
import { ErrorHandling } from '../failures/error-handling.ts'
import { TransactionalRun } from '../transactional-run.ts'
import type { Failure } from '../failures/failures.ts'
import { createSkipTrace } from '../failures/skip-trace.ts'
import { IN_FLIGHT_BYTES } from '../in-flight.ts'
import { graphKeepsNothing } from '../keeps-nothing.ts'
import type { RunOptions, RunProgress, RunResult } from '../plan.ts'
import { Activity, type SinkActivity } from '../watching/activity.ts'
import { observePart, observeSinkTimes } from '../watching/part-times.ts'
import { observeBreaker, totalLag } from '../watching/observed.ts'
import { PipelineWatch } from '../watching/pipeline-watch.ts'
import { traceBatches } from '../traced-batches.ts'
import { prepareBatches } from '../prepared-batches.ts'
import { inSlices, paceOf } from '../slices.ts'
import { allBehind, isTaken, makeNodes, type Node, type SinkNode, type SourceNode } from './nodes.ts'
import type { GraphPlan } from './plan.ts'
import { StreamingFlow } from './streaming-flow.ts'
import { TransactionalFlow } from './transactional-flow.ts'

const PROGRESS_INTERVAL_MS = 1000

/**
 * Runs a graph until all its sources have ended, its time is up, or it is asked to stop.
 *
 * @throws {MillraceError} the first failure; everything acknowledged before it has been committed
 */
export async function runGraph(plan: GraphPlan, run: RunOptions): Promise<RunResult> {
  const metrics = run.metrics ?? new Counters()
  const watch = new PipelineWatch(plan, metrics, run.signal)
  run.onPipeline?.(watch)
  return watch.follow(async () => {
    const graph = new GraphRun(plan, { ...run, metrics }, watch)
    await graph.make()
    watch.opened()
    return graph.run()
  })
}

class GraphRun {
  readonly #plan: GraphPlan
  readonly #run: RunOptions
  readonly #started = performance.now()
  readonly #failed = new AbortController()
  readonly #timeUp = new AbortController()
  /** Gives up what is under way. */
  readonly #abort: AbortSignal
  /** Ends reading. */
  readonly #stop: AbortSignal
  readonly #breakers = new Map<SinkNode, CircuitBreaker>()
  readonly #meter: Meter
  readonly #watch: PipelineWatch
  readonly #activity = new Activity()
  readonly #sinkActivities = new Map<SinkNode, SinkActivity>()
  #nodes: readonly Node[] = []
  #deadLetters: DeadLetters | undefined
  #errors!: ErrorHandling

  constructor(plan: GraphPlan, run: RunOptions & { readonly metrics: Counters }, watch: PipelineWatch) {
    this.#plan = plan
    this.#run = run
    this.#watch = watch
    this.#meter = run.metrics.meter({ pipeline: plan.name })
    this.#abort = AbortSignal.any([run.abort, this.#timeUp.signal])
    this.#stop = AbortSignal.any([run.signal, this.#abort, this.#failed.signal])
  }

  /** Makes and opens the stages: sinks first, so that nothing is read that could not be written. */
  async make(): Promise<void> {
    const { components, warn, inform, untilEnd, preview } = this.#run
    const { errorPolicy, circuitBreaker, name, directory } = this.#plan
    // A pipeline inside this one: its sources end by themselves, or with ours.
    const runInner = async (inner: unknown, signal: AbortSignal): Promise<boolean> => {
      const { signal: stop, preview, metrics } = this.#run
      // It would read nothing, and write that.
      if (stop.aborted) return false
      const outer = { components, warn, inform, untilEnd, preview }
      const { ended } = await runGraph(inner as GraphPlan, { ...outer, metrics, signal: stop, abort: signal })
      return ended !== 'signal'
    }
    this.#nodes = await makeNodes(this.#plan, components, this.#run, runInner)
    const sinks = this.#sinks.map(({ sink }) => sink)
    for (const { source } of this.#sources) {
      prepareBatches(source, preparing([source, ...sinks]))
      traceBatches(source, { pipeline: name })
    }
    this.#deadLetters = await makeDeadLetters(this.#plan, components, {
      pipeline: name,
      directory,
      untilEnd,
      warn,
      metrics: this.#meter,
      preview,
      delivery: this.#delivery,
      joins: this.#sinks.at(-1)?.sink,
    })
    // A preview leaves no letters.
    const shown = ({ error: { code, message } }: Failure): void =>
      warn(`a row would ${errorPolicy.fate === 'skip' ? 'be skipped' : 'become a dead letter'}: ${code}: ${message}`)
    const trace = errorPolicy.fate === 'skip' ? createSkipTrace(warn) : undefined
    const inTransactions = this.#delivery === 'exactly_once'
    const disposed = preview ? shown : trace
    this.#errors = new ErrorHandling(
      errorPolicy,
      this.#deadLetters,
      this.#meter,
      disposed,
      inTransactions,
      this.#watch.failures,
    )
    for (const node of this.#sinks) {
      const breaker = createBreaker(circuitBreaker, this.#run, `stage "${node.id}"`)
      if (breaker === undefined) continue
      this.#breakers.set(node, breaker)
      observeBreaker(node.meter, breaker)
    }
    this.#observe()
    const opening = AbortSignal.any([this.#run.signal, this.#abort])
    try {
      // The last one first: with `exactly_once` the others join it.
      for (const { sink } of this.#sinks.toReversed()) await sink.open(opening)
      await this.#deadLetters?.sink.open(opening)
      for (const { source } of this.#sources) await source.open(opening)
    } catch (error) {
      await this.#close().catch(() => {})
      throw error
    }
  }

  #observe(): void {
    this.#activity.observe(this.#meter)
    for (const node of this.#nodes) this.#observeTimes(node)
    this.#watch.sources = this.#sources.map(({ id, source }) => ({ id, status: () => source.status?.() }))
    this.#watch.taps = new Map(
      this.#nodes.flatMap((node) => (node.kind === 'transform' ? [[node.id, node.timer.tap] as const] : [])),
    )
    this.#watch.problem = () => ({
      reading: this.#sources.map(({ source }) => source.progress().problem).find((problem) => problem !== undefined),
      writing: this.#sinks.map(({ sink }) => sink.progress().problem).find((problem) => problem !== undefined),
    })
    this.#watch.breakers = Array.from(this.#breakers, ([{ id }, breaker]) => ({ id, breaker }))
  }

  #observeTimes(node: Node): void {
    if (node.kind === 'sink') {
      const sink = this.#activity.sink()
      this.#sinkActivities.set(node, sink)
      observeSinkTimes(node.meter, this.#activity, sink)
    } else {
      const behind = allBehind(node).flatMap((each) => (each.kind === 'transform' ? [each.timer] : []))
      observePart(node.meter, this.#activity, [node.kind === 'source' ? node.reading : node.timer], behind)
    }
  }

  async run(): Promise<RunResult> {
    const { timeoutMs, name } = this.#plan
    const report = guarded(
      () => this.#run.onProgress?.(this.#progress()),
      (error) => this.#failed.abort(error),
    )
    const progressTimer = setInterval(report, PROGRESS_INTERVAL_MS)
    const timeout = timeoutMs === undefined ? undefined : setTimeout(() => this.#timeUp.abort(), timeoutMs)
    try {
      await (this.#delivery === 'exactly_once' ? this.#transact() : this.#stream())
    } catch (error) {
      if (this.#timeUp.signal.aborted && !this.#run.abort.aborted)
        throw new PipelineTimeoutError(name, timeoutMs!, { cause: error })
      throw error
    } finally {
      clearInterval(progressTimer)
      clearTimeout(timeout)
      try {
        await this.#close()
      } finally {
        this.#run.onProgress?.(this.#lastProgress())
      }
    }
    const ended = this.#run.signal.aborted ? 'signal' : this.#sources.some(isTaken) ? 'source' : 'stage'
    return { ...this.#lastProgress(), ended }
  }

  async #stream(): Promise<void> {
    const isCommittedFirst = this.#delivery === 'at_most_once'
    const flow = new StreamingFlow({
      errors: this.#errors,
      deliveries: this.#deliveriesUntil(this.#abort),
      transforms: this.#transforms,
      hasSeveralSources: this.#sources.length > 1,
      abort: this.#abort,
      failed: this.#failed,
      isCommittedFirst,
      isReleased: graphKeepsNothing(this.#sources, this.#transforms, this.#sinks),
      activity: this.#activity,
      latency: this.#meter.histogram('millrace_pipeline_latency_seconds'),
    })
    this.#meter.observe('millrace_pipeline_flight_bytes', () => flow.bytes)
    const room = isCommittedFirst ? (): Promise<void> => flow.room() : undefined
    try {
      await Promise.all(this.#sources.map((node) => flow.read(node, () => this.#batches(node, room))))
    } finally {
      // Whatever ended the run: what is committed already will not be read again.
      if (isCommittedFirst) await flow.settled().catch(() => {})
    }
    if (this.#abort.aborted) throw new AbortedError(`Pipeline "${this.#plan.name}"`, { cause: this.#abort.reason })
    if (this.#failed.signal.aborted) {
      // What was read before still counts.
      await flow.settled().catch(() => {})
      throw this.#failed.signal.reason
    }
    await flow.settled()
    for (const { sink } of this.#sinks) await sink.flush(this.#abort)
    await this.#deadLetters?.sink.flush(this.#abort)
    flow.acknowledgeHeld()
  }

  /** Everything that is made of a batch is written in the transaction that commits its offsets (I5). */
  async #transact(): Promise<void> {
    const [source] = this.#sources
    const transforms = this.#transforms
    const flow = new TransactionalFlow({
      source: source!,
      transforms,
      errors: this.#errors,
      deliveries: (attemptEnded) => this.#deliveriesUntil(attemptEnded),
      inSteps: writesInSteps(this.#plan),
      waits: transforms.some(({ waits }) => waits === true),
      pace: paceOf(this.#plan, source!.source, transforms),
      isReleased: graphKeepsNothing(this.#sources, transforms, this.#sinks),
    })
    const leader = this.#sinks.at(-1)!
    const pipeline = {
      source: source!.source,
      sink: { transactions: countedTransactions(leader.sink.transactions!, this.#breakers.get(leader)) },
      meter: this.#meter,
      activity: this.#activity.reader(),
      reading: source!.reading,
      stages: {
        list: transforms,
        get exhausted() {
          return !isTaken(source!)
        },
      },
    }
    const signal = AbortSignal.any([this.#run.signal, this.#failed.signal])
    const run = { signal, abort: this.#abort, warn: this.#run.warn }
    await new TransactionalRun(this.#plan, run, pipeline, flow, IN_FLIGHT_BYTES).run()
    this.#failed.signal.throwIfAborted()
  }

  /** @param attemptEnded ends everything that is still under way */
  #deliveriesUntil(attemptEnded: AbortSignal): ReadonlyMap<SinkNode, Delivery> {
    const { errorPolicy: policy, delivery } = this.#plan
    const options = {
      policy,
      errors: this.#errors,
      inTransaction: delivery === 'exactly_once',
      abort: attemptEnded,
      stopWaiting: AbortSignal.any([this.#stop, attemptEnded]),
    }
    return new Map(
      this.#sinks.map((node) => [
        node,
        new Delivery({
          ...options,
          sink: node.sink,
          breaker: this.#breakers.get(node),
          activity: this.#sinkActivities.get(node),
          batches: node.meter.counter('millrace_sink_batches_total'),
          seconds: node.meter.histogram('millrace_sink_write_seconds'),
        }),
      ]),
    )
  }

  /** @param room waited for before each commit, where batches are committed first */
  #batches({ source, reading }: SourceNode, room: (() => Promise<void>) | undefined): AsyncIterable<Batch> {
    const pace = paceOf(this.#plan, source, this.#transforms)
    if (room === undefined) return inSlices(source.batches(this.#stop), pace, true, reading, this.#stop)
    // No more is committed than a limit lets through.
    const left = (): number => Math.min(...this.#transforms.map((each) => each.left || Infinity))
    const limited = {
      get rows() {
        return Math.min(pace.rows, left())
      },
      worked: (rows: number, ms: number) => pace.worked(rows, ms),
    }
    const slices = inSlices(source.batches(this.#stop), limited, true, reading, this.#stop)
    return committedFirst(slices, source.offsets!, room)
  }

  /** Those who only look commit nothing. */
  get #delivery(): GraphPlan['delivery'] {
    return this.#run.preview === undefined ? this.#plan.delivery : 'at_least_once'
  }

  get #sources(): SourceNode[] {
    return this.#nodes.filter((node) => node.kind === 'source')
  }

  get #transforms(): Transform[] {
    return this.#nodes.flatMap((node) => (node.kind === 'transform' ? node.transform : []))
  }

  get #sinks(): SinkNode[] {
    return this.#nodes.filter((node) => node.kind === 'sink')
  }

  #progress(): RunProgress {
    const read = this.#sources.map(({ source }) => source.progress())
    const written = this.#sinks.map(({ sink }) => sink.progress())
    return {
      elapsedMs: performance.now() - this.#started,
      read: { records: sum(read.map(({ records }) => records)), bytes: sum(read.map(({ bytes }) => bytes)) },
      written: { records: sum(written.map(({ records }) => records)), bytes: sum(written.map(({ bytes }) => bytes)) },
      lag: totalLag(read.map(({ lag }) => lag)),
      problem: [...read, ...written].find(({ problem }) => problem !== undefined)?.problem,
      errors: this.#errors.progress,
      circuitBreaker: combinedProgress([...this.#breakers.values()]),
    }
  }

  #lastProgress(): RunProgress {
    const committed = this.#sources.flatMap(({ source }) => source.progress().committed?.() ?? [])
    return { ...this.#progress(), committed: committed.length === 0 ? undefined : committed }
  }

  /** I4: sources commit what was acknowledged before anything else is let go. */
  async #close(): Promise<void> {
    this.#watch.closing()
    const sources = await Promise.allSettled(this.#sources.map(({ source }) => source.close()))
    const others = await Promise.allSettled([
      ...this.#sinks.map(({ sink }) => sink.close()),
      this.#deadLetters?.sink.close(),
    ])
    const failure = [...sources, ...others].find((result) => result.status === 'rejected')
    if (failure !== undefined) throw failure.reason
  }
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, number) => total + (number ?? 0), 0)
}
