/** `flushTimeout` of Fluxion: how long acknowledgements may fail to come. */
import { DeliveryError } from '../../errors/index.ts'

/**
 * Waits for a delivery as long as there is progress.
 *
 * Under back-pressure a batch may wait longer than the timeout behind others, which is no fault; so the clock starts anew
 * whenever anything was acknowledged.
 *
 * @param acknowledged number of records that have been acknowledged so far
 * @throws what the delivery throws; {DeliveryError} `DELIVERY_TIMED_OUT` when nothing was acknowledged for `timeoutMs`
 */
export async function whileProgressing(
  delivery: Promise<void>,
  acknowledged: () => number,
  timeoutMs: number,
  topic: string,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const stalled = new Promise<never>((_resolve, reject) => {
    let before = acknowledged()
    timer = setInterval(() => {
      const now = acknowledged()
      if (now === before) {
        reject(
          new DeliveryError(
            `No record for topic "${topic}" was acknowledged for ${timeoutMs / 1000} s (flushTimeout): are the brokers up, and are there enough in-sync replicas`,
            { code: 'DELIVERY_TIMED_OUT', topic, component: 'kafka' },
          ),
        )
      }
      before = now
    }, timeoutMs)
  })
  try {
    await Promise.race([delivery, stalled])
  } finally {
    clearInterval(timer)
  }
}
