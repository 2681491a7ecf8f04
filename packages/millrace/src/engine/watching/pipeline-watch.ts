/** Keeps what there is to see of a running pipeline; the engine fills it in. */
import type { Delivery } from '../../contracts/context.ts'
import type { Endpoints } from '../../contracts/definitions.ts'
import { isMillraceError } from '../../errors/index.ts'
import type { Counters } from '../../metrics/counters.ts'
import type { CircuitBreaker } from '../../resilience/circuit-breaker.ts'
import { allSinksOf, type PipelinePlan } from '../plan.ts'
import type { GraphPlan } from '../graph/plan.ts'
import { FailureLog } from './failure-log.ts'
import type { RunState, WatchedNode, WatchedPipeline, WatchedSource } from './watched-pipeline.ts'

export class PipelineWatch implements WatchedPipeline {
  readonly name: string
  readonly delivery: Delivery
  readonly nodes: readonly WatchedNode[]
  readonly counters: Counters
  readonly failures = new FailureLog()
  /** ISO 8601. */
  readonly startedAt = new Date().toISOString()
  /** Set when they are made. */
  sources: readonly WatchedSource[] = []
  taps: WatchedPipeline['taps'] = new Map()
  problem: WatchedPipeline['problem'] = () => ({})
  breakers: readonly { readonly id: string; readonly breaker: CircuitBreaker }[] = []
  #state: RunState = 'starting'
  #error: WatchedPipeline['error']

  constructor(plan: PipelinePlan | GraphPlan, counters: Counters, signal: AbortSignal) {
    this.name = plan.name
    this.delivery = plan.delivery
    this.nodes = 'nodes' in plan ? nodesOfGraph(plan) : nodesOfLine(plan)
    this.counters = counters
    signal.addEventListener(
      'abort',
      () => {
        if (this.#state === 'starting' || this.#state === 'running') this.#state = 'stopping'
      },
      { once: true },
    )
  }

  get state(): RunState {
    return this.#state
  }

  /** What it failed with. */
  get error(): WatchedPipeline['error'] {
    return this.#error
  }

  get breakerStates(): WatchedPipeline['breakerStates'] {
    return this.breakers.map(({ id, breaker }) => ({ id, state: breaker.progress.state }))
  }

  /** Keeps how its sources are, as they are about to be closed. */
  closing(): void {
    const now = this.sources.map(({ id, status }) => [id, status()] as const)
    this.sources = now.map(([id, found]) => ({ id, status: () => found }))
  }

  /** Everything is connected. */
  opened(): void {
    if (this.#state === 'starting') this.#state = 'running'
  }

  ended(): void {
    this.#state = 'ended'
  }

  failed(error: unknown): void {
    const code = isMillraceError(error) ? error.code : 'UNEXPECTED'
    this.#state = 'failed'
    this.#error = { code, message: error instanceof Error ? error.message : String(error) }
    this.failures.add('fatal', error)
    this.counters.meter({ pipeline: this.name }).counter('millrace_pipeline_failures_total', { code }).add(1)
  }

  /** Follows a run to its end. */
  async follow<T>(run: () => Promise<T>): Promise<T> {
    try {
      const result = await run()
      this.ended()
      return result
    } catch (error) {
      this.failed(error)
      throw error
    }
  }
}

function nodesOfLine(plan: PipelinePlan): readonly WatchedNode[] {
  const { source, stages } = plan
  const nodes: WatchedNode[] = [
    { id: 'source', kind: 'source', component: source.component, names: namesOf(source.endpoints), inputs: [] },
  ]
  let last = 'source'
  for (const [i, { name }] of stages.entries()) {
    const id = `stage-${i + 1}`
    nodes.push({ id, kind: 'stage', component: name, names: [], inputs: [last] })
    last = id
  }
  for (const [i, { component, endpoints }] of allSinksOf(plan).entries())
    nodes.push({ id: sinkId(i), kind: 'sink', component, names: namesOf(endpoints), inputs: [last] })
  return [...nodes, ...deadLettersOf(plan, [last])]
}

/** Of the sinks of a line, in their order. */
export function sinkId(index: number): string {
  return index === 0 ? 'sink' : `sink-${index + 1}`
}

function nodesOfGraph(plan: GraphPlan): readonly WatchedNode[] {
  const nodes = plan.nodes.map(({ id, kind, function: component, endpoints, inputs }): WatchedNode => ({
    id,
    kind: kind === 'transform' ? 'stage' : kind,
    component,
    names: namesOf(endpoints),
    inputs,
  }))
  const ends = plan.nodes.filter(({ kind }) => kind === 'sink').flatMap(({ inputs }) => inputs)
  return [...nodes, ...deadLettersOf(plan, [...new Set(ends)])]
}

function deadLettersOf(
  { errorPolicy: { deadLetters } }: Pick<PipelinePlan, 'errorPolicy'>,
  inputs: readonly string[],
): readonly WatchedNode[] {
  if (deadLetters === undefined) return []
  const { component, endpoints } = deadLetters.sink
  return [{ id: 'dead-letters', kind: 'dead-letters', component, names: namesOf(endpoints), inputs }]
}

function namesOf({ topics, file }: Endpoints): readonly string[] {
  return file === undefined ? topics : [...topics, file]
}
