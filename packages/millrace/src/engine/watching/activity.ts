/**
 * What a pipeline spends its time on: records (busy), waiting for a sink (backpressured), or waiting for records (idle).
 *
 * Each source has a reader. With several, the pipeline is busy while any of them is, and idle only while all are.
 */
import type { Meter } from '../../metrics/counters.ts'

export const ACTIVITIES = ['busy', 'backpressured', 'idle'] as const
export type ActivityName = (typeof ACTIVITIES)[number]

const BUSY = 0
const BACKPRESSURED = 1
const IDLE = 2
const ENDED = 3

/** Tells what one source waits for. Called per batch. */
export interface ActivityOfReader {
  busy(): void
  backpressured(): void
  idle(): void
  /** Nothing of it counts any more. */
  ended(): void
}

export class Activity {
  readonly #now: () => number
  /** Milliseconds in each state. */
  readonly #totals = new Float64Array(4)
  /** How many readers are in each state. */
  readonly #readers = new Int32Array(4)
  readonly #sinks: SinkActivity[] = []
  /** Busy readers that wait for a sink. */
  #waits = 0
  #state = ENDED
  #since: number

  /** @param now milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#since = now()
  }

  /** What one source does from now on; idle at first. */
  reader(): ActivityOfReader {
    let own = IDLE
    this.#readers[IDLE]!++
    this.#changed()
    const become = (state: number): void => {
      if (own === state) return
      this.#readers[own]!--
      this.#readers[state]!++
      own = state
      this.#changed()
    }
    return {
      busy: () => become(BUSY),
      backpressured: () => become(BACKPRESSURED),
      idle: () => become(IDLE),
      ended: () => become(ENDED),
    }
  }

  /** What one sink does from now on. */
  sink(): SinkActivity {
    const sink = new SinkActivity(this.#now, () => this.#state === BACKPRESSURED)
    this.#sinks.push(sink)
    return sink
  }

  /** Counts as backpressured, not as busy, while one reader waits. */
  async waiting(room: Promise<void>): Promise<void> {
    this.#waits++
    this.#changed()
    try {
      await room
    } finally {
      this.#waits--
      this.#changed()
    }
  }

  /** Seconds so far, those of now included. */
  seconds(name: ActivityName): number {
    const state = ACTIVITIES.indexOf(name)
    return (this.#totals[state]! + (this.#state === state ? this.#now() - this.#since : 0)) / 1000
  }

  observe(meter: Meter): void {
    for (const state of ACTIVITIES)
      meter.observe('millrace_pipeline_state_seconds_total', () => this.seconds(state), { state })
  }

  #changed(): void {
    const state = this.#stateOfAll()
    if (state === this.#state) return
    const now = this.#now()
    for (const sink of this.#sinks) sink.settle(now)
    this.#totals[this.#state]! += now - this.#since
    this.#since = now
    this.#state = state
  }

  #stateOfAll(): number {
    const readers = this.#readers
    if (readers[BUSY]! > this.#waits) return BUSY
    if (this.#waits > 0 || readers[BACKPRESSURED]! > 0) return BACKPRESSURED
    return readers[IDLE]! > 0 ? IDLE : ENDED
  }
}

/**
 * What a sink spends its time on: busy while it has writes under way, and backpressured while the pipeline waits for them, as
 * what is behind it takes less than comes. Called per batch.
 */
export class SinkActivity {
  readonly #now: () => number
  readonly #isWaitedFor: () => boolean
  /** Milliseconds. */
  #busy = 0
  #backpressured = 0
  #underWay = 0
  #since = 0

  /** @param isWaitedFor whether the pipeline waits for a sink */
  constructor(now: () => number, isWaitedFor: () => boolean) {
    this.#now = now
    this.#isWaitedFor = isWaitedFor
  }

  began(): void {
    if (this.#underWay++ === 0) this.#since = this.#now()
  }

  ended(): void {
    this.settle(this.#now())
    this.#underWay--
  }

  /** Counts what it has done while nothing was under way. */
  worked(ms: number): void {
    if (this.#underWay === 0) this.#busy += ms
  }

  /** Counts the time up to now, before something changes. */
  settle(now: number): void {
    if (this.#underWay === 0) return
    if (this.#isWaitedFor()) this.#backpressured += now - this.#since
    else this.#busy += now - this.#since
    this.#since = now
  }

  /** Seconds so far, those of now included. */
  seconds(name: Exclude<ActivityName, 'idle'>): number {
    this.settle(this.#now())
    return (name === 'busy' ? this.#busy : this.#backpressured) / 1000
  }
}
