/** Calls the listener of a program with what a group does with partitions, and owns what goes wrong there. */
import { untilAborted } from '../../../resilience/abort.ts'
import { inBackground } from '../../../resilience/background.ts'
import { keyOf, placesOf, type TopicPartition } from '../../topic-partition.ts'
import type { RebalanceControls, RebalanceListener, Warn } from '../options.ts'

/** Functions that need no object to be called on. */
export function controlsOf(consumer: RebalanceControls): RebalanceControls {
  return {
    seek: (partition, position) => consumer.seek(partition, position),
    pause: (partitions) => consumer.pause(partitions),
    commit: () => consumer.commit(),
  }
}

export class ListenerCalls {
  readonly #listener: RebalanceListener | undefined
  readonly #controls: RebalanceControls
  readonly #warn: Warn

  constructor(listener: RebalanceListener | undefined, controls: RebalanceControls, warn: Warn) {
    this.#listener = listener
    this.#controls = controls
    this.#warn = warn
  }

  /** @param read those that are there to be read, by `keyOf` @throws what the listener throws */
  async assigned(partitions: readonly TopicPartition[], read: ReadonlyMap<string, unknown>): Promise<void> {
    const there = partitions.filter(({ topic, partition }) => read.has(keyOf(topic, partition)))
    if (there.length > 0) await this.#listener?.onAssigned?.(placesOf(there), this.#controls)
  }

  /** Resolves when the listener is through, or the time is over. */
  async revoked(partitions: readonly TopicPartition[], deadlineMs: number): Promise<void> {
    if (this.#listener === undefined || partitions.length === 0) return
    const telling = (async () => this.#listener?.onRevoked?.(placesOf(partitions), this.#controls))()
    const deadline = AbortSignal.timeout(deadlineMs)
    await untilAborted(telling, 'onRevoked', deadline).catch((error: unknown) => this.#failed('onRevoked', error))
    telling.catch(() => {}) // reported above, unless it took too long
  }

  /** Nothing waits for it, as the partitions have gone. */
  lost(partitions: readonly TopicPartition[]): void {
    const telling = (async () => this.#listener?.onLost?.(placesOf(partitions)))()
    inBackground(telling, (error) => this.#failed('onLost', error))
  }

  #failed(name: string, error: unknown): void {
    this.#warn(`${name} failed: ${error instanceof Error ? error.message : String(error)}`)
  }
}
