/** A pipeline to be watched that runs nowhere: its state and numbers are what a test says. */
import type { SourceStatus } from '../../src/contracts/source.ts'
import { FailureLog } from '../../src/engine/watching/failure-log.ts'
import { StageTap } from '../../src/engine/watching/stage-tap.ts'
import type { WatchedPipeline } from '../../src/engine/watching/watched-pipeline.ts'
import { Counters } from '../../src/metrics/counters.ts'

export interface FakePipeline extends WatchedPipeline {
  state: WatchedPipeline['state']
  error: WatchedPipeline['error']
  breakerStates: WatchedPipeline['breakerStates']
  readonly failures: FailureLog
  /** Records read and written. */
  records: number
  lag: number | undefined
  /** How long its parts have done something. */
  seconds: number
  blocked: { readonly reading?: string; readonly writing?: string }
  partitions: SourceStatus['partitions']
  readonly taps: ReadonlyMap<string, StageTap>
}

export function fakePipeline(name = 'orders', counters = new Counters()): FakePipeline {
  const pipeline: FakePipeline = {
    name,
    delivery: 'at_least_once',
    startedAt: new Date(0).toISOString(),
    nodes: [
      { id: 'source', kind: 'source', component: 'kafka', names: ['orders'], inputs: [] },
      { id: 'stage-1', kind: 'stage', component: '$match', names: [], inputs: ['source'] },
      { id: 'sink', kind: 'sink', component: 'kafka', names: ['out'], inputs: ['stage-1'] },
    ],
    counters,
    failures: new FailureLog(),
    state: 'running',
    error: undefined,
    breakerStates: [],
    records: 0,
    lag: 0,
    seconds: 0,
    blocked: {},
    partitions: [],
    problem: () => pipeline.blocked,
    taps: new Map([['stage-1', new StageTap()]]),
    sources: [
      {
        id: 'source',
        status: () => ({
          partitions: pipeline.partitions,
          topics: new Map(),
          bufferedBytes: 0,
          memberId: 'member-1',
          isRebalancing: false,
        }),
      },
    ],
  }
  const meter = counters.meter({ pipeline: name })
  for (const [i, { id, component }] of pipeline.nodes.entries())
    meter.with({ stage: id, component }).observeEach('millrace_component_state_seconds_total', () => [
      [{ state: 'busy' }, (pipeline.seconds * (i + 1)) / 10],
      [{ state: 'backpressured' }, pipeline.seconds / 2],
      [{ state: 'idle' }, (pipeline.seconds * (4 - i)) / 10],
    ])
  meter.with({ stage: 'source', component: 'kafka' }).observe('millrace_source_records_total', () => pipeline.records)
  meter.with({ stage: 'source', component: 'kafka' }).observe('millrace_source_lag_records', () => pipeline.lag)
  meter.with({ stage: 'sink', component: 'kafka' }).observe('millrace_sink_records_total', () => pipeline.records)
  return pipeline
}

export function partitionStatus(
  partition: number,
  more: Partial<SourceStatus['partitions'][number]> = {},
): SourceStatus['partitions'][number] {
  return {
    topic: 'orders',
    partition,
    state: 'reading',
    position: 10,
    end: 10,
    committed: 10,
    lag: 0,
    lagSeconds: 0,
    problem: undefined,
    ...more,
  }
}
