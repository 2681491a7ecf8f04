/**
 * A clock that strikes every millisecond, as exactly as a thread that sleeps can: Node's timers come up to a whole millisecond late,
 * and what comes from a network, which is what a service waits for, does not wait for a timer either. Java's side of the case `latency` uses
 * `parkNanos`, which is as exact.
 */

import { Worker } from 'node:worker_threads'

const PROGRAM = `
  const { struck, epoch } = require('node:worker_threads').workerData
  const never = new Int32Array(new SharedArrayBuffer(4))
  for (let strike = 1; ; strike++) {
    const wait = epoch + strike - (performance.timeOrigin + performance.now())
    if (wait > 0) Atomics.wait(never, 0, 0, wait)
    Atomics.store(struck, 0, strike)
    Atomics.notify(struck, 0)
  }
`

export class Metronome {
  readonly #struck = new Int32Array(new SharedArrayBuffer(4))
  readonly #worker: Worker

  /** @param start the first strike comes a millisecond later; by `performance.now()` */
  constructor(start: number) {
    this.#worker = new Worker(PROGRAM, {
      eval: true,
      workerData: { struck: this.#struck, epoch: performance.timeOrigin + start },
    })
  }

  /** Resolves with the next strike. */
  async next(): Promise<void> {
    const { async: isLater, value } = Atomics.waitAsync(this.#struck, 0, Atomics.load(this.#struck, 0))
    if (isLater) await value
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}
