/**
 * Runs tasks with bounded concurrency, those of one lane one after the other in their order.
 *
 * A lane exists while it has a task that runs or waits. A task that is not due yet holds its lane up, but takes no place of those that run.
 */
import { guarded, inBackground } from '../../resilience/background.ts'

export interface Task {
  /** Tasks of the same lane never overlap; undefined for one that may run at any time. */
  readonly lane: string | undefined
  /** `Date.now()` before which it does not start; 0 for at once. */
  readonly notBefore: number
  /** Whether it is not to be run any more. */
  readonly isDropped: boolean
  /** Called once, when its turn has come. Undefined when it is dropped instead. Never rejects. */
  run(): Promise<void> | undefined
}

/** Longest time without a turn of the event loop, so that heartbeats go on beside tasks that never wait. */
const TURN_MS = 20

/** Tasks that have left the queue before it is made shorter. */
const COMPACT_AFTER = 1024

export class Lanes {
  readonly #concurrency: number
  readonly #onFailure: (error: unknown) => void
  readonly #ready: Task[] = []
  /** Position of the next task of `#ready`; those before it are gone. */
  #next = 0
  readonly #lanes = new Map<string, Task[]>()
  readonly #timers = new Map<Task, NodeJS.Timeout>()
  #running = 0
  #turnAt = performance.now()
  #isTurnDue = false

  /** @param onFailure called with what went wrong in the background, which is a bug */
  constructor(concurrency: number, onFailure: (error: unknown) => void) {
    this.#concurrency = concurrency
    this.#onFailure = onFailure
  }

  add(task: Task): void {
    const { lane } = task
    const waiting = lane === undefined ? undefined : this.#lanes.get(lane)
    if (waiting !== undefined) {
      waiting.push(task)
      return
    }
    if (lane !== undefined) this.#lanes.set(lane, [])
    this.#enter(task)
    this.#pump()
  }

  /** Lets tasks that are dropped, and wait for their time, leave at once. */
  sweep(): void {
    for (const [task, timer] of this.#timers) {
      if (!task.isDropped) continue
      clearTimeout(timer)
      this.#timers.delete(task)
      this.#ready.push(task)
    }
    this.#pump()
  }

  /** At the head of its lane: ready, or soon. */
  #enter(task: Task): void {
    const waitMs = task.notBefore === 0 ? 0 : task.notBefore - Date.now()
    if (waitMs <= 0 || task.isDropped) {
      this.#ready.push(task)
      return
    }
    const due = (): void => {
      this.#timers.delete(task)
      this.#enter(task)
      this.#pump()
    }
    this.#timers.set(task, setTimeout(guarded(due, this.#onFailure), Math.min(waitMs, 0x7fffffff)))
  }

  #pump(): void {
    if (this.#isTurnDue) return
    while (this.#running < this.#concurrency && this.#next < this.#ready.length) {
      if (performance.now() - this.#turnAt > TURN_MS) return this.#takeTurn()
      const task = this.#ready[this.#next++]!
      if (this.#next === COMPACT_AFTER) {
        this.#ready.splice(0, this.#next)
        this.#next = 0
      }
      const work = task.run()
      if (work === undefined) this.#leave(task)
      else inBackground(this.#wait(task, work), this.#onFailure)
    }
  }

  async #wait(task: Task, work: Promise<void>): Promise<void> {
    this.#running++
    await work
    this.#running--
    this.#leave(task)
    this.#pump()
  }

  /** The next task of its lane, if any, takes its place. */
  #leave({ lane }: Task): void {
    if (lane === undefined) return
    const waiting = this.#lanes.get(lane)!
    const following = waiting.shift()
    if (following === undefined) this.#lanes.delete(lane)
    else this.#enter(following)
  }

  #takeTurn(): void {
    this.#isTurnDue = true
    const turn = (): void => {
      this.#isTurnDue = false
      this.#turnAt = performance.now()
      this.#pump()
    }
    setImmediate(guarded(turn, this.#onFailure))
  }
}
