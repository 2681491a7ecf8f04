/**
 * Notices when the brokers acknowledge nothing although records wait for it: after five seconds, then every minute, with the
 * cause; and when they do so again.
 */
import type { ComponentContext } from '../../contracts/context.ts'
import { guarded } from '../../resilience/background.ts'

const LOOK_MS = 1000
const QUIET_MS = 5000
const REMINDER_MS = 60_000

/** What is looked at. */
export interface Watched {
  /** Records that have been acknowledged so far. */
  acknowledged(): number
  /** Whether any wait for it. */
  areWaiting(): boolean
  /** What the brokers answered last, or why they did not; undefined when that is not known. */
  cause(): string | undefined
}

export class Stall {
  readonly #topic: string
  readonly #deliveries: Watched
  readonly #warn: ComponentContext['warn']
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  #acknowledged = 0
  /** Since when nothing is acknowledged. */
  #since: number | undefined
  #warnedAt: number | undefined

  /**
   * @param onFailure given what `warn` throws
   * @param now milliseconds
   */
  constructor(
    topic: string,
    deliveries: Watched,
    warn: ComponentContext['warn'],
    onFailure: (error: unknown) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#topic = topic
    this.#deliveries = deliveries
    this.#warn = warn
    this.#now = now
    this.#timer = setInterval(
      guarded(() => this.look(), onFailure),
      LOOK_MS,
    ).unref()
  }

  /** What stands in the way at the moment, as part of a sentence; undefined while nothing does. */
  get problem(): string | undefined {
    if (this.#since === undefined) return undefined
    const waitedMs = this.#now() - this.#since
    if (waitedMs < QUIET_MS) return undefined
    const cause = this.#deliveries.cause()
    const because = cause === undefined ? '' : `: ${cause}`
    return `nothing acknowledged for ${Math.round(waitedMs / 1000)} s${because}`
  }

  /** To be called about once a second. */
  look(): void {
    const acknowledged = this.#deliveries.acknowledged()
    const now = this.#now()
    const isStalled = this.#deliveries.areWaiting() && acknowledged === this.#acknowledged
    this.#acknowledged = acknowledged
    if (isStalled) {
      this.#since ??= now
      const { problem } = this
      if (problem === undefined || (this.#warnedAt !== undefined && now - this.#warnedAt < REMINDER_MS)) return
      this.#warnedAt = now
      const [topic, seconds] = [this.#topic, Math.round((now - this.#since) / 1000)]
      this.#warn(`Topic "${topic}" cannot be written: ${problem}`, { topic, seconds })
      return
    }
    if (this.#warnedAt !== undefined && this.#since !== undefined) {
      const seconds = Math.round((now - this.#since) / 1000)
      this.#warn(`Topic "${this.#topic}" is written again, after ${seconds} s`, { topic: this.#topic, seconds })
    }
    this.#since = this.#warnedAt = undefined
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
