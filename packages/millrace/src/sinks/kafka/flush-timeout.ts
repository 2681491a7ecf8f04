/**
 * `flushTimeout` of Fluxion: how long acknowledgements may fail to come.
 *
 * Giving up the wait is not giving up the work: the producer goes on with what it was given. A batch that is written again
 * meanwhile is not given to it a second time; its delivery stands for the new attempt.
 */
import { DeliveryError } from '../../errors/index.ts'
import type { Batch } from '../../records/batch.ts'

export interface FlushTimeout {
  readonly topic: string
  /** Undefined waits as long as the delivery takes. */
  readonly timeoutMs: number | undefined
  /** Number of records that have been acknowledged so far. */
  readonly acknowledged: () => number
}

export class Deliveries {
  /** Batches that no caller waits for at the moment. */
  readonly #underWay = new WeakMap<Batch, Promise<void>>()

  /**
   * Waits for the delivery of a batch as long as there is progress: for the one that is still under way, else for a new one.
   *
   * @throws what the delivery throws; {DeliveryError} `DELIVERY_TIMED_OUT` when nothing was acknowledged for `timeoutMs`: it is under
   *   way then, until another call waits for it or ends it
   */
  async wait(batch: Batch, begin: () => Promise<void>, timeout: FlushTimeout): Promise<void> {
    const delivery = this.#underWay.get(batch) ?? begin()
    this.#underWay.delete(batch)
    const { topic, timeoutMs, acknowledged } = timeout
    if (timeoutMs === undefined) return delivery
    if (await isDone(delivery, timeoutMs, acknowledged)) return
    this.#underWay.set(batch, delivery)
    throw new DeliveryError(
      `No record for topic "${topic}" was acknowledged for ${timeoutMs / 1000} s (flushTimeout): are the brokers up, and are there enough in-sync replicas`,
      { code: 'DELIVERY_TIMED_OUT', topic, component: 'kafka' },
    )
  }

  /**
   * Ends the delivery of a batch that is still under way, if it is.
   * @param cancel makes what is not acknowledged fail
   * @returns whether it is; everything is written then. @throws what the delivery throws
   */
  async end(batch: Batch, cancel: () => void): Promise<boolean> {
    const delivery = this.#underWay.get(batch)
    if (delivery === undefined) return false
    this.#underWay.delete(batch)
    cancel()
    await delivery
    return true
  }
}

/**
 * Under back-pressure a batch may wait longer than the timeout behind others, which is no fault; so the clock starts anew
 * whenever anything was acknowledged.
 *
 * @returns false when nothing was acknowledged for `timeoutMs`. @throws what the delivery throws
 */
async function isDone(
  delivery: Promise<void>,
  timeoutMs: number,
  acknowledged: FlushTimeout['acknowledged'],
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const stalled = new Promise<false>((resolve) => {
    let before = acknowledged()
    timer = setInterval(() => {
      const now = acknowledged()
      if (now === before) resolve(false)
      before = now
    }, timeoutMs)
  })
  try {
    return await Promise.race([delivery.then(() => true as const), stalled])
  } finally {
    clearInterval(timer)
  }
}
