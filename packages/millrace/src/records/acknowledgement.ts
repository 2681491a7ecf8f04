/**
 * One acknowledgement for several deliveries: a batch that goes several ways or is cut into slices, or several batches that
 * became one.
 */
import type { Acknowledgement } from './batch.ts'

/** For batches that nothing waits for: made-up records, or offsets that nothing tracks. */
export const NO_ACKNOWLEDGEMENT: Acknowledgement = { ack() {} }

/** Acknowledges its targets when its creator has released it and every share has been acknowledged (I1). */
export class SharedAcknowledgement {
  readonly #targets: readonly Acknowledgement[]
  #open = 1

  constructor(targets: readonly Acknowledgement[]) {
    this.#targets = targets
  }

  /** One more that has to be acknowledged. */
  share(): Acknowledgement {
    this.#open++
    let isAcknowledged = false
    return {
      ack: () => {
        if (isAcknowledged) return
        isAcknowledged = true
        this.release()
      },
    }
  }

  /** No more shares will be taken. Called once. */
  release(): void {
    if (--this.#open === 0) for (const target of this.#targets) target.ack()
  }
}
