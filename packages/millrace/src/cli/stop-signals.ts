/** The signals that stop a run: the first one gracefully, the second one at once (I4). */
import type { Report } from '../metrics/events.ts'
import { INTERRUPTED } from './exit-code.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** How long an abort may take to let go of connections. */
const ABORT_GRACE_MS = 2000

export class StopSignals {
  readonly #stop = new AbortController()
  readonly #abort = new AbortController()
  readonly #info: Report
  /** Exit code of the signal that stopped the run at once; undefined while none has. */
  interrupted: number | undefined

  constructor(info: Report) {
    this.#info = info
    for (const signal of SIGNALS) process.on(signal, this.#onSignal)
  }

  /** Fires with the first signal. */
  get stop(): AbortSignal {
    return this.#stop.signal
  }

  /** Fires with the second one. */
  get abort(): AbortSignal {
    return this.#abort.signal
  }

  /** Signals do again what they do without us. */
  release(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
  }

  readonly #onSignal = (signal: (typeof SIGNALS)[number]): void => {
    if (!this.stop.aborted) {
      this.#info(
        `Stopping after ${signal}: records in flight are delivered and committed first; a second ${signal} stops at once`,
        { event: 'run.stopping' },
      )
      this.#stop.abort()
      return
    }
    this.interrupted ??= INTERRUPTED[signal]
    this.#abort.abort()
    // `process.exit` would wait for file operations that hang. The signal itself does not, and shells show the same code.
    setTimeout(() => {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    }, ABORT_GRACE_MS).unref()
  }
}
