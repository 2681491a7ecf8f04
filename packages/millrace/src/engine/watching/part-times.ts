/**
 * What each part of a pipeline spends its time on:
 *
 * - busy: a source reads and decodes, a stage works, a sink encodes and has writes under way;
 * - backpressured: it waits for what is behind it. A sink is when the pipeline waits for its writes;
 * - idle: it waits for what is before it.
 *
 * Derived from what is counted once per batch, when somebody looks. May not import the engine.
 */
import type { Meter } from '../../metrics/counters.ts'
import type { StageTimer } from './stage-timer.ts'
import { ACTIVITIES, type Activity, type ActivityName, type SinkActivity } from './activity.ts'

/** Counts the time that a source works until it has delivered a batch. */
export class ReadingTime {
  #ms = 0

  get seconds(): number {
    return this.#ms / 1000
  }

  add(ms: number): void {
    this.#ms += ms
  }

  /** The same batches; what the source does at once when it is asked for the next one is its work. */
  of<T>(batches: AsyncIterable<T>): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = batches[Symbol.asyncIterator]()
        return {
          next: () => {
            const askedAt = performance.now()
            const next = iterator.next()
            this.add(performance.now() - askedAt)
            return next
          },
          return: async (value?: unknown) => (await iterator.return?.(value)) ?? { done: true, value: undefined },
        }
      },
    }
  }
}

/** Something that counts how long it has worked. */
interface Worked {
  readonly seconds: number
}

/** What there is of a line of parts. */
interface Line {
  readonly stages: { readonly timers: readonly StageTimer[] }
  readonly codecTimers: { readonly decode: Worked; readonly encode: Worked } | undefined
  readonly meters: { readonly source: Meter; readonly sinks: readonly Meter[] }
}

/** Observes all parts of a line. */
export function observeLine(
  { stages: { timers }, codecTimers, meters }: Line,
  activity: Activity,
  reading: Worked,
  sinks: readonly SinkActivity[],
): void {
  const decoding = codecTimers === undefined ? [] : [codecTimers.decode]
  const encoding = codecTimers === undefined ? [] : [codecTimers.encode]
  observePart(meters.source, activity, [reading, ...decoding], [...timers, ...encoding])
  for (const [i, timer] of timers.entries())
    observePart(timer.meter, activity, [timer], [...timers.slice(i + 1), ...encoding])
  for (const [i, sink] of sinks.entries()) observeSinkTimes(meters.sinks[i]!, activity, sink)
}

/** Observes a source or a stage. @param own what counts its work @param behind what counts the work of all parts behind it, without sinks */
export function observePart(meter: Meter, activity: Activity, own: readonly Worked[], behind: readonly Worked[]): void {
  observeTimes(meter, () => secondsOfAll(activity), {
    busy: () => secondsOf(own),
    backpressured: () => activity.seconds('backpressured') + secondsOf(behind),
  })
}

/** Observes a sink. */
export function observeSinkTimes(meter: Meter, activity: Activity, sink: SinkActivity): void {
  observeTimes(meter, () => secondsOfAll(activity), {
    busy: () => sink.seconds('busy'),
    backpressured: () => sink.seconds('backpressured'),
  })
}

/** @param all what the three times add up to */
export function observeTimes(
  meter: Meter,
  all: () => number,
  { busy, backpressured }: { readonly [state in Exclude<ActivityName, 'idle'>]: () => number },
): void {
  let idle = 0
  const observe = (state: ActivityName, read: () => number): void =>
    meter.observe('millrace_component_state_seconds_total', read, { state })
  observe('busy', busy)
  observe('backpressured', backpressured)
  observe('idle', () => {
    // A counter does not fall: where stages overlap, they work longer than the pipeline runs.
    return (idle = Math.max(idle, all() - busy() - backpressured()))
  })
}

function secondsOfAll(activity: Activity): number {
  return ACTIVITIES.reduce((sum, state) => sum + activity.seconds(state), 0)
}

function secondsOf(parts: readonly Worked[]): number {
  return parts.reduce((sum, { seconds }) => sum + seconds, 0)
}
